"""Graded submissions with written answers, and people who review them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from grader.assignments import Assignment
from grader.checks.judge import judge
from grader.domain.answers import Alignment, Answer, AnswerState
from grader.domain.offering import Offering
from grader.domain.opinion import Opinion
from grader.domain.people import Actor, Membership, Person, Role
from grader.domain.rubric import Concept, Item, Part, PartKind
from grader.domain.submission import Submission, SubmissionState
from grader.services import review
from grader.services.grades.report import read_report, submission_document
from grader.services.grades.standing import settle
from grader.services.review import Decision, Desk
from grader.storage.review.queue import Order, Scope
from tests.integration.parts import NOW, RUBRIC, Parts, make_assignment, make_evidence, make_parts

GOOD = "The bottleneck forces the network to keep only the important features of the digits."
HALF = "It has a small code."
OTHER = "Overfitting means that training loss keeps falling while the test loss is going up again."

_CONCEPTS = (
    Concept(
        "features",
        "Important features",
        3.0,
        1,
        ("The bottleneck forces the network to keep only important features.",),
        ("The network can memorize all training inputs.",),
    ),
    Concept("capacity", "Limited capacity", 1.0, 2, ("A small code cannot store every pixel.",), ()),
)
PARTS = (
    *RUBRIC.parts,
    Part("q1", PartKind.SHORT_ANSWER, "Question 1", "Bottleneck", prompt="Why does a bottleneck help?"),
    Part("q2", PartKind.SHORT_ANSWER, "Question 2", "Loss", prompt="What does the gap tell?"),
)
ITEMS = (
    *RUBRIC.items,
    Item("q1", "q1", "Bottleneck", 4.0, "short_answer", concepts=_CONCEPTS),
    Item("q2", "q2", "Loss", 4.0, "short_answer"),
)
SCOPE = Scope("cs101", "hw")


@dataclass
class Class:
    """A course in which answers wait."""

    parts: Parts
    desk: Desk
    now: datetime = NOW

    @property
    def assignment(self) -> Assignment:
        """The homework."""
        return self.parts.assignments["hw"]

    def wait(self, **time: float) -> None:
        """Let time pass."""
        self.now += timedelta(**time)

    def grade(
        self,
        user: str,
        q1: str = GOOD,
        q2: str = "",
        attempt: int = 1,
        course: str = "cs101",
        opinions: tuple[Opinion, ...] = (),
    ) -> str:
        """A graded submission with these answers, and second opinions on the first; its id."""
        answers = {
            "ex1": Answer("ex1", AnswerState.ANSWERED, "fine"),
            "q1": _answer("q1", q1),
            "q2": _answer("q2", q2),
        }
        evidence = replace(make_evidence(), alignment=Alignment(answers), opinions={"q1": opinions})
        grade = judge(self.assignment.rubric, evidence)
        submission = Submission(
            uuid.uuid4().hex, course, "hw", user, attempt, uuid.uuid4().hex * 2, f"{user}.ipynb", NOW,
            SubmissionState.QUEUED, 0,
        )  # fmt: skip
        with self.parts.database.write() as unit:
            unit.submissions.add(submission, NOW)
            unit.work.add(submission.id, 1, NOW)
            unit.work.take_up(submission.id, 0, "run", first=True, now=NOW)
            unit.work.finish(submission.id, 0, SubmissionState.GRADED, NOW)
            stored = unit.evidence.add(submission.id, evidence, {"total": 2.0}, NOW)
            unit.grades.add(submission.id, stored, grade, NOW, follows=None)
            settle(unit, submission.id)
            unit.commit()
        return submission.id

    def offer(self, **settings: Any) -> None:
        """Say how the course gives the homework."""
        with self.parts.database.write() as unit:
            unit.offerings.put("cs101", "hw", Offering(**settings), NOW)
            unit.commit()

    def enrol(self, user: str, role: Role = Role.STUDENT, *sections: str, name: str = "") -> Actor:
        """Put someone into the course."""
        membership = Membership("cs101", role, frozenset(sections))
        with self.parts.database.write() as unit:
            if unit.people.find(user) is None:
                shown = name or user.title()
                unit.people.add(Person(user, user, shown, f"{user}@students.example.edu"), NOW)
            if "cs101" not in unit.people.courses():
                unit.people.add_course("cs101", "Computing", NOW)
            unit.people.enrol(user, membership, NOW)
            unit.commit()
        return Actor(user, user, {"cs101": membership})

    def audited(self) -> list[tuple[str, str]]:
        """Who did what, oldest first."""
        with self.parts.database.read() as unit:
            return [(entry.actor, entry.action) for entry in reversed(unit.audit.page(limit=1000))]


def _answer(part: str, text: str) -> Answer:
    state = AnswerState.ANSWERED if text else AnswerState.BLANK
    return Answer(part, state, text, cells=(5,) if text else ())


def teach_low(room: Class, actor: Actor, count: int = 6) -> None:
    """So many good answers, for each of which the actor gives a quarter of the points."""
    for at in range(count):
        padding = "This is what I think. " * (at + 1)  # equal answers would count once
        take_and_decide(room, actor, room.grade(f"taught{at}", f"{GOOD} {padding}"), 1.0)


def make_class(folder: Path) -> Class:
    """A course without submissions."""
    parts = make_parts(folder)
    parts.assignments["hw"] = make_assignment(parts=PARTS, items=ITEMS)
    made = Class(parts, Desk(parts.database, parts.assignments))
    made.desk = replace(made.desk, clock=lambda: made.now)
    return made


def list_waiting(
    room: Class, actor: Actor, order: Order = Order.DOUBT, **scope: Any
) -> list[tuple[str, str]]:
    """Submission and item of what the queue shows."""
    page = review.list_queue(room.desk, actor, replace(SCOPE, **scope), order)
    return [(entry.submission_id, entry.item) for entry in page.entries]


def show_item(room: Class, submission_id: str, item: str = "q1") -> dict[str, Any]:
    """One item as the submission's document has it."""
    document = submission_document(read_report(room.parts.database, submission_id), None, NOW)
    return next(one for one in document["items"] if one["key"] == item)


def take_and_decide(
    room: Class, actor: Actor, submission_id: str, points: float, follows: int = 0
) -> review.Decided:
    """Give the first question so many points."""
    review.take(room.desk, actor, submission_id, "q1")
    return review.decide(room.desk, actor, submission_id, "q1", Decision(points), follows)
