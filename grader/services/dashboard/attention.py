"""Short lists of what a teacher should look at: slow, crashed, failed, and alike."""

from __future__ import annotations

from dataclasses import dataclass

from grader.domain.passages import MOST_RARE, usual_above
from grader.domain.run import CellState, NotebookRun
from grader.errors import EvidenceMissing
from grader.notebooks.read import read_notebook
from grader.services.dashboard.scope import Scope
from grader.services.grades.standing import hash_code
from grader.storage.classes.lists import Named
from grader.storage.classes.resemblances import Resemblance, SameHash
from grader.storage.unit_of_work import Database, UnitOfWork

_MOST = 8
_MOST_PAIRS = 20


@dataclass(frozen=True, slots=True)
class Crashed:
    """A run that did not reach its end, and why."""

    submission: Named
    verdict: str  # "memory_limit", …; "" where its evidence cannot be read
    error: str  # the name of the first error; ""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two submissions to be looked at together."""

    one: Named
    other: Named
    found: Resemblance


@dataclass(frozen=True, slots=True)
class Equal:
    """Submissions of several students with the same words, or the same code."""

    kind: str  # "text" or "code"
    students: int
    some: tuple[Named, ...]


@dataclass(frozen=True, slots=True)
class Attention:
    """The lists, each cut to its first few."""

    slow: tuple[Named, ...]
    crashed: tuple[Crashed, ...]
    failed: tuple[Named, ...]
    equal: tuple[Equal, ...]
    pairs: tuple[Pair, ...]
    more_pairs: int  # that are less alike


def read_attention(database: Database, scope: Scope) -> Attention:
    """The lists in scope."""
    place = (scope.course, scope.id, scope.sections)
    with database.read() as unit:
        lists, pairs = unit.class_lists, _pairs(unit, scope)
        return Attention(
            tuple(map(scope.call, lists.slowest(*place, _MOST))),
            tuple(_explain(unit, scope.call(one)) for one in lists.crashed(*place, _MOST)),
            tuple(map(scope.call, lists.failed(*place, _MOST))),
            _equal(unit, scope),
            pairs,
            unit.resemblances.count_pairs(*place) - len(pairs),
        )


def _explain(unit: UnitOfWork, submission: Named) -> Crashed:
    try:
        stored = unit.evidence.newest(submission.id)
    except EvidenceMissing:
        stored = None
    if stored is None:
        return Crashed(submission, "", "")
    run = stored.evidence.run
    return Crashed(submission, run.verdict.value, name_first_error(run))


def name_first_error(run: NotebookRun) -> str:
    """Its name without its words, which may be a student's: "ValueError"."""
    failed = (cell for cell in run.cells if cell.state in (CellState.ERROR, CellState.TIMEOUT))
    first = next(failed, None)
    if first is None:
        return ""
    return first.error.split(":", 1)[0][:60] if first.error else first.state.value


def _equal(unit: UnitOfWork, scope: Scope) -> tuple[Equal, ...]:
    """Equal code that many have is the class's own, as in `services.resemblance`; equal words never."""
    template = read_notebook(scope.assignment.template, scope.assignment.rubric.upload_limits)
    untouched = hash_code(cell.source for cell in template.code_cells)
    usual = usual_above(unit.class_figures.students(scope.course, scope.id, 10 * MOST_RARE))
    found: list[tuple[str, SameHash]] = []
    for kind in ("text", "code"):
        groups = unit.resemblances.equal(scope.course, scope.id, scope.sections, f"{kind}_sha256", 2 * _MOST)
        found += [(kind, group) for group in groups]
    kept = [
        (kind, group)
        for kind, group in found
        if kind == "text" or (group.students <= usual and group.value != untouched)
    ][:_MOST]
    named = unit.class_lists.name([one for _, group in kept for one in group.submission_ids])
    return tuple(
        Equal(kind, group.students, tuple(scope.call(named[one]) for one in group.submission_ids))
        for kind, group in kept
    )


def _pairs(unit: UnitOfWork, scope: Scope) -> tuple[Pair, ...]:
    """The likest pair of each two students, by kind."""
    found = unit.resemblances.pairs(scope.course, scope.id, scope.sections, 4 * _MOST_PAIRS)
    named = unit.class_lists.name([one for pair in found for one in (pair.submission_id, pair.other_id)])
    seen, pairs = set(), []
    for pair in found:
        one, other = named[pair.submission_id], named[pair.other_id]
        who = (frozenset((one.user, other.user)), pair.kind)
        if who not in seen:
            seen.add(who)
            pairs.append(Pair(scope.call(one), scope.call(other), pair))
    return tuple(pairs[:_MOST_PAIRS])
