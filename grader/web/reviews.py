"""The API for review: the queue, one answer, what is decided on it."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response

from grader.domain.people import Actor, Membership, Role
from grader.errors import NotFound
from grader.services import review
from grader.services.people.keys import REVIEW, SUBMIT, act_for, permit
from grader.storage.people.keys import ApiKey
from grader.storage.review.queue import Order, Scope
from grader.web import review_shapes as shapes
from grader.web.bounds import Number
from grader.web.deps import Deps, get_deps, get_key
from grader.web.schemas import problem_responses

router = APIRouter(
    prefix="/api/v1", tags=["review"], responses=problem_responses(401, 403, 404, 409, 422, 503)
)

_COURSE = "/courses/{course}/assignments/{assignment}"
_ANSWER = "/submissions/{submission_id}/items/{item}"


def get_desk(deps: Annotated[Deps, Depends(get_deps)]) -> review.Desk:
    """What reviewing needs."""
    return review.Desk(deps.database, deps.assignments, deps.clock)


def get_course_actor(course: str, key: Annotated[ApiKey, Depends(get_key)]) -> Actor:
    """The caller's key as a reviewer of this course. Raises `NotPermitted`."""
    return act_for(key, REVIEW, course)


def get_answer_actor(
    submission_id: str,
    desk: Annotated[review.Desk, Depends(get_desk)],
    key: Annotated[ApiKey, Depends(get_key)],
) -> Actor:
    """The same for the course of this submission. Raises `NotFound` where the key opens another one."""
    return act_for(key, REVIEW, find_course(desk, key, submission_id))


def find_course(desk: review.Desk, key: ApiKey, submission_id: str) -> str:
    """The submission's course. Raises `NotFound` where the key does not open it."""
    with desk.database.read() as unit:
        filed = unit.submissions.find(submission_id)
    if filed is None or not key.opens(filed.submission.course):
        raise NotFound(f"There is no submission {submission_id[:32]!r}.")
    return filed.submission.course


def get_scope(
    course: str,
    assignment: str,
    item: str | None = None,
    section: str | None = None,
    group: str | None = None,
    *,
    asked: bool = False,
    every_attempt: Annotated[bool, Query(alias="everyAttempt")] = False,
) -> Scope:
    """What the query narrows the queue to."""
    sections = None if section is None else frozenset({section})
    return Scope(
        course,
        assignment,
        sections=sections,
        item=item,
        words_sha256=group,
        asked_only=asked,
        every_attempt=every_attempt,
    )


DeskOf = Annotated[review.Desk, Depends(get_desk)]
CourseActor = Annotated[Actor, Depends(get_course_actor)]
AnswerActor = Annotated[Actor, Depends(get_answer_actor)]
ScopeOf = Annotated[Scope, Depends(get_scope)]


