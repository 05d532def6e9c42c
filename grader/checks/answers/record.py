"""A proposal as JSON in an item's record, and back: what was found once stands for the same answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grader.domain.proposal import ConceptProposal, Gate, Proposal, Rule, Span
from grader.domain.rubric import Item, Part

from .propose import price
from .statements import read_question

_FIELDS = ("points", "max_points", "doubt", "question_sha256", "gates", "concepts", "features")


def record_proposal(proposal: Proposal) -> dict[str, Any]:
    """A proposal as JSON: points, gates, and per concept the rule, the statement and the span of the text."""
    return {
        "points": proposal.points,
        "max_points": proposal.max_points,
        "doubt": proposal.doubt,
        "question_sha256": proposal.question_sha256,
        "gates": [gate.value for gate in proposal.gates],
        "concepts": [
            {
                "id": concept.id,
                "points": concept.points,
                "max_points": concept.max_points,
                "level": concept.level,
                "rule": concept.rule.value,
                "matched": concept.matched,
                "span": [concept.span.start, concept.span.end] if concept.span else None,
            }
            for concept in proposal.concepts
        ],
        "features": dict(proposal.features),
    }


def find_again(record: Mapping[str, Any], text: str, item: Item, part: Part) -> dict[str, Any] | None:
    """What an earlier record of the item says of the same answer to the same question, under today's points.

    Equal to the record of what `propose` says. None where question or answer are others, or the record is
    no such one: one that keeps but the beginning of an answer is of no use.
    """
    kept = record.get("proposal")
    if not isinstance(kept, Mapping) or record.get("text") != text:
        return None
    if kept.get("question_sha256") != read_question(item, part).sha256:
        return None
    try:
        if _has_prices(kept, item):
            return {name: kept[name] for name in _FIELDS}
        return record_proposal(price(_read(kept), item))
    except (KeyError, ValueError, TypeError):  # written by another release
        return None


def _has_prices(record: Mapping[str, Any], item: Item) -> bool:
    worth = [concept["max_points"] for concept in record["concepts"]]
    return record["max_points"] == item.points and worth == [concept.points for concept in item.concepts]


def _read(record: Mapping[str, Any]) -> Proposal:
    return Proposal(
        points=record["points"],
        max_points=record["max_points"],
        gates=tuple(Gate(gate) for gate in record["gates"]),
        concepts=tuple(
            ConceptProposal(
                concept["id"],
                concept["points"],
                concept["max_points"],
                concept["level"],
                Rule(concept["rule"]),
                concept["matched"],
                Span(*concept["span"]) if concept["span"] else None,
            )
            for concept in record["concepts"]
        ),
        doubt=record["doubt"],
        question_sha256=record["question_sha256"],
        features=record["features"],
    )
