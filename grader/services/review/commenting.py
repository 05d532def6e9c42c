"""Comments that reviewers of one question use again. Giving one in a decision counts as its use."""

from __future__ import annotations

from grader.domain.people import Actor
from grader.errors import NotFound, NotPermitted, RequestRefused
from grader.services.review.access import Desk, find_assignment
from grader.services.review.decision import check_text
from grader.storage.review.comments import Comment
from grader.storage.unit_of_work import Clash

_MOST_CHARACTERS = 2000
_MOST_COMMENTS = 200  # of one question


def list_comments(desk: Desk, actor: Actor, course: str, assignment: str, item: str) -> list[Comment]:
    """The comments on one question, the most used first. Raises `NotPermitted`."""
    _require_teacher(actor, course)
    with desk.database.read() as unit:
        return unit.comments.of(course, assignment, item)


def add_comment(desk: Desk, actor: Actor, course: str, assignment: str, item: str, text: str) -> Comment:
    """Keep a comment; one that is there already is that one.

    Raises `NotPermitted`, `NotFound` (the question) and `RequestRefused` (empty, too long, too many).
    """
    _require_teacher(actor, course)
    if item not in {one.key for one in find_assignment(desk, assignment).rubric.items}:
        raise NotFound(f"{assignment} has no item {item[:64]!r}.")
    text = text.strip()
    check_text("comment", text, _MOST_CHARACTERS, least=1)
    now = desk.clock()
    try:
        with desk.database.write() as unit:
            if len(unit.comments.of(course, assignment, item)) >= _MOST_COMMENTS:
                raise RequestRefused(f"{item} has {_MOST_COMMENTS} comments: delete those that nobody uses.")
            kept = unit.comments.add(course, assignment, item, text, actor.id, now)
            if kept.made_at == now:
                unit.audit.note(
                    now, actor.id, "comment.add", course=course, subject=assignment, item=item, id=kept.id
                )
            unit.commit()
            return kept
    except Clash:  # only where writers do not queue: another reviewer has just added it
        return add_comment(desk, actor, course, assignment, item, text)


def delete_comment(desk: Desk, actor: Actor, course: str, assignment: str, comment_id: int) -> None:
    """Keep a comment no longer; where it was given it stays.

    Raises `NotFound`, and `NotPermitted` for an assistant where it is another's.
    """
    _require_teacher(actor, course)
    now = desk.clock()
    with desk.database.write() as unit:
        known = unit.comments.find(comment_id)
        if known is None or (known.course, known.assignment) != (course, assignment):
            raise NotFound("There is no such comment.")
        if known.actor != actor.id and not actor.manages(course):
            raise NotPermitted("Only who wrote a comment, or an instructor, deletes it.")
        unit.comments.delete(comment_id)
        unit.audit.note(
            now,
            actor.id,
            "comment.delete",
            course=course,
            subject=assignment,
            item=known.item,
            id=comment_id,
        )
        unit.commit()


def _require_teacher(actor: Actor, course: str) -> None:
    if not actor.teaches(course):
        raise NotPermitted("Only teachers of the course see its comments.")
