"""The form of an answer's page: what was pressed, and what was filled in."""

from __future__ import annotations

from enum import StrEnum

from starlette.datastructures import FormData

from grader.errors import RequestRefused
from grader.services.review import Decision
from grader.web.bounds import read_number

_CONCEPT = "concept:"
_POINTS = "points:"


class Act(StrEnum):
    """The buttons."""

    TAKE = "take"
    ACCEPT = "accept"  # the proposal
    SAVE = "save"  # points as they are filled in
    POINTS = "points"  # so many, by a digit
    REPLY = "reply"  # to a student's question; the mark stays
    SKIP = "skip"
    UNDO = "undo"
    REVEAL = "reveal"

    @staticmethod
    def of(form: FormData) -> Act:
        """The button that was pressed. Raises `RequestRefused` for none of them."""
        pressed = str(form.get("act") or "").partition(":")[0]
        if pressed not in set(Act):
            raise RequestRefused("Press one of the page's buttons.")
        return Act(pressed)


def read_decision(form: FormData, act: Act) -> Decision:
    """What the reviewer decides. Raises `RequestRefused` for what is no number."""
    said = [str(form.get(name) or "").strip() for name in ("comment", "saved")]
    comment = "\n\n".join(text for text in said if text)
    reason = str(form.get("reason") or "").strip()
    if act is Act.POINTS:
        return Decision(_number(str(form.get("act")).removeprefix(_POINTS)), {}, comment, reason)
    concepts = {
        name.removeprefix(_CONCEPT): _number(str(value))
        for name, value in form.items()
        if name.startswith(_CONCEPT) and str(value).strip()
    }
    total = str(form.get("points") or "").strip()
    return Decision(_number(total) if total and not concepts else None, concepts, comment, reason)


def read_follows(form: FormData) -> int:
    """The newest decision that the page showed, 0 for none. Raises `RequestRefused` for what is no number."""
    follows = read_number(form.get("follows") or 0)
    if follows is None:
        raise RequestRefused("The form is not as the page made it: reload the page.")
    return follows


def read_reply(form: FormData) -> str:
    """The answer to the student's question; "" for none."""
    return str(form.get("reply") or "").strip()


def _number(text: str) -> float:
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        raise RequestRefused(f"{text[:20]!r} is no number of points.") from None