@router.get(f"{_COURSE}/review-queue", response_model=shapes.QueueShape)
def list_queue(
    request: Request,
    response: Response,
    desk: DeskOf,
    actor: CourseActor,
    scope: ScopeOf,
    order: Order = Order.DOUBT,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Any:
    """What waits for a human, the most uncertain first or by question."""
    page = review.list_queue(desk, actor, scope, order, cursor, limit)
    if page.cursor is not None:
        query = urlencode({**request.query_params, "cursor": page.cursor})
        response.headers["Link"] = f'<{request.url.path}?{query}>; rel="next"'
    return page


@router.get(f"{_COURSE}/review-queue/counts")
def count_queue(desk: DeskOf, actor: CourseActor, scope: ScopeOf) -> dict[str, int]:
    """How many answers wait, by item."""
    return review.count_queue(desk, actor, scope)


@router.post(
    f"{_COURSE}/review-queue/next",
    response_model=shapes.ListedShape,
    responses={204: {"description": "Nothing waits that nobody holds"}},
)
def take_next(
    desk: DeskOf,
    actor: CourseActor,
    scope: ScopeOf,
    order: Order = Order.DOUBT,
    form: shapes.NextForm | None = None,
) -> Any:
    """Claim the next answer for ten minutes; who holds one gets it back."""
    taken = review.take_next(desk, actor, scope, order, form.after if form else None)
    return Response(status_code=204) if taken is None else taken


@router.get(f"{_ANSWER}/review", response_model=shapes.AnswerShape)
def read_answer(submission_id: str, item: str, desk: DeskOf, actor: AnswerActor) -> Any:
    """One answer with its question, proposal, history and neighbours."""
    view = review.read_answer(desk, actor, submission_id, item)
    history = [
        {
            "id": one.id,
            "points": one.override.points,
            "concepts": dict(one.override.concepts),
            "comment": one.override.comment,
            "reason": one.override.reason,
            "actor": one.override.actor,
            "made_at": one.made_at,
            "follows": one.follows,
        }
        for one in view.history
    ]
    fields = {name: getattr(view, name) for name in shapes.AnswerShape.model_fields}
    return shapes.AnswerShape.model_validate({**fields, "history": history})


@router.post(f"{_ANSWER}/claim", response_model=shapes.ClaimShape)
def take(submission_id: str, item: str, desk: DeskOf, actor: AnswerActor) -> Any:
    """Hold this answer for ten minutes more."""
    claim = review.take(desk, actor, submission_id, item)
    return shapes.ClaimShape(submission_id=claim.submission_id, item=claim.item, until=claim.until)


@router.delete(f"{_ANSWER}/claim", status_code=204)
def release(submission_id: str, item: str, desk: DeskOf, actor: AnswerActor) -> None:
    """Let it go."""
    review.release(desk, actor, submission_id, item)


@router.post(f"{_ANSWER}/decision", response_model=shapes.DecidedShape)
def decide(submission_id: str, item: str, form: shapes.DecisionForm, desk: DeskOf, actor: AnswerActor) -> Any:
    """Give points. 409 where someone else decided meanwhile."""
    return review.decide(desk, actor, submission_id, item, form.read(), form.follows)


@router.post(f"{_ANSWER}/accept", response_model=shapes.DecidedShape)
def accept(submission_id: str, item: str, form: shapes.AcceptForm, desk: DeskOf, actor: AnswerActor) -> Any:
    """Give what is proposed."""
    return review.accept(desk, actor, submission_id, item, form.follows, form.comment, form.reason)


@router.post(f"{_ANSWER}/undo", response_model=shapes.DecidedShape)
def undo(submission_id: str, item: str, desk: DeskOf, actor: AnswerActor) -> Any:
    """Take one's own last decision back."""
    return review.undo(desk, actor, submission_id, item)


@router.post(f"{_ANSWER}/decision/group", response_model=list[shapes.GroupedShape])
def decide_group(
    submission_id: str, item: str, form: shapes.GroupForm, desk: DeskOf, actor: AnswerActor
) -> Any:
    """Give neighbours the decision that the caller has just made here."""
    return review.decide_group(desk, actor, submission_id, item, form.submissions)


@router.post(f"{_ANSWER}/reveal", response_model=shapes.RevealedShape)
def reveal(submission_id: str, item: str, desk: DeskOf, actor: AnswerActor) -> Any:
    """Tell who wrote it. That is written down."""
    return review.reveal(desk, actor, submission_id, item)


@router.post(f"{_ANSWER}/regrade-request", status_code=201, response_model=shapes.RequestShape)
def ask_regrade(
    submission_id: str,
    item: str,
    form: shapes.AskForm,
    desk: DeskOf,
    key: Annotated[ApiKey, Depends(get_key)],
) -> Any:
    """Ask about a mark in the name of the student who handed the submission in."""
    course = find_course(desk, key, submission_id)
    permit(key, SUBMIT, course)
    student = Actor(form.user_id, form.user_id, {course: Membership(course, Role.STUDENT)})
    return review.ask_regrade(desk, student, submission_id, item, form.text, via=f"key:{key.id}")


@router.post(f"{_ANSWER}/regrade-request/answer", response_model=shapes.DecidedShape)
def answer_request(
    submission_id: str, item: str, form: shapes.ReplyForm, desk: DeskOf, actor: AnswerActor
) -> Any:
    """Answer the question that waits, with or without a new mark."""
    given = form.decision
    return review.answer_request(
        desk,
        actor,
        submission_id,
        item,
        form.answer,
        given.read() if given else None,
        given.follows if given else 0,
    )


@router.get(f"{_COURSE}/items/{{item}}/comments", response_model=list[shapes.CommentShape])
def list_comments(course: str, assignment: str, item: str, desk: DeskOf, actor: CourseActor) -> Any:
    """The comments on one question, the most used first."""
    return [_comment(one) for one in review.list_comments(desk, actor, course, assignment, item)]


@router.post(f"{_COURSE}/items/{{item}}/comments", status_code=201, response_model=shapes.CommentShape)
def add_comment(
    course: str, assignment: str, item: str, form: shapes.CommentForm, desk: DeskOf, actor: CourseActor
) -> Any:
    """Keep a comment for later answers."""
    return _comment(review.add_comment(desk, actor, course, assignment, item, form.text))


@router.delete(f"{_COURSE}/comments/{{comment_id}}", status_code=204)
def delete_comment(
    course: str, assignment: str, comment_id: Number, desk: DeskOf, actor: CourseActor
) -> None:
    """Keep it no longer."""
    review.delete_comment(desk, actor, course, assignment, comment_id)


def _comment(one: Any) -> shapes.CommentShape:
    return shapes.CommentShape(id=one.id, text=one.text, uses=one.uses, actor=one.actor, made_at=one.made_at)
