"""A class with an assignment of two parts, as the tests of students' pages find it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from grader.domain.evidence import Evidence
from grader.domain.grade import Grade, ItemGrade, ItemState
from grader.domain.offering import Accommodation, Offering
from grader.domain.people import Role
from grader.domain.rubric import Item, Part, PartKind
from grader.domain.submission import SubmissionState
from grader.services.grades.standing import settle
from tests.integration.page_requests import Browser, add_person
from tests.integration.parts import Parts, make_assignment, make_evidence

PAGE = "/courses/cs101/assignments/hw"
PNG = b"\x89PNG\r\n\x1a\nnot a real one"
OPTIONS = {"A": "The model is working perfectly", "B": "The model is overfitting"}
QUESTION = (
    "## Question 1: Loss\n\nWhat happens?\n\nA) The model is working perfectly\nB) The model is overfitting"
)
PARTS = (
    Part("ex1", PartKind.EXERCISE, "Exercise 1", "Run"),
    Part("q1", PartKind.CHOICE, "Question 1", "Loss", OPTIONS),
)
ITEMS = (
    Item("ex1.runs", "ex1", "The code runs", 8.0, "runs"),
    Item("q1.choice", "q1", "Loss", 3.0, "choice", {"key": "B"}),
    Item("q1.explanation", "q1", "Loss, explained", 1.0, "explanation"),
)


def write_notebook(*cells: tuple[str, str]) -> bytes:
    """A notebook of (kind, source)."""
    written: list[dict[str, Any]] = []
    for kind, source in cells:
        more: dict[str, Any] = {"outputs": [], "execution_count": None} if kind == "code" else {}
        written.append({"cell_type": kind, "source": source, "metadata": {}, **more})
    return json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": written}).encode()


def fill_in(
    code: str = "print(1)", answer: str = "[Write your answer here - e.g., 'B']", *more: tuple[str, str]
) -> bytes:
    """The homework with this code and this answer."""
    return write_notebook(
        ("markdown", "# Homework"),
        ("markdown", "## Exercise 1: Run\n\nTrain something small."),
        ("code", code),
        (
            "markdown",
            f"{QUESTION}\n\n**Your Answer**: {answer}\n\n**Explanation**: [Explain why this is correct]",
        ),
        *more,
    )


def set_up_class(parts: Parts) -> None:
    """Two students in section a, one in b, an assistant of a, an instructor, and the homework."""
    template = fill_in("# your code here")
    assignment = make_assignment(parts=PARTS, items=ITEMS)
    parts.assignments["hw"] = replace(assignment, template=template)
    add_person(parts, "ada", Role.STUDENT, ("a",))
    add_person(parts, "ben", Role.STUDENT, ("a",))
    add_person(parts, "cyd", Role.STUDENT, ("b",))
    add_person(parts, "tom", Role.TA, ("a",))
    add_person(parts, "ines", Role.INSTRUCTOR)
    add_person(parts, "eve")


def offer(parts: Parts, **said: Any) -> None:
    """Say how the course gives the homework."""
    with parts.database.write() as unit:
        unit.offerings.put("cs101", "hw", Offering(**said), datetime.now(UTC))
        unit.commit()


def extend(parts: Parts, user: str, due_at: datetime) -> None:
    """Give one student an own due date."""
    with parts.database.write() as unit:
        now = datetime.now(UTC)
        unit.offerings.accommodate("cs101", "hw", user, Accommodation(due_at), "ines", now)
        unit.commit()


def days(amount: float) -> datetime:
    """So many days from now; negative: ago."""
    return datetime.now(UTC) + timedelta(days=amount)


def check(browser: Browser, data: bytes, name: str = "hw.ipynb") -> str:
    """Upload a notebook to be looked through; return the draft's page."""
    answer = browser.post(f"{PAGE}/drafts", files={"file": (name, data)})
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def hand_in(browser: Browser, data: bytes | None = None) -> str:
    """Upload and submit; return the submission's page."""
    answer = browser.post(check(browser, fill_in(answer="B") if data is None else data))
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def make_grade(*items: tuple[str, float, float, ItemState, str, dict[str, Any]]) -> Grade:
    """A grade of (key, points, of, state, feedback, evidence)."""
    made = (
        ItemGrade(key, f"Title of {key}", points, most, state, 1.0, feedback, evidence)
        for key, points, most, state, feedback, evidence in items
    )
    return Grade(tuple(made), "a" * 64)


GRADE = make_grade(
    (
        "ex1.runs",
        6.5,
        8.0,
        ItemState.AUTO,
        "All cells ran, so to say.",
        {"latent_dim": 2, "explained_variance": 0.2641, "threshold": 0.18, "mse": 0.0512},
    ),
    ("q1.choice", 3.0, 3.0, ItemState.AUTO, "Your choice was read as B. That is right.", {"letter": "B"}),
    (
        "q1.explanation",
        0.0,
        1.0,
        ItemState.NEEDS_REVIEW,
        "A teacher will read it.",
        {
            "text": "because it <b>overfits</b>",
            "proposal": {"points": 1.0, "doubt": 0.3, "concepts": [{"matched": "the secret statement"}]},
        },
    ),
)


def grade(parts: Parts, page: str, verdict: Grade = GRADE, executed: bytes = b"") -> None:
    """Grade the submission of this page, with pictures and an executed notebook."""
    submission_id = page.rsplit("/", 1)[1]
    evidence = _evidence(parts, executed)
    now = datetime.now(UTC)
    with parts.database.write() as unit:
        unit.work.take_up(submission_id, 0, "run", first=True, now=now)
        unit.work.finish(submission_id, 0, SubmissionState.GRADED, now)
        seconds = {"jail": 1.0, "cells": 60.0, "evaluation": 1.0}
        stored = unit.evidence.add(submission_id, evidence, seconds, now)
        unit.grades.add(submission_id, stored, verdict, now, follows=None)
        settle(unit, submission_id)
        unit.commit()


def _evidence(parts: Parts, executed: bytes) -> Evidence:
    evidence = make_evidence()
    (model,) = evidence.models.measurements
    model = replace(model, picture_sha256=parts.blobs.put(PNG))
    ran = parts.blobs.put(executed or fill_in("print('as it was run')"))
    return replace(
        evidence,
        models=replace(evidence.models, measurements=(model,)),
        run=replace(evidence.run, executed_sha256=ran),
    )


def text_of(html: str) -> str:
    """A page's words, without its markup."""
    main = html.split("<main", 1)[-1]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())
