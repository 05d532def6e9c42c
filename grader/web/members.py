"""The API for courses and who takes part in them, shaped like LTI's Names and Role Provisioning."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from grader.domain.people import Role
from grader.services.people.administration import put_course
from grader.services.people.keys import ROSTER, act_as, permit
from grader.services.people.roster import Kind, apply_roster
from grader.services.people.roster_file import MOST_LINES, Entry
from grader.storage.people.keys import ApiKey
from grader.web.deps import Deps, get_deps, get_key
from grader.web.problems import InvalidFields
from grader.web.schemas import CountsShape, CourseShape, problem_responses

router = APIRouter(prefix="/api/v1", tags=["courses"])

_Body = TypeVar("_Body", bound=BaseModel)


class CourseBody(BaseModel):
    """What a course is called."""

    model_config = ConfigDict(extra="ignore")

    title: str = Field(min_length=1, max_length=255)


class MemberBody(BaseModel):
    """One member; what is left out stays as it is."""

    model_config = ConfigDict(extra="ignore")

    user_id: str
    name: str = ""
    email: str = ""
    login: str = ""
    roles: list[str] = []  # LIS names or addresses: Learner, …Instructor#TeachingAssistant, Instructor
    status: Literal["Active", "Inactive", "Deleted"] = "Active"
    sections: list[str] | None = None


class MembersBody(BaseModel):
    """A roster, whole or in part."""

    model_config = ConfigDict(extra="ignore")

    members: list[MemberBody] = Field(max_length=MOST_LINES)


def get_roster_key(course: str, key: Annotated[ApiKey, Depends(get_key)]) -> ApiKey:
    """The caller's key, good for this course's roster. Raises `NotPermitted`."""
    permit(key, ROSTER, course)
    return key


async def read_json(request: Request, _key: Annotated[ApiKey, Depends(get_roster_key)]) -> Any:
    """The body, read after it is known who sends it. Raises `InvalidFields`."""
    try:
        document = json.loads(await request.body())
        json.dumps(document, ensure_ascii=False).encode()  # half a character is none that could be stored
    except (ValueError, RecursionError):
        raise InvalidFields([("body", "no JSON.")]) from None
    return document


def _describe(body: type[BaseModel]) -> dict[str, Any]:
    # Read by hand, like uploads; so it is described here.
    schema = body.model_json_schema(ref_template="#/components/schemas/{model}")
    inner = schema.pop("$defs", {}).get("MemberBody")
    if inner:
        schema["properties"]["members"]["items"] = inner
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


@router.put(
    "/courses/{course}",
    responses={
        200: {"model": CourseShape},
        201: {"model": CourseShape, "description": "Made"},
        **problem_responses(401, 403, 413, 422, 429, 503),
    },
    openapi_extra=_describe(CourseBody),
)
def put_one_course(
    *,
    course: str,
    deps: Annotated[Deps, Depends(get_deps)],
    key: Annotated[ApiKey, Depends(get_roster_key)],
    document: Annotated[Any, Depends(read_json)],
) -> Response:
    """Make a course, or change its title."""
    title = _parse(CourseBody, document).title
    is_new = put_course(deps.database, act_as(key), course, title, deps.clock())
    return JSONResponse({"id": course, "title": title}, 201 if is_new else 200)


@router.put(
    "/courses/{course}/members",
    responses={200: {"model": CountsShape}, **problem_responses(401, 403, 404, 413, 422, 429, 503)},
    openapi_extra=_describe(MembersBody),
)
def put_members(
    *,
    course: str,
    deps: Annotated[Deps, Depends(get_deps)],
    key: Annotated[ApiKey, Depends(get_roster_key)],
    document: Annotated[Any, Depends(read_json)],
) -> Response:
    """Add and change members, all or none. Whom the list does not name stays; `status` ends a part."""
    entries, wrong = [], []
    for place, member in enumerate(_parse(MembersBody, document).members):
        role = _read_role(member.roles)
        if member.roles and role is None:
            wrong.append((f"members.{place}.roles", "none of Learner, TeachingAssistant, Instructor."))
        entries.append(
            Entry(
                place,
                member.user_id,
                member.name,
                member.email,
                member.login,
                role,
                None if member.sections is None else frozenset(filter(None, map(str.strip, member.sections))),
                is_removed=member.status != "Active",
            )
        )
    if wrong:
        raise InvalidFields(wrong)
    plan, _ = apply_roster(deps.database, act_as(key), course, entries, deps.clock())
    if plan.errors:
        raise InvalidFields([(f"members.{error.line}", error.message) for error in plan.errors])
    return JSONResponse({kind.value: plan.counts[kind] for kind in Kind})


def _parse(body: type[_Body], document: Any) -> _Body:
    try:
        return body.model_validate(document)
    except ValidationError as error:
        fields = [(".".join(map(str, e["loc"])) or "body", e["msg"]) for e in error.errors()[:100]]
        raise InvalidFields(fields) from None


def _read_role(roles: list[str]) -> Role | None:
    """An assistant is an instructor too, in the LIS vocabulary; so the narrowest role counts."""
    names = {role.rsplit("#", 1)[-1].rsplit("/", 1)[-1].casefold() for role in roles}
    if names & {"teachingassistant", "ta"}:
        return Role.TA
    if "instructor" in names:
        return Role.INSTRUCTOR
    return Role.STUDENT if names & {"learner", "student"} else None
