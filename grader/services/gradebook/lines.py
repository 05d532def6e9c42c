"""Read the gradebook: whose lines someone may see, in which order, with or without names."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from grader.assignments import Assignment
from grader.domain.gradebook import Book, GradebookRow, RowState, Selection, SortBy
from grader.domain.offering import Offering
from grader.domain.people import Actor
from grader.errors import NotFound, NotPermitted
from grader.services.gradebook.csv_files import Contents, Format, Sheet, count_contents
from grader.services.review.anonymity import Names, derive_pseudonym, find_names
from grader.storage.unit_of_work import Database, UnitOfWork

_NAMES_NOTED_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the gradebook and what stands around it."""

    rows: tuple[GradebookRow, ...]
    counts: dict[RowState, int]  # of everybody whom the search and the section leave, whatever the state
    contents: Contents  # of a file for an LMS of the same students, without provisional grades
    outdated: int  # graded ones whose points are out of another maximum than the rubric's
    total: int  # of the lines that this is a page of
    sections: tuple[str, ...]  # that may be chosen
    offering: Offering
    names_hidden: bool  # lines have pseudonyms for names then, and nothing else of the person


@dataclass(frozen=True, slots=True)
class Wish:
    """What of the gradebook is asked for."""

    selection: Selection = field(default_factory=Selection)
    sort: SortBy = SortBy.NAME
    descending: bool = False
    limit: int = 50
    offset: int = 0
    with_names: bool = False  # also while reviewers see none: for instructors, and noted
    with_items: bool = False


def read_gradebook(
    database: Database, actor: Actor, course: str, assignment: Assignment, wish: Wish, now: datetime
) -> Page:
    """One page. Raises `NotPermitted` for whoever does not teach the course."""
    with database.read() as unit:
        book = open_book(unit, course, assignment, now)
        offering = book.offering
        hidden = hides_names(actor, course, offering, with_names=wish.with_names)
        selection = narrow(actor, course, wish.selection)
        sort = wish.sort
        if hidden:  # neither a search nor an order may tell who is who
            selection = replace(selection, search="")
            sort = SortBy.SUBMISSION if sort in (SortBy.NAME, SortBy.SECTION) else sort
        tallies = unit.gradebook.tally(book, replace(selection, state=None))
        rows = unit.gradebook.page(
            book,
            selection,
            sort=sort,
            descending=wish.descending,
            limit=wish.limit,
            offset=wish.offset,
        )
        if wish.with_items:
            rows = unit.gradebook.with_items(rows)
        own = actor.sections_of(course)
        sections = [name for name in unit.people.sections(course) if own is None or name in own]
    if not hidden and offering.hides_names:
        note_names_shown(database, actor, course, book.assignment, now)
    names = find_names(database, course, book.assignment)
    counts: dict[RowState, int] = defaultdict(int)
    for tally in tallies:
        counts[tally.state] += tally.students
    state = selection.state
    maximum = assignment.rubric.maximum
    return Page(
        tuple(_hide_person(row, names) if hidden else row for row in rows),
        counts,
        count_contents(Sheet(Format.MOODLE, maximum), tallies),
        count_contents(Sheet(Format.GENERIC, maximum, provisional=True), tallies).outdated,
        sum(counts.values()) if state is None else counts.get(state, 0),
        tuple(sections),
        offering,
        hidden,
    )


def open_book(unit: UnitOfWork, course: str, assignment: Assignment, now: datetime) -> Book:
    """The assignment's gradebook as the course gives it now."""
    rubric = assignment.rubric
    parts = tuple(part.key for part in rubric.parts)
    return Book(course, rubric.id, unit.offerings.find(course, rubric.id), parts, now)


def find_row(unit: UnitOfWork, actor: Actor, book: Book, user: str) -> GradebookRow:
    """One student's line with its items. Raises `NotFound`, also for students whom one may not see."""
    rows = unit.gradebook.of(book, [user])
    own = actor.sections_of(book.course)
    if not rows or not (own is None or own & set(rows[0].sections)):
        raise NotFound("There is no such student here.")
    return unit.gradebook.with_items(rows)[0]


def narrow(actor: Actor, course: str, selection: Selection) -> Selection:
    """The same students, of the sections that someone looks after. Raises `NotPermitted`."""
    if not actor.teaches(course):
        raise NotPermitted("The gradebook is for the course's staff.")
    own = actor.sections_of(course)
    if own is None:
        return selection
    wanted = own if selection.sections is None else own & selection.sections
    return replace(selection, sections=wanted)


def hides_names(actor: Actor, course: str, offering: Offering, *, with_names: bool) -> bool:
    """Whether someone sees lines without persons: until publication, unless an instructor asks for them."""
    return offering.hides_names and not (with_names and actor.manages(course))


def note_names_shown(database: Database, actor: Actor, course: str, assignment: str, now: datetime) -> None:
    """Note in the audit log that someone sees names before publication; once an hour."""
    with database.write() as unit:
        last = unit.audit.page(
            course=course,
            subject=assignment,
            actor=actor.id,
            action="names.show",
            since=now - _NAMES_NOTED_EVERY,
            limit=1,
        )
        if not last:
            unit.audit.note(now, actor.id, "names.show", course=course, subject=assignment)
            unit.commit()


def _hide_person(row: GradebookRow, names: Names) -> GradebookRow:
    pseudonym = derive_pseudonym(names.secret, names.course, names.assignment, row.user)
    return replace(row, user="", name=pseudonym, login="", email="", sections=())
