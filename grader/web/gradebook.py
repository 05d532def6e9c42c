"""The API for gradebooks: results page by page, and whole files."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from grader.assignments import Assignment
from grader.errors import NotFound
from grader.services.gradebook.csv_files import Format
from grader.services.gradebook.export import Export, export_gradebook
from grader.services.grades.results import Cursor, gradescope_document, list_results
from grader.services.people.keys import GRADEBOOK, READ, act_for, permit
from grader.storage.people.keys import ApiKey
from grader.web.bounds import Moment, is_moment
from grader.web.deps import Deps, get_deps, get_key
from grader.web.problems import InvalidFields
from grader.web.schemas import ResultsShape, problem_responses
from grader.web.submissions import read_permitted

router = APIRouter(prefix="/api/v1", tags=["gradebook"])


@router.get(
    "/courses/{course}/gradebook.csv",
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}}}},
        **problem_responses(401, 403, 404, 422, 503),
    },
    response_class=StreamingResponse,
)
def get_gradebook(
    *,
    course: str,
    assignment: str,
    deps: Annotated[Deps, Depends(get_deps)],
    key: Annotated[ApiKey, Depends(get_key)],
    format: Format = Format.GENERIC,  # noqa: A002
    section: str = "",
    provisional: bool = False,
) -> Response:
    """Everybody's points in one assignment, as the file that an LMS reads.

    Grades that are not published, or wait for a human, are left out unless `provisional` is true;
    `Grader-Left-Out` counts them. `Grader-Students` counts those in the file with points or `EX`, and
    `Grader-Outdated` those of them whose points are out of another maximum than the rubric's: regrade first.
    """
    actor = act_for(key, GRADEBOOK, course)
    export = export_gradebook(
        deps.database,
        actor,
        course,
        find_assignment(deps, assignment),
        format,
        section=section,
        provisional=provisional,
        now=deps.clock(),
    )
    headers = {"Cache-Control": "private, no-store", **describe_file(export)}
    return StreamingResponse(export.chunks, headers=headers, media_type="text/csv; charset=utf-8")


@router.get(
    "/courses/{course}/assignments/{assignment}/results",
    responses={200: {"model": ResultsShape}, **problem_responses(401, 403, 404, 422, 503)},
)
def get_results(
    *,
    course: str,
    assignment: str,
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    key: Annotated[ApiKey, Depends(get_key)],
    user: Annotated[str, Query(alias="userId", max_length=255)] = "",
    since: Moment | None = None,
    section: str = "",
    cursor: Annotated[str, Query(max_length=500)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Response:
    """The attempts that count, oldest change first. `Link: rel="next"` leads to the next page.

    `since` (RFC 3339) leaves those that have changed after it.
    """
    permit(key, READ, course)
    rubric = find_assignment(deps, assignment).rubric
    if since is not None and since.tzinfo is None:
        raise InvalidFields([("since", "needs a zone: 2026-03-01T12:00:00Z")])
    results, after = list_results(
        deps.database,
        course,
        rubric,
        now=deps.clock(),
        user=user,
        since=since,
        section=section,
        after=_read_cursor(cursor),
        limit=limit,
    )
    headers = {"Cache-Control": "private, no-store"}
    if after is not None:
        following = request.url.include_query_params(cursor=_write_cursor(after))
        headers["Link"] = f'<{following.path}?{following.query}>; rel="next"'
    return JSONResponse({"results": results}, headers=headers)


@router.get("/submissions/{submission_id}/results.json", responses=problem_responses(401, 403, 404, 422, 503))
def get_gradescope_results(
    submission_id: str,
    deps: Annotated[Deps, Depends(get_deps)],
    key: Annotated[ApiKey, Depends(get_key)],
) -> dict[str, Any]:
    """One submission's points in the shape that Gradescope's autograders give."""
    report = read_permitted(deps, key, submission_id)
    rubric = find_assignment(deps, report.filed.submission.assignment).rubric
    return gradescope_document(report, rubric, deps.clock())


def describe_file(export: Export) -> dict[str, str]:
    """What headers say of a file."""
    return {
        "Content-Disposition": f'attachment; filename="{export.filename}"',
        "Grader-Students": str(export.contents.told),
        "Grader-Left-Out": str(export.contents.left_out),
        "Grader-Outdated": str(export.contents.outdated),
    }


def find_assignment(deps: Deps, assignment: str) -> Assignment:
    """The assignment. Raises `NotFound`."""
    known = deps.assignments.get(assignment)
    if known is None:
        raise NotFound(f"There is no assignment {assignment[:80]!r}.")
    return known


def _write_cursor(cursor: Cursor) -> str:
    text = json.dumps([cursor.changed_at.isoformat(), cursor.submission_id])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(text: str) -> Cursor | None:
    if not text:
        return None
    try:
        moment, submission_id = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        changed_at = datetime.fromisoformat(moment)
        if changed_at.tzinfo is None or not is_moment(changed_at) or not isinstance(submission_id, str):
            raise ValueError
        return Cursor(changed_at, submission_id)
    except (ValueError, TypeError, binascii.Error):
        raise InvalidFields([("cursor", "is none of ours: begin without one")]) from None
