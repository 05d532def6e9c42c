"""Which submissions a rubric has not judged yet, and by what a preview is known to be out of date."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from grader.assignments import Assignment
from grader.errors import Overtaken
from grader.storage.grades import Head
from grader.storage.unit_of_work import Database

from .judging import Case

BATCH = 200  # in one transaction


def is_stale(head: Head, assignment: Assignment) -> bool:
    """Whether a grade stands, and it is of another rubric version or of an earlier run."""
    if not head.grade_id or not head.evidence_id:
        return False
    judged = (head.rubric_sha256, head.judged_evidence_id)
    return judged != (assignment.rubric.sha256, head.evidence_id)


def read_cases(database: Database, heads: Sequence[Head]) -> Iterator[list[Case]]:
    """Their documents, batch by batch."""
    for start in range(0, len(heads), BATCH):
        some = heads[start : start + BATCH]
        with database.read() as unit:
            documents = unit.grades.documents(some)
        yield [Case(head, *pair) for head, pair in zip(some, documents, strict=True)]


def make_token(rubric_sha256: str, base_sha256: str, heads: Iterable[Head]) -> str:
    """By what a preview is known: its rubric, the one that it takes the place of, the grades that stood."""
    stood = hashlib.sha256(base_sha256.encode())
    for head in heads:
        stood.update(f"{head.submission_id}:{head.grade_id}:{head.evidence_id};".encode())
    return f"{rubric_sha256[:32]}.{stood.hexdigest()[:32]}"


def check_token(token: str, now: str) -> None:
    """Raise `Overtaken` unless the preview that somebody saw is what would happen ``now``."""
    if token == now:
        return
    what = "grades" if token.split(".", maxsplit=1)[0] == now.split(".", maxsplit=1)[0] else "rubric"
    raise Overtaken(f"The {what} changed after this preview was made: look at a new preview, then publish.")
