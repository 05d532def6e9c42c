"""What is named only to be denied earns nothing for certain; what is right and has a negation stays clear."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from grader.checks.answers.denial import find_denied
from grader.checks.answers.polarity import find_sizes, sign_words
from grader.checks.answers.words import split_words
from tests.unit.marked import SETS, marked, proposed, written_items

_SURE = 0.3  # doubt up to which an answer may be accepted without a human


def _as_clause(statement: str) -> str:
    return statement[0].lower() + statement[1:-1]


DENIALS: dict[str, Callable[[str], str]] = {
    "not true": lambda said: f"It is not true that {_as_clause(said)}.",
    "false": lambda said: f"{said} That is false.",
    "wrong": lambda said: f"Some people claim that {_as_clause(said)}, but they are wrong.",
    "not believed": lambda said: f"I do not believe that {_as_clause(said)}.",
    "opposite": lambda said: f"The opposite is the case: {said}",
}


@pytest.mark.parametrize("form", DENIALS)
@pytest.mark.parametrize("item", written_items(), ids=lambda item: item.key)
def test_no_statement_that_is_denied_earns_for_certain(item, form: str) -> None:  # type: ignore[no-untyped-def]
    for at, concept in enumerate(item.concepts):
        for statement in concept.statements:
            text = DENIALS[form](statement)
            found = proposed(item.key, text)
            assert found.concepts[at].level == 0 or found.doubt > _SURE, text


@pytest.mark.parametrize("form", ["not true", "false", "wrong", "not believed"])
def test_most_statements_that_are_denied_earn_nothing_at_all(form: str) -> None:
    levels = [
        proposed(item.key, DENIALS[form](statement)).concepts[at].level
        for item in written_items()
        for at, concept in enumerate(item.concepts)
        for statement in concept.statements
    ]
    assert sum(level == 0 for level in levels) >= 0.7 * len(levels)


@pytest.mark.parametrize("item", written_items(), ids=lambda item: item.key)
def test_all_of_an_answer_denied_is_no_clear_answer(item) -> None:  # type: ignore[no-untyped-def]
    said = [concept.statements[0] for concept in item.concepts]
    for form in DENIALS.values():
        assert proposed(item.key, " ".join(map(form, said))).doubt > _SURE


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("q4", "The target is not the input itself."),
        ("q4", "The target is never the input itself, it is the class."),
        ("q4", "The latent vectors from the encoder must never be used as features for a classifier."),
        ("q9", "The decoded midpoint is neither a blend of the two images nor realistic."),
        ("q9", "The decoded midpoint is anything but a blend of the two images."),
        ("q2", "I doubt that pixel distance measures raw intensity differences at each location."),
        (
            "q7",
            "I disagree with the claim that adding noise creates many variations of each training sample.",
        ),
        ("q10", "It is a myth that pixel values change with lighting, angle, scale or position."),
        ("q3.explanation", "A small gap between training and test loss is the sign of overfitting."),
        ("q6.explanation", "256 numbers lose all important structure of the image."),
    ],
)
def test_a_word_that_may_turn_what_it_stands_beside_calls_a_human(key: str, text: str) -> None:
    found = proposed(key, text)
    assert found.points == 0 or found.doubt >= 0.5


def _turned(text: str) -> list[str]:
    words = split_words(text)
    return [said.word.text for said in sign_words(words, denied=find_denied([words])[0]) if said.sign < 0]


@pytest.mark.parametrize(
    ("text", "turned"),
    [
        ("It is not true that it stores images.", "it stores images"),
        ("It is not true that it cannot store images.", "it can not"),
        ("I don't think it stores images, but it learns strokes.", "it stores images"),
        ("It is wrong to say that it stores images: it learns strokes.", "it stores images"),
        ("The claim that it stores images is wrong.", "it stores images is"),
        ("There is no doubt that it stores images.", ""),
        ("It is not wrong to say that it stores images.", ""),
        ("It stores images, but C is wrong.", "but c is"),
        ("The loop is on the right and the encoder keeps it.", ""),
    ],
)
def test_a_denial_reaches_what_it_speaks_of_and_no_further(text: str, turned: str) -> None:
    assert " ".join(_turned(text)) == turned


def test_a_verdict_denies_the_sentence_before_it() -> None:
    sentences = [split_words(text) for text in ("It stores images.", "That is wrong.", "It learns strokes.")]
    assert [bool(denied.flips) for denied in find_denied(sentences)] == [True, False, False]


def test_sizes_belong_to_the_thing_that_has_them() -> None:
    said = find_sizes(
        sign_words(split_words("A tiny shift gives a large distance and the gap is not small."))
    )
    assert said == {("shift", -1), ("distanc", 1), ("gap", 1)}


def test_right_answers_full_of_negations_stay_clear() -> None:
    right = [entry for name in SETS for entry in marked(name) if entry.points >= 0.75 * entry.item.points]
    found = [(entry, proposed(entry.item.key, entry.text)) for entry in right]
    near = [p for entry, p in found if not p.gates and abs(p.points - entry.points) <= p.max_points / 4]
    assert sum(p.doubt <= _SURE for p in near) > 0.5 * len(near)
