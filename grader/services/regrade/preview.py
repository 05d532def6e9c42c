"""What a regrade would do, exactly, before anybody does it. Nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from grader.assignments import Assignment
from grader.domain.grade import ItemState
from grader.domain.rubric import Part, Rubric
from grader.services.grades.standing import Reckoned, reckon
from grader.storage.standings import Mark, Standing
from grader.storage.unit_of_work import Database, UnitOfWork

from .judging import Judged
from .pool import judge_batches
from .stale import find_stale, make_token, read_cases, read_standard

MOST_SHOWN = 500
_EDGES = (-20.0, -10.0, -5.0, -2.0, -1.0, 0.0, 1.0, 2.0, 5.0, 10.0, 20.0)
_WAITS = ItemState.NEEDS_REVIEW.value
_DECIDED = ItemState.REVIEWED.value
_NOWHERE = Mark("", "", "", "", 0.0, 0.0, "", None, 1.0, is_audited=False, words_sha256="", choice="")


@dataclass(frozen=True, slots=True)
class Differences:
    """How points differ, over submissions or over one item of them."""

    rises: int
    falls: int
    same: int
    total: float  # sum of all differences
    least: float
    most: float
    steps: tuple[tuple[float | None, float | None, int], ...]  # above, up to (None: no end), how many


@dataclass(frozen=True, slots=True)
class ItemChange:
    """What becomes of one item, with what humans decided."""

    key: str
    max_points: float  # afterwards; 0: the item is gone
    differences: Differences
    waits_newly: int  # for a human
    waits_no_longer: int
    decided: int  # a human's mark stands, which no regrade changes


@dataclass(frozen=True, slots=True)
class Change:
    """One submission: points that count, after overrides and lateness."""

    submission_id: str
    user: str
    attempt: int  # the student's n-th
    course: str
    before: float
    after: float
    maximum_before: float
    maximum_after: float
    waiting_before: int
    waiting_after: int
    is_counted: bool  # of the student's attempts, as it stands now

    @property
    def difference(self) -> float:
        """Points more, or fewer."""
        return round(self.after - self.before, 2)


@dataclass(frozen=True, slots=True)
class Preview:
    """What publishing would do to the submissions of an assignment, or of one course's."""

    assignment: str
    rubric_sha256: str
    token: str  # by which publishing knows that nothing has changed since
    judged: int  # submissions that would get a new grade
    untouched: int
    differences: Differences
    items: tuple[ItemChange, ...]
    changes: tuple[Change, ...]  # a page of those with other points or other items that wait, largest first
    changed: int  # of these on all pages
    decided: int  # marks of humans, which stay as they are
    failed: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...] = ()


def preview(
    database: Database,
    assignment: Assignment,
    *,
    before: Rubric | None = None,
    course: str | None = None,
    limit: int = 50,
    offset: int = 0,
) -> Preview:
    """What `publish` would do under this rubric, which takes the place of ``before`` (None: is in use).

    ``course`` counts and shows one course's submissions alone; the rubric itself is for all courses.
    """
    rubric = assignment.rubric
    with database.read() as unit:
        heads = unit.grades.heads(rubric.id)
        standard = read_standard(unit, assignment, heads)
    shown = [head for head in heads if course in (None, head.course)]
    stale = find_stale(standard, shown)
    tally = _Tally()
    for judged in judge_batches(standard, read_cases(database, stale), len(stale)):
        tally.failed += [(one.head.submission_id, one.failure) for one in judged if one.failure]
        with database.read() as unit:
            tally.add(unit, [one for one in judged if not one.failure])
    return Preview(
        assignment=rubric.id,
        rubric_sha256=rubric.sha256,
        token=make_token(standard, (before or rubric).sha256, heads),
        judged=len(tally.changes),
        untouched=len(shown) - len(stale),
        differences=_differ(change.difference for change in tally.changes),
        items=tally.list_items(rubric),
        changes=tuple(tally.list_changes()[offset : offset + min(limit, MOST_SHOWN)]),
        changed=len(tally.list_changes()),
        decided=tally.decided.total(),
        failed=tuple(tally.failed),
        warnings=(*(_warn(before, rubric) if before else ()), *tally.warn()),
    )


