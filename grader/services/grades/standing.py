"""What counts now of a submission, derived in the transaction that changes its grade, overrides or dates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from grader.domain.evidence import Evidence
from grader.domain.offering import Accommodation, Counts, Offering
from grader.domain.run import Verdict
from grader.services.grades.counted import expect, keep_counted, list_measured, waits
from grader.services.grades.marks import Outlined, hash_text, list_marks, outline
from grader.storage.classes.figures import Measured
from grader.storage.standings import Attempt, Mark, Standing
from grader.storage.submissions import Filed
from grader.storage.unit_of_work import UnitOfWork

_ENDED_WELL = (Verdict.OK, Verdict.CELL_ERROR)
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Reckoned:
    """What counts of one submission, and of each of its items in the grade's order."""

    filed: Filed
    standing: Standing
    marks: tuple[Mark, ...]
    models: tuple[Measured, ...] | None  # None: as they were known


def settle(unit: UnitOfWork, submission_id: str, *, code_sha256: str | None = None) -> None:
    """Write what counts now of one submission, and which of its student's attempts counts.

    Nothing happens before it is graded. ``code_sha256`` is of the notebook's code; None: as it was known.
    """
    settle_all(unit, [submission_id], {} if code_sha256 is None else {submission_id: code_sha256})


def settle_all(
    unit: UnitOfWork, submission_ids: Iterable[str], codes: Mapping[str, str] | None = None
) -> None:
    """The same of many, from their newest grades. Raises `EvidenceMissing` where one cannot be read."""
    ids = list(submission_ids)
    for start in range(0, len(ids), _CHUNK):
        stored = unit.grades.newest_of(ids[start : start + _CHUNK])
        settle_outlined(unit, {one: outline(grade) for one, grade in stored.items()}, codes)


def settle_outlined(
    unit: UnitOfWork, grades: Mapping[str, Outlined], codes: Mapping[str, str] | None = None
) -> None:
    """The same of many whose newest grades are known, by submission."""
    reckoned = reckon(unit, grades, codes)
    unit.standings.put([one.standing for one in reckoned], [mark for one in reckoned for mark in one.marks])
    for one in reckoned:
        if one.models is not None:
            unit.class_figures.put_measured(one.standing.submission_id, one.models)
    users: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in reckoned:
        users[one.standing.course, one.standing.assignment].add(one.standing.user_id)
    for (course, assignment), those in users.items():
        _choose_attempts(unit, course, assignment, those)


def reckon(
    unit: UnitOfWork, grades: Mapping[str, Outlined], codes: Mapping[str, str] | None = None
) -> list[Reckoned]:
    """What would count of these submissions under these grades; writes nothing.

    ``codes`` are sha256 of notebooks' code by submission, where they are new.
    """
    codes = codes or {}
    known, overrides = unit.standings.find_all(grades), unit.overrides.newest_of(grades)
    asked, rules = unit.regrade_requests.open_items_of(grades), _Rules(unit)
    reckoned = []
    for filed in unit.submissions.find_all(grades):
        one = filed.submission.id
        offering = rules.offering(filed)
        marks = tuple(
            list_marks(
                filed, grades[one].items, overrides.get(one, {}), offering, asked.get(one, frozenset())
            )
        )
        base = known.get(one) or _begin(filed)
        models = None
        if (one not in known or one in codes) and (evidence := unit.evidence.newest(one)) is not None:
            base = _describe(base, evidence.evidence)
            models = tuple(list_measured(evidence.evidence.models))
        words = sorted(mark.words_sha256 for mark in marks if mark.words_sha256)
        given, expected = sum(mark.points for mark in marks), sum(map(expect, marks))
        standing = replace(
            base,
            grade_id=grades[one].grade_id,
            text_sha256=hash_text("\n".join(words)),
            code_sha256=codes.get(one, base.code_sha256),
            maximum=grades[one].maximum,
            given=round(given, 2),
            expected=round(expected, 2),
            waiting=sum(map(waits, marks)),
        )
        standing = reckon_lateness(standing, filed.submission.submitted_at, rules.due_at(filed), offering)
        reckoned.append(Reckoned(filed, standing, marks, models))
    return reckoned


def pick_attempt(attempts: Iterable[Attempt], counts: Counts) -> Attempt:
    """The attempt that counts, of at least one. What waits for a human is reckoned with what is proposed."""
    if counts is Counts.LAST:
        return max(attempts, key=lambda one: one.attempt)
    return max(attempts, key=lambda one: (round(one.expected, 4), one.attempt))


def reckon_lateness(
    standing: Standing, submitted_at: datetime, due_at: datetime | None, offering: Offering
) -> Standing:
    """What lateness leaves of ``given`` and of what is expected, ``standing.expected`` being without it.

    ``due_at`` is the student's own due date.
    """
    kept = offering.share_kept(submitted_at, due_at)
    return replace(
        standing,
        final=round(standing.given * kept, 2),
        expected=round(standing.expected * kept, 2),
        late_days=offering.days_late(submitted_at, due_at),
    )


def hash_code(cells: Iterable[str]) -> str:
    """What two notebooks with the same code have in common: comments, blank lines and spaces aside."""
    lines = (line.split("#", 1)[0] for cell in cells for line in cell.splitlines())
    return hash_text("\n".join("".join(line.split()) for line in lines if line.strip()))


class _Rules:
    """How courses give assignments, read once each."""

    def __init__(self, unit: UnitOfWork) -> None:
        self._unit = unit
        self._offerings: dict[tuple[str, str], Offering] = {}
        self._held: dict[tuple[str, str], Mapping[str, Accommodation]] = {}

    def offering(self, filed: Filed) -> Offering:
        key = filed.submission.course, filed.submission.assignment
        if key not in self._offerings:
            self._offerings[key] = self._unit.offerings.find(*key)
            self._held[key] = self._unit.offerings.accommodations(*key)
        return self._offerings[key]

    def due_at(self, filed: Filed) -> datetime | None:
        offering = self.offering(filed)
        submission = filed.submission
        held = self._held[submission.course, submission.assignment]
        return offering.due_for(held.get(submission.user))


def _choose_attempts(unit: UnitOfWork, course: str, assignment: str, users: Iterable[str]) -> None:
    """Say which of each student's attempts counts."""
    offering = unit.offerings.find(course, assignment)
    counted = []
    for user, attempts in unit.standings.attempts_of(course, assignment, users).items():
        best = pick_attempt(attempts, offering.counts)
        counted.append(best.submission_id)
        if any(one.is_counted != (one is best) for one in attempts):
            unit.standings.count_only(course, assignment, user, best.submission_id)
    keep_counted(unit, counted)


def _begin(filed: Filed) -> Standing:
    submission = filed.submission
    return Standing(
        submission_id=submission.id,
        course=submission.course,
        assignment=submission.assignment,
        user_id=submission.user,
        grade_id=0,
        given=0.0,
        final=0.0,
        expected=0.0,
        maximum=0.0,
        waiting=0,
        is_counted=False,
        crashed=False,
        seconds=0.0,
        text_sha256="",
        code_sha256="",
    )


def _describe(base: Standing, evidence: Evidence) -> Standing:
    run = evidence.run
    return replace(base, crashed=run.verdict not in _ENDED_WELL, seconds=round(run.seconds, 3))
