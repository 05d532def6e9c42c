"""The API for changing a rubric: see what it does, publish it, judge one submission again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from grader.domain.people import Actor
from grader.services.people.keys import RUBRIC, act_as, permit
from grader.services.regrade import Regraded
from grader.storage.people.keys import ApiKey
from grader.web.deps import Deps, get_deps, get_key
from grader.web.rubric_shapes import PreviewShape, ProposalShape, PublishShape, RegradedShape
from grader.web.schemas import problem_responses
from grader.web.submissions import find_permitted

router = APIRouter(
    prefix="/api/v1", tags=["rubrics"], responses=problem_responses(401, 403, 404, 409, 422, 503)
)
_REGRADE = "/courses/{course}/assignments/{assignment}/regrade"


def get_actor(course: str, key: Annotated[ApiKey, Depends(get_key)]) -> Actor:
    """The caller's key as one who changes rubrics of this course. Raises `NotPermitted`."""
    permit(key, RUBRIC, course)
    return act_as(key)


@router.post(f"{_REGRADE}/preview")
def preview_regrade(
    *,
    course: str,
    assignment: str,
    deps: Annotated[Deps, Depends(get_deps)],
    actor: Annotated[Actor, Depends(get_actor)],
    proposal: ProposalShape | None = None,
    limit: Annotated[int, Query(ge=0, le=500)] = 50,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> PreviewShape:
    """Who of this course would gain and lose what. Nothing is written."""
    text = proposal.rubric if proposal else None
    shown = deps.rubrics.propose(actor, assignment, text, course=course, limit=limit, offset=offset)
    return PreviewShape.model_validate(shown)


@router.post(_REGRADE)
def publish_regrade(
    *,
    assignment: str,
    body: PublishShape,
    deps: Annotated[Deps, Depends(get_deps)],
    actor: Annotated[Actor, Depends(get_actor)],
) -> RegradedShape:
    """Publish what a preview showed, in every course that gives the assignment, and judge by it."""
    now = deps.clock()
    if body.rubric is None:
        return _tell(deps.rubrics.publish(actor, assignment, body.token, now))
    return _tell(
        deps.rubrics.publish_version(
            actor, assignment, body.rubric, note=body.note, token=body.token, now=now
        )
    )


@router.post("/submissions/{submission_id}/regrade", status_code=202)
def regrade_submission(
    *,
    submission_id: str,
    response: Response,
    deps: Annotated[Deps, Depends(get_deps)],
    key: Annotated[ApiKey, Depends(get_key)],
) -> RegradedShape:
    """Judge one submission again by the rubric that holds. No notebook runs; it is done at once."""
    find_permitted(deps, key, submission_id, RUBRIC)
    response.headers["Location"] = f"/api/v1/submissions/{submission_id}"
    return _tell(deps.rubrics.regrade_one(act_as(key), submission_id, deps.clock()))


def _tell(done: Regraded) -> RegradedShape:
    return RegradedShape(
        changed=len(done.changed),
        confirmed=len(done.confirmed),
        untouched=len(done.untouched),
        failed=list(done.failed),
    )
