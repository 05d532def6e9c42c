"""A student asks about a mark; a reviewer answers, with or without a changed mark."""

from __future__ import annotations

from datetime import datetime

from grader.domain.people import Actor
from grader.domain.submission import Submission, SubmissionState
from grader.errors import NotFound, Overtaken, RequestRefused
from grader.services.grades.standing import settle
from grader.services.review.access import Desk, open_answer, require_in_hand
from grader.services.review.deciding import (
    STALE,
    Decided,
    append_decision,
    check_for,
    in_transaction,
    tell_decided,
)
from grader.services.review.decision import Decision, check_text
from grader.services.terms import read_terms
from grader.storage.review.regrade_requests import RegradeRequest
from grader.storage.unit_of_work import Clash, UnitOfWork

_MOST_CHARACTERS = 2000
_WAITS = "You have asked about this already: the answer will stand beside your question."


def ask_regrade(
    desk: Desk, actor: Actor, submission_id: str, item: str, text: str, via: str = ""
) -> RegradeRequest:
    """Ask about one item of one's own graded submission.

    ``via`` is the API key that asks in a student's name. Raises `NotFound` for what is not one's own, not
    graded, or not released; `RequestRefused` for a text that is empty or longer than 2000 characters, and
    while an earlier question waits.
    """
    text = text.strip()
    check_text("question", text, _MOST_CHARACTERS, least=1)
    now = desk.clock()
    try:
        with desk.database.write() as unit:
            submission = _find_own(desk, unit, actor, submission_id, item, now)
            if item in unit.regrade_requests.open_items(submission_id):
                raise RequestRefused(_WAITS)
            number = unit.regrade_requests.add(submission_id, item, text, now)
            settle(unit, submission_id)
            unit.audit.note(
                now,
                actor.id,
                "regrade.ask",
                course=submission.course,
                subject=submission_id,
                item=item,
                **({"via": via} if via else {}),
            )
            unit.commit()
    except Clash:
        raise RequestRefused(_WAITS) from None
    return RegradeRequest(number, submission_id, item, text, now, None, None, None)


def answer_request(
    desk: Desk,
    actor: Actor,
    submission_id: str,
    item: str,
    answer: str,
    decision: Decision | None = None,
    follows: int = 0,
) -> Decided:
    """Answer the open question about an answer; ``decision`` None leaves the mark as it is.

    Raises `NotFound`; `RequestRefused` for an empty or too long answer; `Overtaken` as `decide`, and where
    the question was answered meanwhile.
    """
    text = answer.strip()
    check_text("answer", text, _MOST_CHARACTERS, least=1)

    def reply(unit: UnitOfWork, now: datetime) -> Decided:
        opened = open_answer(unit, actor, submission_id, item, now)
        require_in_hand(unit, opened, actor, reason="a student asked")  # what is asked about is in the queue
        if not unit.regrade_requests.answer(submission_id, item, text, actor.id, now):
            raise Overtaken("No question waits here: another reviewer may have answered it just now.")
        if decision is not None:
            if opened.follows != follows:
                raise Overtaken(STALE)
            checked = check_for(desk, opened, decision)
            append_decision(unit, actor, opened, checked, now, "review.decide")
        else:
            unit.claims.drop(submission_id, item)
            settle(unit, submission_id)
        unit.audit.note(
            now, actor.id, "regrade.answer", course=opened.course, subject=submission_id, item=item
        )
        return tell_decided(unit, submission_id, item, now)

    return in_transaction(desk, reply)


def list_requests(desk: Desk, actor: Actor, submission_id: str) -> list[RegradeRequest]:
    """What a student has asked about their own submission, oldest first. Raises `NotFound`."""
    with desk.database.read() as unit:
        filed = unit.submissions.find(submission_id)
        if filed is None or filed.submission.user != actor.id:
            raise _missing(submission_id)
        return unit.regrade_requests.of(submission_id)


def _find_own(
    desk: Desk, unit: UnitOfWork, actor: Actor, submission_id: str, item: str, now: datetime
) -> Submission:
    filed = unit.submissions.find(submission_id)
    if filed is None or filed.submission.user != actor.id:
        raise _missing(submission_id)
    submission, stored = filed.submission, unit.grades.newest(submission_id)
    if stored is None or submission.state is not SubmissionState.GRADED:
        raise NotFound("This submission is not graded yet.")
    if item not in {one.key for one in stored.grade.items}:
        raise NotFound(f"This submission has no item {item[:64]!r}.")
    terms = read_terms(unit, submission.course, submission.assignment, submission.user)
    assignment = desk.assignments.get(submission.assignment)
    part = assignment.rubric.part_of(item) if assignment else item.partition(".")[0]
    if not terms.is_released(part, now):
        raise NotFound("The points of this item are not released yet.")
    return submission


def _missing(submission_id: str) -> NotFound:
    return NotFound(f"There is no submission {submission_id[:32]!r} of yours.")
