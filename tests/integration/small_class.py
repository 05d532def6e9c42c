"""Small classes with grades as tests say them, settled as the service does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from grader.domain.grade import Grade, ItemGrade, ItemState
from grader.domain.models import Measurement
from grader.domain.offering import Offering
from grader.domain.people import Role
from grader.domain.rubric import Item, Part, PartKind
from grader.domain.run import CellRun, CellState, Verdict
from grader.domain.submission import SubmissionState
from grader.services.grades.standing import settle
from tests.integration.page_requests import add_person
from tests.integration.parts import NOW, RUBRIC, Parts, make_assignment, make_evidence

DASHBOARD = "/courses/cs101/assignments/hw/dashboard"
ITEMS = (
    Item("ex1.runs", "ex1", "The code runs", 8.0, "runs"),
    Item("q1", "q1", "Why", 4.0, "short_answer"),
    Item("q2", "q2", "Which", 3.0, "choice", {"key": "B"}),
)
PARTS = (
    *RUBRIC.parts,
    Part("q1", PartKind.SHORT_ANSWER, "Question 1", "Why"),
    Part("q2", PartKind.CHOICE, "Question 2", "Which", {"A": "one", "B": "two"}),
)


@dataclass(frozen=True)
class Work:
    """What became of one submission. ``points`` None: it waits for a human."""

    points: Mapping[str, float | None]
    choice: str = "B"
    explained: float = 0.3
    seconds: float = 2.0
    verdict: Verdict = Verdict.OK
    code: str = ""


def make_class_parts(parts: Parts) -> Parts:
    """The same parts with an assignment of three items, whose reviewers see names."""
    parts.assignments["hw"] = make_assignment(parts.home, parts=PARTS, items=ITEMS)
    offer(parts, Offering(is_anonymous=False))
    return parts


def offer(parts: Parts, offering: Offering) -> None:
    """Say how the course gives the homework."""
    with parts.database.write() as unit:
        unit.offerings.put("cs101", "hw", offering, NOW)
        unit.commit()


def add_students(parts: Parts, sections: Mapping[str, str]) -> None:
    """Students by id with their section, an instructor, and an assistant of section "a"."""
    for student, section in sections.items():
        add_person(parts, student, Role.STUDENT, (section,))
    add_person(parts, "ines", Role.INSTRUCTOR)
    add_person(parts, "tom", Role.TA, ("a",))


def hand_in(parts: Parts, user: str, number: int) -> str:
    """A submission that waits for its turn; its id."""
    return str(parts.submit(f"print({number!r}, {user!r})", user)["id"])


def hand_in_graded(parts: Parts, user: str, work: Work, number: int = 1) -> str:
    """A graded submission; its id."""
    submission_id = hand_in(parts, user, number)
    known = make_evidence()
    model = Measurement("b" * 64, 0, 2, 0.0676 * (1 - work.explained), work.explained, "[0, 1]", "[0, 1]")
    cells = (
        (CellRun(0, CellState.ERROR, 1.0, 0, "MemoryError: no more"),) if work.verdict != Verdict.OK else ()
    )
    run = replace(known.run, verdict=work.verdict, seconds=work.seconds, cells=cells or known.run.cells)
    evidence = replace(known, run=run, models=replace(known.models, measurements=(model,)))
    items = tuple(
        ItemGrade(
            item.key,
            item.title,
            work.points.get(item.key) or 0.0,
            item.points,
            ItemState.NEEDS_REVIEW if work.points.get(item.key, 0.0) is None else ItemState.AUTO,
            1.0,
            "",
            {"letter": work.choice} if item.check == "choice" else {},
        )
        for item in ITEMS
    )
    with parts.database.write() as unit:
        unit.work.take_up(submission_id, 0, "run", first=True, now=NOW)
        unit.work.finish(submission_id, 0, SubmissionState.GRADED, NOW)
        stored = unit.evidence.add(submission_id, evidence, {}, NOW)
        unit.grades.add(submission_id, stored, Grade(items, RUBRIC.sha256), NOW, follows=None)
        settle(unit, submission_id, code_sha256=work.code)
        unit.commit()
    return submission_id


def fail(parts: Parts, submission_id: str, reason: str = "no jail could be started") -> None:
    """We fail at a submission."""
    with parts.database.write() as unit:
        unit.work.take_up(submission_id, 0, "run", first=True, now=NOW)
        unit.work.finish(submission_id, 0, SubmissionState.FAILED, NOW, reason)
        unit.commit()
