"""Who may see what of a submission now: its student what is released, staff everything in their sections."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from grader.assignments import Assignment
from grader.domain.grade import ItemGrade, ItemState
from grader.domain.offering import Counts
from grader.domain.people import Actor, Role
from grader.domain.rubric import Part, PartKind
from grader.domain.run import CellRun, CellState
from grader.domain.submission import Submission, SubmissionState
from grader.errors import NotFound
from grader.services.grades.report import Report, find_report
from grader.services.terms import Terms
from grader.storage.standings import Attempt
from grader.storage.unit_of_work import Database, UnitOfWork

# What of an item's record its student sees: what was measured of their own work, and what was wanted. Not the
# proposal, which quotes the statements that an answer is held against, nor whose weights are alike.
_OF_STUDENTS = frozenset(
    {
        "state",
        "cells",
        "text",
        "candidates",
        "letter",
        "explanation",
        "verdict",
        "cells_ok",
        "detail",
        "latent_dim",
        "threshold",
        "reference",
        "mse",
        "explained_variance",
        "pca_explained_variance",
        "cell",
        "mean_image_mse",
        "mse_by_class",
        "method",
        "input_convention",
        "output_convention",
        "unmeasured",
    }
)


@dataclass(frozen=True, slots=True)
class PartView:
    """One part as a reader sees it. Before its release it has no items and no points."""

    key: str
    heading: str
    title: str
    kind: PartKind
    is_released: bool
    released_when: str  # in words
    items: tuple[ItemGrade, ...]
    # Items that need a human and that nobody is sent to, as another attempt counts.
    unread: frozenset[str] = frozenset()

    @property
    def given(self) -> float:
        """Points given so far."""
        return round(sum(item.points for item in self.items), 2)

    @property
    def maximum(self) -> float:
        """Points that could be had."""
        return round(sum(item.max_points for item in self.items), 2)

    @property
    def waiting(self) -> int:
        """Items that a human decides."""
        return sum(item.state is ItemState.NEEDS_REVIEW for item in self.items) - len(self.unread)


@dataclass(frozen=True, slots=True)
class SubmissionView:
    """A submission as a reader sees it. ``report`` is whole: students are shown the other fields."""

    submission: Submission
    terms: Terms
    is_own: bool
    is_staff: bool
    is_graded: bool
    parts: tuple[PartView, ...]  # empty before it is graded
    shows_run: bool  # cells, notebook, pictures and curve: what the exercises' points follow from
    cells: tuple[CellRun, ...]
    report: Report
    counted: Attempt | None  # the student's attempt that counts; None where it is not told yet

    @property
    def counts(self) -> bool | None:
        """Whether this attempt counts; None where it is not told yet."""
        return None if self.counted is None else self.counted.submission_id == self.submission.id

    @property
    def unread(self) -> int:
        """Items, of those shown, that need a human and that nobody reads unless asked."""
        return sum(len(part.unread) for part in self.parts)

    @property
    def is_complete(self) -> bool:
        """Whether every part is shown, and so the total."""
        return all(part.is_released for part in self.parts)

    @property
    def given(self) -> float:
        """Points of what is shown, before what lateness costs."""
        return round(sum(part.given for part in self.parts), 2)

    @property
    def maximum(self) -> float:
        """Points that could be had for what is shown."""
        return round(sum(part.maximum for part in self.parts), 2)

    @property
    def waiting(self) -> int:
        """Items, of those shown, that a human decides."""
        return sum(part.waiting for part in self.parts)

    @property
    def kept(self) -> float:
        """What lateness leaves, 0..1."""
        return self.terms.offering.share_kept(self.submission.submitted_at, self.terms.due_at)

    @property
    def final(self) -> float:
        """Points of what is shown, after what lateness costs."""
        return round(self.given * self.kept, 2)

    @property
    def days_late(self) -> int:
        """Days begun after the due date."""
        return self.terms.days_late(self.submission.submitted_at)


def view_submission(
    database: Database,
    assignments: Mapping[str, Assignment],
    actor: Actor,
    submission_id: str,
    now: datetime,
) -> SubmissionView:
    """The submission for its student or for staff. Raises `NotFound` for everybody else."""
    with database.read() as unit:
        report = find_report(unit, submission_id)
        submission, terms = report.filed.submission, report.terms
        is_staff = teaches_student(unit, actor, submission.course, submission.user)
        if not is_staff and submission.user != actor.id:
            raise NotFound(f"There is no submission {submission_id!r}.")
        place = submission.course, submission.assignment
        attempts = unit.standings.attempts_of(*place, [submission.user]).get(submission.user, [])
        asked = unit.regrade_requests.open_items_of([submission_id]).get(submission_id, frozenset())
    graded = submission.state is SubmissionState.GRADED and report.grade is not None
    known = assignments.get(submission.assignment)
    rubric_parts = known.rubric.parts if known else ()
    parts: tuple[PartView, ...] = ()
    if graded and report.grade is not None:
        parts = tuple(_group(report.grade.grade.items, rubric_parts, known))
        if not is_staff:
            parts = tuple(_hold_back(part, terms, now) for part in parts)
    counted = next((one for one in attempts if one.is_counted), None)
    # Which of several is best says something of points that are not released.
    tells = is_staff or len(attempts) == 1 or terms.offering.counts is Counts.LAST
    if not tells and not all(part.is_released for part in parts):
        counted = None
    if counted is not None and counted.submission_id != submission.id:
        parts = tuple(replace(part, unread=_find_unread(part, asked)) for part in parts)
    exercises = [part.key for part in rubric_parts if part.kind is PartKind.EXERCISE]
    shows_run = is_staff or all(terms.is_released(key, now) for key in exercises)
    cells = report.evidence.evidence.run.cells if graded and report.evidence else report.progress
    return SubmissionView(
        submission=submission,
        terms=terms,
        is_own=submission.user == actor.id,
        is_staff=is_staff,
        is_graded=graded,
        parts=parts,
        shows_run=shows_run,
        cells=cells if shows_run else tuple(map(_only_whether_run, cells)),
        report=report,
        counted=counted if graded else None,
    )


def teaches_student(unit: UnitOfWork, actor: Actor, course: str, user: str) -> bool:
    """Whether this person sees this student's work as staff of the course."""
    if not actor.teaches(course):
        return False
    sections = actor.sections_of(course)
    if sections is None:
        return True
    membership = unit.people.memberships_of(user).get(course)
    return membership is not None and membership.role is Role.STUDENT and bool(sections & membership.sections)


