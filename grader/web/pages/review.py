"""Reviewing: what waits, and one answer at a time, by keyboard."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from grader.checks.answers.calibration import FEWEST_MARKS
from grader.services import review
from grader.services.proposals.calibrations import load_calibrations
from grader.services.proposals.reliability import measure_reliability
from grader.storage.review.queue import Order, Scope
from grader.web.pages.access import get_form
from grader.web.pages.highlight import cut
from grader.web.pages.places import AssignmentPlace, get_taught
from grader.web.pages.rendering import render
from grader.web.pages.review_form import Act, read_decision, read_follows, read_reply
from grader.web.reviews import get_desk

router = APIRouter(prefix="/courses/{course}/assignments/{assignment}/review", include_in_schema=False)

Place = Annotated[AssignmentPlace, Depends(get_taught)]
Desk = Annotated[review.Desk, Depends(get_desk)]
Form = Annotated[FormData, Depends(get_form)]


class Walk:
    """Which part of the queue a reviewer walks through, and how: what every address of it carries."""

    def __init__(
        self,
        order: Order = Order.DOUBT,
        only: Annotated[str, Query(max_length=64)] = "",
        section: Annotated[str, Query(max_length=255)] = "",
    ) -> None:
        self.order, self.only, self.section = order, only, section

    def scope(self, place: AssignmentPlace) -> Scope:
        """The same as services know it."""
        sections = frozenset({self.section}) if self.section else None
        return Scope(place.course.id, place.id, sections=sections, item=self.only or None)

    def query(self, **more: str) -> str:
        """The same for an address."""
        said = {"order": self.order.value, "only": self.only, "section": self.section, **more}
        return urlencode({name: value for name, value in said.items() if value})


WalkOf = Annotated[Walk, Depends(Walk)]


@router.get("")
def show_queue(
    request: Request,
    place: Place,
    desk: Desk,
    walk: WalkOf,
    cursor: str | None = None,
    done: str = "",
    finished: bool = False,
) -> Response:
    """What waits, by question, and the next of it."""
    actor, scope = place.course.visitor.actor, walk.scope(place)
    page = review.list_queue(desk, actor, scope, walk.order, cursor, limit=25)
    every = Scope(place.course.id, place.id, sections=scope.sections)
    with desk.database.read() as unit:
        known = unit.people.sections(place.course.id)
        offering = unit.offerings.find(place.course.id, place.id)
    own = actor.sections_of(place.course.id)
    return render(
        request,
        "review_queue.html",
        place.course.visitor,
        place=place,
        tab="review",
        walk=walk,
        page=page,
        counts=review.count_queue(desk, actor, every),
        titles={item.key: item.title for item in place.assignment.rubric.items},
        sections=known if own is None else sorted(own),
        offering=offering,
        done=done,
        finished=finished,
    )


@router.post("/next")
def take_next(place: Place, desk: Desk, walk: WalkOf, form: Form) -> Response:
    """Take the next answer that nobody holds."""
    return _go_on(place, desk, walk, after=str(form.get("after") or "") or None)


@router.get("/reliability")
def show_reliability(request: Request, place: Place, desk: Desk) -> Response:
    """How proposals did against those who decided afterwards, question by question."""
    course, items = place.course.id, place.assignment.rubric.items
    with desk.database.read() as unit:
        by_item, total = measure_reliability(unit, course, place.id)
        learned = load_calibrations(unit, course, place.id)
    return render(
        request,
        "review_reliability.html",
        place.course.visitor,
        place=place,
        tab="review",
        questions=[item for item in items if item.concepts],
        by_item=by_item,
        total=total,
        learned=learned,
        fewest=FEWEST_MARKS,
    )


@router.get("/{submission_id}/{item}")
def show_answer(
    request: Request,
    place: Place,
    desk: Desk,
    walk: WalkOf,
    submission_id: str,
    item: str,
    done: str = "",
    at: str = "",
) -> Response:
    """One answer with all that a decision needs."""
    actor = place.course.visitor.actor
    answer = review.read_answer(desk, actor, submission_id, item)
    return render(
        request,
        "review_answer.html",
        place.course.visitor,
        place=place,
        tab="review",
        walk=walk,
        answer=answer,
        pieces=cut(answer.text, [concept.span for concept in answer.concepts]),
        comments=review.list_comments(desk, actor, place.course.id, place.id, item),
        done=done,
        at=at,
        digits=range(min(9, int(answer.max_points)) + 1),
    )


@router.post("/{submission_id}/{item}")
def act_on_answer(
    request: Request, place: Place, desk: Desk, walk: WalkOf, form: Form, submission_id: str, item: str
) -> Response:
    """Whatever button was pressed on an answer's page."""
    actor, here = place.course.visitor.actor, f"{place.path}/review/{submission_id}/{quote(item)}"
    act = Act.of(form)
    if act is Act.TAKE:
        review.take(desk, actor, submission_id, item)
        return RedirectResponse(f"{here}?{walk.query()}", 303)
    if act is Act.UNDO:
        review.undo(desk, actor, submission_id, item)
        return RedirectResponse(f"{here}?{walk.query()}", 303)
    if act is Act.REVEAL:
        who = review.reveal(desk, actor, submission_id, item)
        return render(request, "review_revealed.html", place.course.visitor, place=place, tab="review",
                      who=who, back=f"{here}?{walk.query()}")  # fmt: skip
    if act is Act.SKIP:
        after = str(form.get("at") or "") or None
        review.release(desk, actor, submission_id, item)
        return _go_on(place, desk, walk, after=after)
    _decide(place, desk, form, act, submission_id, item)
    return _go_on(place, desk, walk, done=f"{submission_id}/{item}")


def _decide(
    place: AssignmentPlace, desk: review.Desk, form: FormData, act: Act, submission_id: str, item: str
) -> None:
    actor, course = place.course.visitor.actor, place.course.id
    decision, follows, reply = read_decision(form, act), read_follows(form), read_reply(form)
    if reply:
        review.answer_request(
            desk, actor, submission_id, item, reply, None if act is Act.REPLY else decision, follows
        )
    elif act is Act.ACCEPT:
        review.accept(desk, actor, submission_id, item, follows, comment=decision.comment)
    else:
        review.decide(desk, actor, submission_id, item, decision, follows)
    if form.get("keep") and decision.comment:
        review.add_comment(desk, actor, course, place.id, item, decision.comment)
    if neighbours := [str(one) for one in form.getlist("neighbour")]:
        review.decide_group(desk, actor, submission_id, item, neighbours)


def _go_on(
    place: AssignmentPlace, desk: review.Desk, walk: Walk, *, done: str = "", after: str | None = None
) -> Response:
    """To the next answer, or to the queue where nothing is left."""
    listed = review.take_next(desk, place.course.visitor.actor, walk.scope(place), walk.order, after)
    if listed is None:
        return RedirectResponse(f"{place.path}/review?{walk.query(done=done, finished='1')}", 303)
    address = f"{place.path}/review/{listed.submission_id}/{quote(listed.item)}"
    return RedirectResponse(f"{address}?{walk.query(done=done, at=listed.cursor)}", 303)
