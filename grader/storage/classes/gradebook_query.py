"""How the gradebook is asked of the database: joins are made only where an order or a filter needs them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from grader.domain.gradebook import Book, RowState, Selection, SortBy
from grader.domain.offering import Release
from grader.domain.people import Role
from grader.storage.classes.figures import in_class, newest_accommodations
from grader.storage.tables.people import accommodation, member, member_section, person
from grader.storage.tables.review import mark, standing
from grader.storage.tables.submissions import submission, work


def who_has_lines(
    course: str, assignment: str, users: Sequence[str] | None = None
) -> sa.CompoundSelect[tuple[str]]:
    """The ids of all students of the roster and of all who handed in, but for staff and removed members."""
    handed_in = sa.select(submission.c.user_id.label("user")).where(
        submission.c.course == course,
        submission.c.assignment == assignment,
        in_class(submission.c.user_id, course),
    )
    roster = sa.select(member.c.person_id.label("user")).where(
        member.c.course == course, member.c.role == Role.STUDENT.value, member.c.removed_at.is_(None)
    )
    if users is not None:
        handed_in = handed_in.where(submission.c.user_id.in_(users))
        roster = roster.where(member.c.person_id.in_(users))
    return sa.union(roster, handed_in)


class Lines:
    """Queries about the lines of one gradebook: of the class's students, and of nobody else."""

    def __init__(self, book: Book, users: Sequence[str] | None = None) -> None:
        """``users`` None: all of them."""
        course, assignment = book.course, book.assignment
        self._book, self._course, self._assignment = book, course, assignment
        newest = sa.select(
            submission.c.user_id,
            sa.func.max(submission.c.attempt).label("attempt"),
            sa.func.count().label("attempts"),
        ).where(submission.c.course == course, submission.c.assignment == assignment)
        if users is not None:
            newest = newest.where(submission.c.user_id.in_(users))
        self._people = who_has_lines(course, assignment, users).subquery("people")
        self._newest = newest.group_by(submission.c.user_id).subquery("newest")
        self._last = submission.alias("last")
        self._work = work.alias("last_work")
        self._counted = submission.alias("counted")
        self._held = (
            sa.select(accommodation.c.user_id, accommodation.c.due_at, accommodation.c.is_excused)
            .where(accommodation.c.id.in_(newest_accommodations(course, assignment)))
            .subquery("held")
        )
        self._user = self._people.c.user

    def users(
        self, selection: Selection, sort: SortBy, descending: bool, limit: int | None, offset: int
    ) -> sa.Select[Any]:
        """The ids of the students in this order."""
        query = self._narrow(self._from(self._needed(selection, sort), [self._user]), selection)
        return query.order_by(*self._order(sort, descending)).limit(limit).offset(offset)

    def whole(self) -> sa.Select[Any]:
        """Whole lines, in no order."""
        return self._from(_ALL, self._columns())

    def tally(self, selection: Selection) -> sa.Select[Any]:
        """How many lines have the same of what `Tally` says."""
        needed = {"standing", "held", *({"person"} if selection.search else ())}
        same = [self._state(), self._is_excused(), standing.c.maximum]
        query = self._from(needed, [*same, sa.func.count()])
        return self._narrow(query, selection).group_by(sa.text("1"), sa.text("2"), sa.text("3"))

    def _needed(self, selection: Selection, sort: SortBy) -> set[str]:
        needed = set(_NEEDED[sort])
        if selection.search:
            needed |= {"person"}
        if selection.state is not None:
            needed |= {"standing", "held"}
        return needed

    def _from(self, needed: set[str] | frozenset[str], columns: list[Any]) -> sa.Select[Any]:
        joined: sa.FromClause = self._people
        if "person" in needed:
            joined = joined.outerjoin(person, person.c.id == self._user)
        if "newest" in needed:
            joined = joined.outerjoin(self._newest, self._newest.c.user_id == self._user)
            joined = joined.outerjoin(self._last, self._is(self._last, self._newest.c.attempt))
            joined = joined.outerjoin(self._work, self._work.c.submission_id == self._last.c.id)
        if needed & {"standing", "counted"}:
            joined = joined.outerjoin(
                standing,
                sa.and_(
                    standing.c.course == self._course,
                    standing.c.assignment == self._assignment,
                    standing.c.user_id == self._user,
                    standing.c.is_counted,
                ),
            )
        if "counted" in needed:
            joined = joined.outerjoin(self._counted, self._counted.c.id == standing.c.submission_id)
        if "held" in needed:
            joined = joined.outerjoin(self._held, self._held.c.user_id == self._user)
        return sa.select(*columns).select_from(joined)

    def _is(self, handed_in: Any, attempt: Any) -> sa.ColumnElement[bool]:
        return sa.and_(
            handed_in.c.course == self._course,
            handed_in.c.assignment == self._assignment,
            handed_in.c.user_id == self._user,
            handed_in.c.attempt == attempt,
        )

    def _narrow(self, query: sa.Select[Any], selection: Selection) -> sa.Select[Any]:
        if selection.sections is not None:
            inside = sa.select(member_section.c.person_id).where(
                member_section.c.course == self._course,
                member_section.c.section.in_(sorted(selection.sections)),
            )
            query = query.where(self._user.in_(inside))
        if selection.state is not None:
            query = query.where(self._state() == selection.state.value)
        for word in selection.search.split():
            fields = (person.c.name, person.c.login, person.c.email, self._user)
            query = query.where(
                sa.or_(*(field.icontains(word, autoescape=True) for field in fields)),
            )
        return query

    def _order(self, sort: SortBy, descending: bool) -> list[sa.ColumnElement[Any]]:
        name = sa.func.lower(sa.func.coalesce(person.c.name, self._user))
        by: sa.ColumnElement[Any] = {
            SortBy.NAME: name,
            SortBy.SECTION: sa.select(sa.func.min(member_section.c.section))
            .where(member_section.c.course == self._course, member_section.c.person_id == self._user)
            .scalar_subquery(),
            SortBy.STATE: self._rank(),
            SortBy.FINAL: standing.c.final,
            SortBy.GIVEN: standing.c.given,
            SortBy.WAITING: standing.c.waiting,
            SortBy.LATE: standing.c.late_days,
            SortBy.ATTEMPT: self._counted.c.attempt,
            SortBy.SUBMITTED: self._counted.c.submitted_at,
            SortBy.EXTENSION: self._held.c.due_at,
            SortBy.SUBMISSION: standing.c.submission_id,
        }[sort]
        ordered: list[sa.ColumnElement[Any]] = [by.desc() if descending else by.asc()]
        if sort not in _NEVER_NULL:
            ordered.insert(0, by.is_(None))  # last, whichever way it is sorted
        return [*ordered, self._user]

    def _state(self) -> sa.Label[str]:
        # The newest attempt's work is looked up only where nothing is graded: cases are tried in order.
        newest = (
            sa.select(work.c.state)
            .join(submission, submission.c.id == work.c.submission_id)
            .where(
                submission.c.course == self._course,
                submission.c.assignment == self._assignment,
                submission.c.user_id == self._user,
            )
            .order_by(submission.c.attempt.desc())
            .limit(1)
            .scalar_subquery()
        )
        is_graded = standing.c.submission_id.is_not(None)
        ungraded = sa.case(
            {"failed": _literal(RowState.FAILED), "": _literal(RowState.NOT_SUBMITTED)},
            value=sa.func.coalesce(newest, ""),
            else_=_literal(RowState.QUEUED),
        )
        return sa.case(
            (standing.c.waiting > 0, _literal(RowState.WAITING)),
            (sa.and_(is_graded, self._released()), _literal(RowState.PUBLISHED)),
            (is_graded, _literal(RowState.FINAL)),
            else_=ungraded,
        ).label("state")

    def _rank(self) -> sa.ColumnElement[int]:
        return sa.case(
            {state.value: place for place, state in enumerate(RowState)}, value=self._state().element
        )

    def _released(self) -> sa.ColumnElement[bool]:
        """Whether this student sees all points now."""
        offering, releases, now = self._book.offering, self._book.releases, self._book.now
        if offering.published_at is not None or releases == {Release.AT_ONCE}:
            return sa.true()
        if Release.WHEN_PUBLISHED in releases:
            return sa.false()
        if offering.due_at is None:
            return sa.true()
        if offering.due_at > now:
            return sa.false()
        return sa.or_(self._held.c.due_at.is_(None), self._held.c.due_at <= now)

    def _is_excused(self) -> sa.Label[bool]:
        return sa.func.coalesce(self._held.c.is_excused, sa.false()).label("is_excused")

    def _columns(self) -> list[Any]:
        overridden = (
            sa.select(sa.literal(1))
            .where(mark.c.submission_id == standing.c.submission_id, mark.c.state == "reviewed")
            .exists()
        )
        empty = sa.literal("")
        return [
            self._user.label("user"),
            sa.func.coalesce(person.c.name, empty).label("name"),
            sa.func.coalesce(person.c.login, empty).label("login"),
            sa.func.coalesce(person.c.email, empty).label("email"),
            self._state(),
            sa.func.coalesce(self._work.c.state, empty).label("newest_state"),
            sa.func.coalesce(standing.c.submission_id, empty).label("submission_id"),
            sa.func.coalesce(self._counted.c.attempt, 0).label("attempt"),
            sa.func.coalesce(self._newest.c.attempts, 0).label("attempts"),
            self._counted.c.submitted_at.label("submitted_at"),
            standing.c.given.label("given"),
            standing.c.final.label("final"),
            standing.c.maximum.label("maximum"),
            sa.func.coalesce(standing.c.waiting, 0).label("waiting"),
            sa.func.coalesce(standing.c.late_days, 0).label("late_days"),
            self._is_excused(),
            self._held.c.due_at.label("extended_to"),
            overridden.label("is_overridden"),
        ]


def _literal(state: RowState) -> sa.ColumnElement[str]:
    return sa.literal_column(f"'{state.value}'", sa.String)


_ALL = frozenset({"person", "newest", "standing", "counted", "held"})
_NEVER_NULL = frozenset({SortBy.NAME, SortBy.STATE})
_NEEDED: dict[SortBy, frozenset[str]] = {
    SortBy.NAME: frozenset({"person"}),
    SortBy.SECTION: frozenset(),
    SortBy.STATE: frozenset({"standing", "held"}),
    SortBy.FINAL: frozenset({"standing"}),
    SortBy.GIVEN: frozenset({"standing"}),
    SortBy.WAITING: frozenset({"standing"}),
    SortBy.LATE: frozenset({"standing"}),
    SortBy.ATTEMPT: frozenset({"standing", "counted"}),
    SortBy.SUBMITTED: frozenset({"standing", "counted"}),
    SortBy.EXTENSION: frozenset({"held"}),
    SortBy.SUBMISSION: frozenset({"standing"}),
}