def _group(
    items: Sequence[ItemGrade], parts: Iterable[Part], assignment: Assignment | None
) -> Iterable[PartView]:
    """The grade's items by part, in the rubric's order; those of parts that the rubric lost come last."""
    owners = {item.key: item.part for item in assignment.rubric.items} if assignment else {}
    by_part: dict[str, list[ItemGrade]] = {part.key: [] for part in parts}
    named = {part.key: part for part in parts}
    for item in items:
        by_part.setdefault(owners.get(item.key, item.key.split(".")[0]), []).append(item)
    for key, own in by_part.items():
        part = named.get(key, Part(key, PartKind.SHORT_ANSWER, key, ""))
        if own:
            yield PartView(key, part.heading, part.title, part.kind, True, "", tuple(own))


def _hold_back(part: PartView, terms: Terms, now: datetime) -> PartView:
    if terms.is_released(part.key, now):
        return replace(part, items=tuple(map(_for_student, part.items)))
    return replace(part, is_released=False, released_when=terms.tell_release(part.key), items=())


def _find_unread(part: PartView, asked: Iterable[str]) -> frozenset[str]:
    return frozenset(item.key for item in part.items if item.state is ItemState.NEEDS_REVIEW) - set(asked)


def _for_student(item: ItemGrade) -> ItemGrade:
    kept: dict[str, Any] = {name: value for name, value in item.evidence.items() if name in _OF_STUDENTS}
    return replace(item, evidence=kept, confidence=None)


def _only_whether_run(cell: CellRun) -> CellRun:
    """That a cell had its turn, not how it ended."""
    state = cell.state if cell.state is CellState.NOT_RUN else CellState.OK
    return CellRun(cell.index, state)


def note_reading(database: Database, actor: Actor, view: SubmissionView, now: datetime) -> None:
    """Write down that staff looked at a student's submission."""
    if view.is_own:
        return
    with database.write() as unit:
        unit.audit.note(
            now, actor.id, "submission.read", course=view.submission.course, subject=view.submission.id
        )
        unit.commit()
