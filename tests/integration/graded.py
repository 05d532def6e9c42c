"""Graded submissions as tests of what counts need them: real rows, without a run."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

from grader.domain.grade import Grade, ItemGrade, ItemState
from grader.domain.submission import SubmissionState
from grader.services.grades.standing import settle
from grader.storage.codec import dump
from tests.integration.parts import RUBRIC, Parts, make_evidence, make_models, make_run


def hand_in(parts: Parts, user: str, sent: datetime, code: str = "") -> str:
    """A submission that waits for its turn."""
    document = parts.submit(code or f"print({user!r})", user, submitted_at=sent)
    return str(document["id"])


def grade(
    parts: Parts,
    submission_id: str,
    points: float = 8.0,
    *,
    proposed: float | None = None,
    accepted: bool = False,
    maximum: float = 8.0,
) -> None:
    """Grade it; with ``proposed`` points its item waits for a human, unless it is accepted without one."""
    evidence = {} if proposed is None else {"proposal": {"points": proposed, "doubt": 0.5}}
    state = ItemState.AUTO if proposed is None or accepted else ItemState.NEEDS_REVIEW
    item = ItemGrade("ex1.runs", "The code runs", points, maximum, state, 1.0, "All cells ran.", evidence)
    now = datetime.now(UTC)
    with parts.database.write() as unit:
        filed = unit.submissions.find(submission_id)
        assert filed is not None
        executed = parts.blobs.put(f"executed {submission_id}".encode())
        weights = parts.blobs.put(b"the same weights for everybody")
        run = make_run()
        run = replace(run, executed_sha256=executed, models=(replace(run.models[0], sha256=weights),))
        # As the stages of a run leave them behind.
        parts.blobs.put(dump(run).encode())
        parts.blobs.put(dump(make_models()).encode())
        found = replace(make_evidence(filed.submission.notebook_sha256), run=run)
        stored = unit.evidence.add(submission_id, found, {"total": 2.0}, now)
        before = unit.grades.newest(submission_id)
        unit.grades.add(submission_id, stored, Grade((item,), RUBRIC.sha256), now, follows=before)
        unit.work.finish(submission_id, filed.generation, SubmissionState.GRADED, datetime.now(UTC))
        settle(unit, submission_id, code_sha256=hashlib.sha256(submission_id.encode()).hexdigest())
        unit.commit()


def graded(
    parts: Parts,
    user: str,
    points: float = 8.0,
    *,
    sent: datetime,
    code: str = "",
    proposed: float | None = None,
    accepted: bool = False,
) -> str:
    """Both at once."""
    submission_id = hand_in(parts, user, sent, code)
    grade(parts, submission_id, points, proposed=proposed, accepted=accepted)
    return submission_id
