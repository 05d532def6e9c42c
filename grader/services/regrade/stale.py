"""Which submissions a rubric has not judged yet, and by what a preview is known to be out of date."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from grader.assignments import Assignment
from grader.errors import Overtaken
from grader.services.proposals.calibrations import load_calibrations
from grader.storage.grades import Head
from grader.storage.unit_of_work import Database, UnitOfWork

from .judging import Case, Standard

BATCH = 200  # in one transaction


def read_standard(unit: UnitOfWork, assignment: Assignment, heads: Iterable[Head]) -> Standard:
    """What these submissions are to be judged by, with what is known in their courses now."""
    courses = sorted({head.course for head in heads})
    return Standard(assignment, {one: load_calibrations(unit, one, assignment.rubric.id) for one in courses})


def find_stale(standard: Standard, heads: Iterable[Head]) -> list[Head]:
    """Those whose grade is of another version, or of an earlier run. Without a grade there is none."""
    versions = standard.versions()
    return [
        head
        for head in heads
        if head.grade_id
        and head.evidence_id
        and (head.version, head.judged_evidence_id) != (versions[head.course], head.evidence_id)
    ]


def read_cases(database: Database, heads: Sequence[Head]) -> Iterator[list[Case]]:
    """Their documents, batch by batch."""
    for start in range(0, len(heads), BATCH):
        some = heads[start : start + BATCH]
        with database.read() as unit:
            documents = unit.grades.documents(some)
        yield [Case(head, *pair) for head, pair in zip(some, documents, strict=True)]


def make_token(standard: Standard, base_sha256: str, heads: Iterable[Head]) -> str:
    """By what a preview is known: its rubric, the one that it takes the place of, the grades that stood."""
    stood = hashlib.sha256(f"{base_sha256};{sorted(standard.versions().items())};".encode())
    for head in heads:
        stood.update(f"{head.submission_id}:{head.grade_id}:{head.evidence_id};".encode())
    return f"{standard.assignment.rubric.sha256[:32]}.{stood.hexdigest()[:32]}"


def check_token(token: str, now: str) -> None:
    """Raise `Overtaken` unless the preview that somebody saw is what would happen ``now``."""
    if token == now:
        return
    what = "grades" if token.split(".", maxsplit=1)[0] == now.split(".", maxsplit=1)[0] else "rubric"
    raise Overtaken(f"The {what} changed after this preview was made: look at a new preview, then publish.")
