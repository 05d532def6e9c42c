"""The API for submissions: hand one in, ask how it stands."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response

from grader.errors import NotFound
from grader.services.grades.report import Report, read_report, submission_document, without_grade
from grader.services.people.keys import READ, permit
from grader.services.submitting.submit import Upload
from grader.storage.people.keys import ApiKey
from grader.web.deps import Deps, get_deps, get_key, get_submitting_key
from grader.web.schemas import SubmissionShape, problem_responses
from grader.web.upload_form import FORM_SCHEMA, UploadForm, read_form

router = APIRouter(prefix="/api/v1", tags=["submissions"])

_ID = re.compile(r"[0-9a-f]{32}")
_ASK_AGAIN_SECONDS = "2"


@router.post(
    "/courses/{course}/assignments/{assignment}/submissions",
    status_code=202,
    responses={202: {"model": SubmissionShape}, **problem_responses(400, 401, 403, 404, 409, 413, 422, 503)},
    openapi_extra=FORM_SCHEMA,
)
def submit(
    *,
    course: str,
    assignment: str,
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    key: Annotated[ApiKey, Depends(get_submitting_key)],
    form: Annotated[UploadForm, Depends(read_form)],
    idempotency_key: Annotated[str | None, Header()] = None,
) -> Response:
    """Hand in a notebook. The answer's `Location` tells where its grade will be.

    A key without `results:read` is told how far a submission is, and not what it got.
    """
    document = deps.submitter.submit(
        Upload(
            course=course,
            assignment=assignment,
            user=form.user,
            filename=form.filename,
            data=form.data,
            submitted_at=form.submitted_at,
            idempotency_key=idempotency_key,
            caller=key.id,
        )
    )
    if READ not in key.scopes:
        document = without_grade(document)
    location = request.app.url_path_for("get_submission", submission_id=document["id"])
    return _json(document, 202, {"Location": str(location), "Retry-After": _ASK_AGAIN_SECONDS})


@router.get(
    "/submissions/{submission_id}",
    responses={
        200: {"model": SubmissionShape},
        304: {"description": "Unchanged"},
        **problem_responses(401, 403, 404, 422, 503),
    },
)
def get_submission(
    *,
    submission_id: str,
    deps: Annotated[Deps, Depends(get_deps)],
    key: Annotated[ApiKey, Depends(get_key)],
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """How a submission stands: cell by cell while it runs, item by item once it is graded.

    Ask again until `gradingProgress` is no longer `Pending`.
    """
    report = read_permitted(deps, key, submission_id)
    assignment = deps.assignments.get(report.filed.submission.assignment)
    document = submission_document(report, assignment.rubric if assignment else None, deps.clock())
    tag = f'"{hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if document["gradingProgress"] == "Pending":
        headers["Retry-After"] = _ASK_AGAIN_SECONDS
    if if_none_match is not None and names_tag(if_none_match, tag):
        return Response(status_code=304, headers=headers)
    return _json(document, 200, headers)


def read_permitted(deps: Deps, key: ApiKey, submission_id: str) -> Report:
    """The submission, for a key that may read it. Raises `NotFound` and `NotPermitted`."""
    return find_permitted(deps, key, submission_id, READ)


def find_permitted(deps: Deps, key: ApiKey, submission_id: str, scope: str) -> Report:
    """The same for a key with this scope."""
    missing = NotFound(f"There is no submission {submission_id[:80]!r}.")
    if not _ID.fullmatch(submission_id):
        raise missing
    report = read_report(deps.database, submission_id)
    course = report.filed.submission.course
    if not key.opens(course):
        raise missing  # who may not see it need not know that it is there
    permit(key, scope, course)
    return report


def names_tag(if_none_match: str, tag: str) -> bool:
    """Whether the caller has what this strong ETag stands for."""
    tags = [given.strip().removeprefix("W/") for given in if_none_match.split(",")]
    return tag in tags or "*" in tags


def _json(document: dict[str, Any], status: int, headers: dict[str, str]) -> Response:
    body = json.dumps(document, ensure_ascii=False, allow_nan=False)
    return Response(body.encode(), status, headers, media_type="application/json")
