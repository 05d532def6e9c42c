"""The queue of answers that wait, as one reviewer sees it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from grader.domain.grade import ItemState
from grader.domain.people import Actor
from grader.errors import RequestRefused
from grader.services.review.access import Desk, find_assignment, limit_scope
from grader.services.review.anonymity import Names, find_names
from grader.storage.review.queue import Entry, Order, Scope, place
from grader.storage.unit_of_work import UnitOfWork

_EXCERPT = 300
_SHAPES = {Order.DOUBT: (float, str, str), Order.ITEM: (str, str, str)}


@dataclass(frozen=True, slots=True)
class Listed:
    """One answer as the queue shows it."""

    submission_id: str
    item: str
    student: str  # a pseudonym, or a name where the course does not hide it
    excerpt: str
    points: float
    max_points: float
    proposed: float | None
    doubt: float
    why: tuple[str, ...]  # "review", "audit", "request"
    same_words: int  # waiting answers with these words, this one too; 0: nothing is written
    group: str  # what they have in common, for a scope
    held: str  # "you", "another", ""
    cursor: str  # for what comes after it


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the queue. ``cursor`` is for the next page; None: this is the last."""

    entries: tuple[Listed, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class View:
    """A queue as one reviewer may see it. Made by `open_queue`."""

    actor: Actor
    scope: Scope
    order: Order
    items: tuple[str, ...]  # the rubric's, in its order
    names: Names

    def walk(
        self,
        unit: UnitOfWork,
        now: datetime,
        limit: int,
        *,
        after: Sequence[object] | None = None,
        free_for: str | None = None,
    ) -> list[Entry]:
        """The next entries of the queue."""
        if self.order is Order.DOUBT or self.scope.item is not None:
            return unit.review_queue.page(
                self.scope, self.order, now, after=after, limit=limit, free_for=free_for
            )
        items = self.sort(unit.review_queue.items(self.scope))
        if after is not None:
            items = items[items.index(str(after[0])) :] if after[0] in items else []
        found: list[Entry] = []
        for item in items:
            here = replace(self.scope, item=item)
            start = after if after is not None and after[0] == item else None
            found += unit.review_queue.page(
                here, self.order, now, after=start, limit=limit - len(found), free_for=free_for
            )
            if len(found) >= limit:
                break
        return found

    def sort(self, items: Iterable[str]) -> list[str]:
        """Items in the rubric's order; those that only an older version knows come last."""
        known = {item: at for at, item in enumerate(self.items)}
        return sorted(items, key=lambda item: (known.get(item, len(known)), item))

    def describe(self, unit: UnitOfWork, entries: Sequence[Entry]) -> list[Listed]:
        """Entries as they are shown."""
        texts: dict[tuple[int, str], str] = {}
        for item in {entry.item for entry in entries}:
            grades = [entry.grade_id for entry in entries if entry.item == item]
            texts |= {(grade, item): text for grade, text in unit.grades.texts(grades, item).items()}
        alike = unit.review_queue.count_alike(self.scope, entries)
        return [
            Listed(
                submission_id=entry.submission_id,
                item=entry.item,
                student=self.names.of(unit, entry.user_id),
                excerpt=texts.get((entry.grade_id, entry.item), "")[:_EXCERPT],
                points=entry.points,
                max_points=entry.max_points,
                proposed=entry.proposed,
                doubt=entry.doubt,
                why=tell_why(entry),
                same_words=alike.get((entry.item, entry.words_sha256), 0),
                group=entry.words_sha256,
                held=tell_holder(entry, self.actor),
                cursor=_write_cursor(entry, self.order),
            )
            for entry in entries
        ]


def open_queue(desk: Desk, actor: Actor, scope: Scope, order: Order) -> View:
    """The queue within what the actor may see. Raises `NotPermitted` and `NotFound` (the assignment)."""
    scope = limit_scope(actor, scope)
    rubric = find_assignment(desk, scope.assignment).rubric
    names = find_names(desk.database, scope.course, scope.assignment)
    return View(actor, scope, order, tuple(item.key for item in rubric.items), names)


def list_queue(
    desk: Desk, actor: Actor, scope: Scope, order: Order, cursor: str | None = None, limit: int = 50
) -> Page:
    """What waits, from the cursor on. Raises as `open_queue`, and `RequestRefused` for a wrong cursor."""
    view, seen = open_queue(desk, actor, scope, order), read_cursor(cursor, order)
    with desk.database.read() as unit:
        found = view.walk(unit, desk.clock(), limit + 1, after=seen)
        listed = view.describe(unit, found[:limit])
    return Page(tuple(listed), listed[-1].cursor if len(found) > limit else None)


def count_queue(desk: Desk, actor: Actor, scope: Scope) -> dict[str, int]:
    """How many answers wait, by item, in the rubric's order."""
    view = open_queue(desk, actor, scope, Order.ITEM)
    with desk.database.read() as unit:
        counted = unit.review_queue.count(view.scope)
    return {item: counted[item] for item in view.sort(counted)}


def tell_why(entry: Entry) -> tuple[str, ...]:
    """Why an answer is in the queue; empty where it is not."""
    causes = {
        "review": entry.state == ItemState.NEEDS_REVIEW.value,
        "audit": entry.is_audited,
        "request": entry.is_asked,
    }
    return tuple(name for name, holds in causes.items() if holds)


def tell_holder(entry: Entry, actor: Actor) -> str:
    """Who looks at it now, without a name."""
    if entry.holder is None:
        return ""
    return "you" if entry.holder == actor.id else "another"


def read_cursor(cursor: str | None, order: Order) -> tuple[object, ...] | None:
    """The place that a cursor names. Raises `RequestRefused` for one that this queue did not give."""
    if cursor is None:
        return None
    try:
        given, *values = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except ValueError:
        given, values = None, []
    shape = _SHAPES[order]
    if given != order.value or len(values) != len(shape) or not all(map(isinstance, values, shape)):
        raise RequestRefused("This cursor is none of this queue's order: begin again without one.")
    return tuple(values)


def _write_cursor(entry: Entry, order: Order) -> str:
    return base64.urlsafe_b64encode(json.dumps([order.value, *place(entry, order)]).encode()).decode()
