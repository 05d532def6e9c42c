"""The audit log: a course's for its instructors, all of it for admins; to read and as a file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from grader.errors import NotPermitted
from grader.services.audit_log import Search, export_log, find_actor, read_log
from grader.services.people.sessions import Visitor
from grader.web.bounds import Number, is_moment
from grader.web.deps import Deps, get_deps
from grader.web.pages.access import get_visitor
from grader.web.pages.places import CoursePlace, get_course
from grader.web.pages.rendering import HEADERS, render

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Asked:
    """What the filters say. Days are in UTC; the last one is included."""

    actor: Annotated[str, Query(max_length=255)] = ""
    action: Annotated[str, Query(max_length=64)] = ""
    subject: Annotated[str, Query(max_length=255)] = ""
    since: Annotated[str, Query(max_length=10)] = ""
    until: Annotated[str, Query(max_length=10)] = ""

    def search(self, deps: Deps, course: str | None) -> Search:
        """The same as services understand it."""
        until = _day(self.until)
        return Search(
            course,
            find_actor(deps.database, self.actor),
            self.action.strip(),
            self.subject.strip(),
            _day(self.since),
            until + timedelta(days=1) if until else None,
        )


@router.get("/courses/{course}/audit")
def show_course_log(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    place: Annotated[CoursePlace, Depends(get_course)],
    asked: Annotated[Asked, Depends()],
    before: Number | None = None,
) -> Response:
    """What was done in a course."""
    log = read_log(deps.database, place.visitor.actor, asked.search(deps, place.id), before=before)
    return render(
        request,
        "audit_course.html",
        place.visitor,
        course=place,
        tab="audit",
        log=log,
        asked=asked,
        before=before,
    )


@router.get("/courses/{course}/audit.csv")
def export_course_log(
    deps: Annotated[Deps, Depends(get_deps)],
    place: Annotated[CoursePlace, Depends(get_course)],
    asked: Annotated[Asked, Depends()],
) -> Response:
    """The same as a file."""
    return _file(deps, place.visitor, asked.search(deps, place.id))


@router.get("/admin/audit")
def show_whole_log(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    visitor: Annotated[Visitor, Depends(get_visitor)],
    asked: Annotated[Asked, Depends()],
    before: Number | None = None,
) -> Response:
    """What was done anywhere."""
    _check_admin(visitor)
    log = read_log(deps.database, visitor.actor, asked.search(deps, None), before=before)
    return render(request, "audit_all.html", visitor, log=log, asked=asked, before=before)


@router.get("/admin/audit.csv")
def export_whole_log(
    deps: Annotated[Deps, Depends(get_deps)],
    visitor: Annotated[Visitor, Depends(get_visitor)],
    asked: Annotated[Asked, Depends()],
) -> Response:
    """The same as a file."""
    _check_admin(visitor)
    return _file(deps, visitor, asked.search(deps, None))


def _file(deps: Deps, visitor: Visitor, search: Search) -> Response:
    chunks = export_log(deps.database, visitor.actor, search, deps.clock())
    headers = {**HEADERS, "Content-Disposition": 'attachment; filename="audit.csv"'}
    return StreamingResponse(chunks, headers=headers, media_type="text/csv; charset=utf-8")


def _check_admin(visitor: Visitor) -> None:
    if not visitor.actor.is_admin:
        raise NotPermitted("This page is for the service's admins.")


def _day(text: str) -> datetime | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None  # a browser's date field sends nothing else
    return datetime.combine(day, time(), UTC) if is_moment(day) else None
