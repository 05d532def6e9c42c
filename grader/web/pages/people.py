"""Who takes part in a course: for its instructors."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from grader.domain.people import Role
from grader.errors import NotFound, RequestRefused
from grader.services.people.administration import clean
from grader.services.people.invitations import (
    Invitation,
    invite_member,
    invite_newcomers,
    may_invite,
    write_links,
)
from grader.services.people.roster import enrol_one, remove_member
from grader.services.people.roster_file import Entry, read_role
from grader.storage.people.roster import SORTS, Wanted
from grader.web.deps import Deps, get_deps
from grader.web.pages.access import get_form, read_field
from grader.web.pages.paging import PER_PAGE, Paging
from grader.web.pages.places import CoursePlace, get_managed_course
from grader.web.pages.rendering import HEADERS, render

router = APIRouter(include_in_schema=False, prefix="/courses/{course}")

_DONE = {
    "saved": "Saved.",
    "removed": "Removed from the course. What they handed in stays.",
    "imported": "The roster is applied. Who has no password yet needs an invitation link.",
}
_MOST_PAGES = 10_000


@router.get("/people")
def show_people(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    course: Annotated[CoursePlace, Depends(get_managed_course)],
    q: Annotated[str, Query(max_length=255)] = "",
    role: str = "",
    section: Annotated[str, Query(max_length=255)] = "",
    sort: str = "name",
    page: Annotated[int, Query(ge=1, le=_MOST_PAGES)] = 1,
    done: str = "",
    person: Annotated[str, Query(max_length=255)] = "",
) -> Response:
    """The people of a course, a page at a time. ``person``: who was added just now."""
    sort = sort if sort.removeprefix("-") in SORTS else "name"
    wanted = Wanted(q, read_role(role), clean(section), sort)
    with deps.database.read() as unit:
        members, count = unit.roster.page(course.id, wanted, (page - 1) * PER_PAGE, PER_PAGE)
        sections, roles = unit.people.sections(course.id), unit.roster.roles(course.id)
        new, linked = unit.invitations.count_newcomers(course.id, deps.clock())
        added = unit.roster.find(course.id, person) if person else None
        courses = unit.roster.courses_ever([person])[person]
    return render(
        request,
        "people.html",
        course.visitor,
        course=course,
        tab="people",
        members=members,
        sections=sections,
        roles={role.value: roles.get(role, 0) for role in Role},
        wanted=wanted,
        paging=Paging(page, count, {"q": q, "role": role, "section": section, "sort": sort}),
        done=_DONE.get(done, ""),
        new=new,
        linked=linked,
        added=added,
        may_invite=added is not None and may_invite(course.visitor.actor, added, courses),
    )


@router.post("/people")
def add_person(
    deps: Annotated[Deps, Depends(get_deps)],
    course: Annotated[CoursePlace, Depends(get_managed_course)],
    form: Annotated[FormData, Depends(get_form)],
) -> Response:
    """Add one person, with an account where they have none."""
    entry = _read_entry(form, read_field(form, "user_id"))
    enrol_one(deps.database, course.visitor.actor, course.id, entry, deps.clock())
    return RedirectResponse(f"{_path(course)}?{urlencode({'person': entry.user_id})}", 303)


@router.get("/people/{person}")
def show_person(
    request: Request,
    person: str,
    deps: Annotated[Deps, Depends(get_deps)],
    course: Annotated[CoursePlace, Depends(get_managed_course)],
    done: str = "",
) -> Response:
    """One member: role, sections, and what else may be changed."""
    with deps.database.read() as unit:
        member = unit.roster.find(course.id, person)
        sections = unit.people.sections(course.id)
        courses = unit.roster.courses_ever([person])[person]
    if member is None:
        raise NotFound("Nobody with this id takes part in the course.")
    actor = course.visitor.actor
    return render(
        request,
        "person.html",
        course.visitor,
        course=course,
        tab="people",
        member=member,
        sections=sections,
        is_self=person == actor.id,
        may_invite=may_invite(actor, member, courses),
        may_rename=not member.person.is_admin and (actor.is_admin or all(map(actor.manages, courses))),
        done=_DONE.get(done, ""),
    )


@router.post("/people/{person}")
def change_person(
    person: str,
    deps: Annotated[Deps, Depends(get_deps)],
    course: Annotated[CoursePlace, Depends(get_managed_course)],
    form: Annotated[FormData, Depends(get_form)],
) -> Response:
    """Change somebody's role and sections, and their name where the account is of this course alone."""
    with deps.database.read() as unit:
        if unit.roster.find(course.id, person) is None:
            raise NotFound("Nobody with this id takes part in the course.")
    enrol_one(deps.database, course.visitor.actor, course.id, _read_entry(form, person), deps.clock())
    return RedirectResponse(f"{_path(course)}/{quote(person, safe='')}?done=saved", 303)


@router.post("/people/{person}/remove")
def remove_person(
    person: str,
    deps: Annotated[Deps, Depends(get_deps)],
    course: Annotated[CoursePlace, Depends(get_managed_course)],
    _form: Annotated[FormData, Depends(get_form)],
) -> Response:
    """End somebody's part in the course."""
    remove_member(deps.database, course.visitor.actor, course.id, person, deps.clock())
    return _to_people(course, "removed")


@router.post("/people/{person}/invitation")
def invite_person(
    request: Request,
    person: str,
    deps: Annotated[Deps, Depends(get_deps)],
    course: Annotated[CoursePlace, Depends(get_managed_course)],
    _form: Annotated[FormData, Depends(get_form)],
) -> Response:
    """Make a link for one, shown here and never again."""
    link = invite_member(deps.database, course.visitor.actor, course.id, person, deps.clock())
    return _show_links(request, course, [link])


@router.post("/invitations")
def invite_people(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    course: Annotated[CoursePlace, Depends(get_managed_course)],
    form: Annotated[FormData, Depends(get_form)],
) -> Response:
    """Make links for who has neither a password nor, unless ``anew``, a link: a page, or a file."""
    anew = read_field(form, "anew") == "yes"
    links = invite_newcomers(deps.database, course.visitor.actor, course.id, deps.clock(), anew=anew)
    if read_field(form, "as") != "csv":
        return _show_links(request, course, links)
    headers = {**HEADERS, "Content-Disposition": 'attachment; filename="invitations.csv"'}
    text = write_links(links, str(request.base_url))
    return Response(text.encode("utf-8-sig"), 200, headers, media_type="text/csv; charset=utf-8")


def _show_links(request: Request, course: CoursePlace, links: list[Invitation]) -> Response:
    return render(
        request,
        "links.html",
        course.visitor,
        course=course,
        tab="people",
        links=links,
        base=str(request.base_url).rstrip("/"),
        text=write_links(links, str(request.base_url)),
    )


def _read_entry(form: FormData, person: str) -> Entry:
    role = read_role(read_field(form, "role"))
    if role is None:
        raise RequestRefused("Choose a role: student, ta or instructor.")
    sections = re.split(r"[;,\n]", read_field(form, "sections"))
    return Entry(
        0,
        person,
        read_field(form, "name"),
        read_field(form, "email"),
        read_field(form, "login"),
        role,
        frozenset(section.strip() for section in sections if section.strip()),
    )


def _path(course: CoursePlace) -> str:
    return f"/courses/{quote(course.id, safe='')}/people"


def _to_people(course: CoursePlace, done: str) -> Response:
    return RedirectResponse(f"{_path(course)}?done={done}", 303)