@dataclass
class _Tally:
    """What the batches come to."""

    changes: list[Change] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    differences: dict[str, list[float]] = field(default_factory=dict)  # by item
    waits_newly: Counter[str] = field(default_factory=Counter)
    waits_no_longer: Counter[str] = field(default_factory=Counter)
    decided: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)  # marks of humans whose item is gone
    outgrown: Counter[tuple[str, float, float]] = field(default_factory=Counter)  # old and new points

    def add(self, unit: UnitOfWork, judged: Sequence[Judged]) -> None:
        """Count one batch: what stands now beside what would."""
        ids = [one.head.submission_id for one in judged]
        standings, marks = unit.standings.find_all(ids), unit.standings.marks_of(ids)
        for one in reckon(unit, {one.head.submission_id: one.outlined for one in judged}):
            submission = one.filed.submission.id
            stood = standings.get(submission)
            self.changes.append(_change(one, stood or replace(one.standing, final=0.0, waiting=0)))
            self._add_items({mark.item: mark for mark in marks.get(submission, [])}, one)

    def _add_items(self, before: dict[str, Mark], one: Reckoned) -> None:
        after = {mark.item: mark for mark in one.marks}
        for key in {**after, **before}:
            old, new = before.get(key, _NOWHERE), after.get(key, _NOWHERE)
            self.differences.setdefault(key, []).append(round(new.points - old.points, 2))
            self.waits_newly[key] += new.state == _WAITS != old.state
            self.waits_no_longer[key] += old.state == _WAITS != new.state
            self.decided[key] += new.state == _DECIDED
            if old.state == _DECIDED:
                self.lost[key] += new is _NOWHERE
                self.outgrown[key, old.max_points, new.max_points] += new.max_points > old.max_points

    def warn(self) -> Iterable[str]:
        """What becomes of marks that humans gave, where their item is not what it was."""
        for key, count in (+self.lost).items():
            yield (
                f"{key} is gone, and with it marks that people gave: {count}. They come back with an item of "
                "this key: keep it where only the title or the wording changes."
            )
        for (key, old, new), count in (+self.outgrown).items():
            yield (
                f"{key} is worth {new:g} points instead of {old:g}. Marks that people gave stay as many "
                f"points as they are, until people change them: {count}."
            )

    def list_changes(self) -> list[Change]:
        """Whoever gains or loses most first."""
        changed = [c for c in self.changes if c.difference or c.waiting_before != c.waiting_after]
        return sorted(changed, key=lambda c: (-abs(c.difference), c.submission_id))

    def list_items(self, rubric: Rubric) -> tuple[ItemChange, ...]:
        """In the rubric's order; what it no longer has at the end."""
        worth = {item.key: item.points for item in rubric.items}
        return tuple(
            ItemChange(
                key,
                worth.get(key, 0.0),
                _differ(self.differences.get(key, [])),
                self.waits_newly[key],
                self.waits_no_longer[key],
                self.decided[key],
            )
            for key in {**worth, **self.differences}
        )


def _change(one: Reckoned, stood: Standing) -> Change:
    now = one.standing
    return Change(
        submission_id=now.submission_id,
        user=now.user_id,
        attempt=one.filed.submission.attempt,
        course=now.course,
        before=stood.final,
        after=now.final,
        maximum_before=stood.maximum,
        maximum_after=now.maximum,
        waiting_before=stood.waiting,
        waiting_after=now.waiting,
        is_counted=now.is_counted,
    )


def _differ(differences: Iterable[float]) -> Differences:
    found = list(differences)
    steps: list[tuple[float | None, float | None, int]] = []
    for above, up_to in pairwise((None, *_EDGES, None)):
        count = sum(
            (above is None or value > above) and (up_to is None or value <= up_to) and value != 0
            for value in found
        )
        if count:
            steps.append((above, up_to, count))
    return Differences(
        rises=sum(value > 0 for value in found),
        falls=sum(value < 0 for value in found),
        same=sum(value == 0 for value in found),
        total=round(sum(found), 2),
        least=min(found, default=0.0),
        most=max(found, default=0.0),
        steps=tuple(steps),
    )


def _warn(before: Rubric, after: Rubric) -> Iterable[str]:
    """What stored evidence does not answer."""
    again = "stored submissions keep what was found under the old one; to apply it they must run again"
    if list(map(_placed, before.parts)) != list(map(_placed, after.parts)):
        yield f"Parts, their headings or their options change: {again}."
    if before.dataset != after.dataset:
        yield f"The data set changes: {again}."
    if before.latent_dims != after.latent_dims:
        yield f"latent_dims change: {again}."
    budgets = [part.budget for part in before.parts] != [part.budget for part in after.parts]
    limits = (before.run_limits, before.upload_limits) != (after.run_limits, after.upload_limits)
    seeds = before.policy.seed != after.policy.seed
    if budgets or limits or seeds or before.policy.attempts != after.policy.attempts:
        yield "Limits, budgets, attempts and the seed hold for what is handed in from now on."


def _placed(part: Part) -> Part:
    """As far as answers are found by it."""
    return replace(part, title="", budget=type(part.budget)())
