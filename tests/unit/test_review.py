"""What a reviewer may decide, and which answers one decision may be offered to."""

from __future__ import annotations

import math
from typing import Any

import pytest

from grader.domain.grade import ItemGrade, ItemState
from grader.errors import RequestRefused
from grader.services.review.anonymity import derive_pseudonym
from grader.services.review.decision import Decision, check_decision, read_proposal
from grader.services.review.similar import find_alike

ITEM = ItemGrade("q1", "Why", 0.0, 4.0, ItemState.NEEDS_REVIEW, None, "A teacher reads it.")
WORTH = {"a": 3.0, "b": 1.0}
BASE = "The bottleneck forces the network to keep the important features because it cannot store every pixel."


def test_points_by_concept_add_up() -> None:
    assert check_decision(Decision(concepts={"a": 2.5, "b": 0.25}), ITEM, WORTH).points == 2.75
    assert check_decision(Decision(2.75, {"a": 2.5, "b": 0.25}), ITEM, WORTH).points == 2.75
    assert check_decision(Decision(concepts={"a": 0.1, "b": 0.2}), ITEM, WORTH).points == 0.3


@pytest.mark.parametrize("points", [0.0, 4.0, 3.99, 0.07, 1.15])
def test_hundredths_from_nothing_to_all_are_points(points: float) -> None:
    assert check_decision(Decision(points), ITEM, WORTH).points == points


@pytest.mark.parametrize(
    ("decision", "said"),
    [
        (Decision(), "Give the points"),
        (Decision(-0.01), "0 to 4"),
        (Decision(4.01), "0 to 4"),
        (Decision(math.nan), "0 to 4"),
        (Decision(math.inf), "0 to 4"),
        (Decision(1.005), "hundredths"),
        (Decision(concepts={"c": 1.0}), "no concept"),
        (Decision(concepts={"a": 3.5}), "0 to 3"),
        (Decision(concepts={"b": math.nan}), "0 to 1"),
        (Decision(concepts={"a": -1.0, "b": 1.0}), "0 to 3"),
        (Decision(3.0, {"a": 2.0}), "add up to 2"),
        (Decision(1.0, comment="x" * 4001), "0 to 4000"),
        (Decision(1.0, comment="a\0b"), "NUL"),
        (Decision(1.0, reason="x" * 1001), "0 to 1000"),
    ],
)
def test_what_does_not_add_up_is_refused(decision: Decision, said: str) -> None:
    with pytest.raises(RequestRefused, match=said):
        check_decision(decision, ITEM, WORTH)


def test_what_is_proposed_is_given_in_hundredths() -> None:
    concepts = [
        {"id": "a", "points": 0.665, "max_points": 1.33},
        {"id": "b", "points": 1.0, "max_points": 1.0},
    ]
    evidence: dict[str, Any] = {"proposal": {"points": 1.665, "concepts": concepts}}
    item = ItemGrade("q1", "Why", 0.0, 4.0, ItemState.NEEDS_REVIEW, None, "", evidence)
    decision = read_proposal(item, "Well said.", "")
    assert decision.points in (1.66, 1.67)
    assert decision.comment == "Well said."
    with pytest.raises(RequestRefused, match="Nothing is proposed"):
        read_proposal(ITEM, "", "")


@pytest.mark.parametrize(
    "other",
    [
        BASE.upper(),
        BASE.replace("cannot", "can't").replace(".", "!"),
        "Because it cannot store every pixel, the bottleneck forces the network to keep important features.",
        BASE.replace("important features", "most important features"),
        BASE.replace("bottleneck", "botleneck"),
    ],
)
def test_the_same_said_nearly_the_same_is_alike(other: str) -> None:
    assert find_alike(BASE, {"other": other})["other"] >= 85


@pytest.mark.parametrize(
    "other",
    [
        BASE.replace("cannot", "can"),
        BASE.replace("forces", "does not force"),
        BASE.replace("important", "unimportant"),
        "PCA is linear.",
        "features",
        "",
        "?!",
    ],
)
def test_what_is_turned_round_or_less_is_never_alike(other: str) -> None:
    assert find_alike(BASE, {"other": other}) == {}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "The test loss is higher than the training loss.",
            "The training loss is higher than the test loss.",
        ),
        ("The test loss is higher than the training loss.", "The test loss is lower than the training loss."),
        ("A code of 2 numbers keeps little of it.", "A code of 8 numbers keeps little of it."),
        ("The model overfits the training data badly.", "The model underfits the training data badly."),
    ],
)
def test_comparisons_numbers_and_opposites_must_agree(one: str, other: str) -> None:
    assert find_alike(one, {"other": other}) == {}
    assert find_alike(one, {"itself": one}) == {"itself": 100.0}


def test_a_pseudonym_is_stable_and_differs_by_person_assignment_course_and_secret() -> None:
    secret, other = "ab" * 32, "cd" * 32
    name = derive_pseudonym(secret, "cs101", "hw", "ada")
    assert name == derive_pseudonym(secret, "cs101", "hw", "ada")
    others = {
        derive_pseudonym(secret, "cs101", "hw", "ben"),
        derive_pseudonym(secret, "cs101", "hw2", "ada"),
        derive_pseudonym(secret, "cs102", "hw", "ada"),
        derive_pseudonym(other, "cs101", "hw", "ada"),
    }
    assert len(others | {name}) == 5
    assert "ada" not in name.casefold()


def test_in_a_large_class_hardly_two_share_a_pseudonym() -> None:
    names = {derive_pseudonym("ab" * 32, "cs101", "hw", f"u{number}") for number in range(10_000)}
    assert len(names) >= 9_998
