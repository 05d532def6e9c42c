"""What a reviewer decides on one answer, and whether it adds up. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from grader.domain.grade import ItemGrade
from grader.domain.override import Override
from grader.domain.rubric import Item
from grader.errors import RequestRefused

_MOST_COMMENT = 4000
_MOST_REASON = 1000
_CENT = 0.01


@dataclass(frozen=True, slots=True)
class Decision:
    """``points`` None: the sum of ``concepts``, which are points by concept; those left out get 0."""

    points: float | None = None
    concepts: Mapping[str, float] = field(default_factory=dict)
    comment: str = ""  # for the student
    reason: str = ""  # for the record


def check_decision(decision: Decision, item: ItemGrade, worth: Mapping[str, float]) -> Decision:
    """The decision with its points worked out. ``worth`` is what each concept may get.

    Raises `RequestRefused` for points outside 0 to the item's, with fractions of hundredths, or that are
    not the sum of their concepts; for unknown concepts; and for texts that are too long.
    """
    check_text("comment", decision.comment, _MOST_COMMENT)
    check_text("reason", decision.reason, _MOST_REASON)
    for concept, points in decision.concepts.items():
        if concept not in worth:
            known = ", ".join(worth) or "none"
            raise RequestRefused(f"{item.key} has no concept {concept[:64]!r}; it has: {known}.")
        _check_points(concept, points, worth[concept])
    total = decision.points
    if decision.concepts:
        total = round(sum(decision.concepts.values()), 2)
        if decision.points is not None and abs(decision.points - total) >= _CENT / 2:
            raise RequestRefused(f"The concepts add up to {total:g} points, not to {decision.points:g}.")
    if total is None:
        raise RequestRefused("Give the points, or points by concept.")
    _check_points(item.key, total, item.max_points)
    return replace(decision, points=round(total, 2))


def read_proposal(item: ItemGrade, comment: str, reason: str) -> Decision:
    """What the machine proposes, as a decision. Raises `RequestRefused` where it proposes nothing."""
    proposal = item.evidence.get("proposal")
    if proposal is None:
        raise RequestRefused("Nothing is proposed for this answer: give the points yourself.")
    check_text("comment", comment, _MOST_COMMENT)
    check_text("reason", reason, _MOST_REASON)
    corrected = proposal.get("corrected")
    proposed = proposal["points"] if corrected is None else corrected
    points = round(min(float(proposed), item.max_points), 2)
    concepts = {one["id"]: round(float(one["points"]), 2) for one in proposal["concepts"]}
    if abs(sum(concepts.values()) - points) >= _CENT / 2:
        concepts = {}  # other reviewers' marks have corrected the total, of which concepts are no part
    return Decision(points, concepts, comment, reason)


def list_worth(item: ItemGrade, now: Item | None) -> dict[str, float]:
    """What each concept of an answer is worth: as it was judged, or else by the rubric as it stands."""
    proposal = item.evidence.get("proposal")
    if proposal is not None:
        return {one["id"]: float(one["max_points"]) for one in proposal["concepts"]}
    return {concept.id: concept.points for concept in now.concepts} if now else {}


def as_override(decision: Decision, item: str, actor: str) -> Override:
    """The decision as it is kept."""
    return Override(item, decision.points, actor, decision.reason, decision.comment, dict(decision.concepts))


def _check_points(name: str, points: float, most: float) -> None:
    if not math.isfinite(points) or not 0 <= points <= most + _CENT / 2:
        raise RequestRefused(f"{name} gets 0 to {most:g} points, not {points:g}.")
    if abs(points * 100 - round(points * 100)) > 1e-6:
        raise RequestRefused(f"Points are given in hundredths: {points!r} of {name} is none.")


def check_text(name: str, text: str, most: int, least: int = 0) -> None:
    """Raise `RequestRefused` for a text that is too short, too long, or that no database takes."""
    if not least <= len(text) <= most:
        raise RequestRefused(f"The {name} has {least} to {most} characters; this one has {len(text)}.")
    if "\0" in text or text.encode("utf-8", "ignore").decode() != text:
        raise RequestRefused(f"The {name} holds NUL or half a character: leave it out.")
