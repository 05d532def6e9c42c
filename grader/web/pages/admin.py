"""What admins look after: courses and accounts."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from grader.errors import NotPermitted, RequestRefused
from grader.services.people import administration
from grader.services.people.sessions import Visitor
from grader.web.deps import Deps, get_deps
from grader.web.pages.access import get_form, get_visitor, read_field
from grader.web.pages.paging import PER_PAGE, Paging
from grader.web.pages.rendering import render

router = APIRouter(include_in_schema=False, prefix="/admin")

_DONE = {
    "course": "The course is made.",
    "title": "The title is changed.",
    "disabled": "The account is disabled. Its sessions and links have ended.",
    "enabled": "The account is enabled.",
    "admin": "They are an admin now.",
    "no-admin": "They are no admin any more.",
}


@router.get("")
def show_administration(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    visitor: Annotated[Visitor, Depends(get_visitor)],
    q: Annotated[str, Query(max_length=255)] = "",
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
    done: str = "",
) -> Response:
    """Courses, and a search for people."""
    return _show(request, deps, visitor, q, page, done=_DONE.get(done, ""))


@router.post("/courses")
def add_course(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    visitor: Annotated[Visitor, Depends(get_visitor)],
    form: Annotated[FormData, Depends(get_form)],
) -> Response:
    """Make a course."""
    course, title = read_field(form, "id"), read_field(form, "title")
    try:
        administration.add_course(deps.database, visitor.actor, course, title, deps.clock())
    except NotPermitted:
        raise
    except RequestRefused as error:
        return _show(request, deps, visitor, new=(course, title), wrong=str(error))
    return RedirectResponse("/admin?done=course", 303)


@router.post("/courses/{course}")
def retitle_course(
    course: str,
    deps: Annotated[Deps, Depends(get_deps)],
    visitor: Annotated[Visitor, Depends(get_visitor)],
    form: Annotated[FormData, Depends(get_form)],
) -> Response:
    """Change a course's title."""
    administration.change_course(
        deps.database, visitor.actor, course, read_field(form, "title"), deps.clock()
    )
    return RedirectResponse("/admin?done=title", 303)


@router.get("/people/{person}")
def show_account(
    request: Request,
    person: str,
    deps: Annotated[Deps, Depends(get_deps)],
    visitor: Annotated[Visitor, Depends(get_visitor)],
    done: str = "",
) -> Response:
    """One account: what it takes part in, and what can be done about it."""
    found, memberships = administration.find_person(deps.database, visitor.actor, person)
    return render(
        request,
        "admin_person.html",
        visitor,
        person=found,
        memberships=memberships.values(),
        done=_DONE.get(done, ""),
    )


@router.post("/people/{person}/invitation")
def invite_person(
    request: Request,
    person: str,
    deps: Annotated[Deps, Depends(get_deps)],
    visitor: Annotated[Visitor, Depends(get_visitor)],
    _form: Annotated[FormData, Depends(get_form)],
) -> Response:
    """Make a link by which somebody chooses a password, also anew. It is shown once."""
    link = administration.invite_person(deps.database, visitor.actor, person, deps.clock())
    return render(
        request,
        "admin_link.html",
        visitor,
        person=link.person,
        address=str(request.base_url).rstrip("/") + link.path,
    )


@router.post("/people/{person}/disabled")
def disable_person(
    person: str,
    deps: Annotated[Deps, Depends(get_deps)],
    visitor: Annotated[Visitor, Depends(get_visitor)],
    form: Annotated[FormData, Depends(get_form)],
) -> Response:
    """Shut an account, or open it again."""
    disabled = read_field(form, "to") == "yes"
    administration.set_disabled(deps.database, visitor.actor, person, deps.clock(), disabled=disabled)
    return _to_account(person, "disabled" if disabled else "enabled")


@router.post("/people/{person}/admin")
def make_admin(
    person: str,
    deps: Annotated[Deps, Depends(get_deps)],
    visitor: Annotated[Visitor, Depends(get_visitor)],
    form: Annotated[FormData, Depends(get_form)],
) -> Response:
    """Make somebody an admin, or no longer one."""
    admin = read_field(form, "to") == "yes"
    administration.set_admin(deps.database, visitor.actor, person, deps.clock(), admin=admin)
    return _to_account(person, "admin" if admin else "no-admin")


def _show(
    request: Request,
    deps: Deps,
    visitor: Visitor,
    q: str = "",
    page: int = 1,
    *,
    done: str = "",
    new: tuple[str, str] = ("", ""),
    wrong: str = "",
) -> Response:
    """``new``: the id and title of a course that could not be made, for what is ``wrong``."""
    actor = visitor.actor
    people, count = administration.find_people(deps.database, actor, q, (page - 1) * PER_PAGE, PER_PAGE)
    return render(
        request,
        "admin.html",
        visitor,
        422 if wrong else 200,
        courses=administration.list_courses(deps.database, actor),
        people=people,
        q=q,
        paging=Paging(page, count, {"q": q}),
        done=done,
        new=new,
        wrong=wrong,
        is_title=bool(wrong) and not administration.clean(new[1]),
    )


def _to_account(person: str, done: str) -> Response:
    return RedirectResponse(f"/admin/people/{quote(person, safe='')}?done={done}", 303)
