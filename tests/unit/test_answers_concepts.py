"""Concepts: what is said, what is said the other way round, and where it stands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from grader.checks.answers.propose import propose
from grader.checks.answers.record import record_proposal
from grader.checks.judge import judge
from grader.checks.registry import CHECKS
from grader.domain.answers import Answer, AnswerState
from grader.domain.grade import ItemState
from grader.domain.proposal import Rule
from grader.domain.rubric import Alone
from tests.unit.judging import answered, make_evidence, run_check
from tests.unit.marked import DATA, SETS, homework, proposed, written_items


def _concept(key: str, text: str, at: int):  # type: ignore[no-untyped-def]
    return proposed(key, text).concepts[at]


@pytest.mark.parametrize("item", written_items(), ids=lambda item: item.key)
def test_every_statement_earns_its_concept_and_no_misconception_does(item) -> None:  # type: ignore[no-untyped-def]
    for at, concept in enumerate(item.concepts):
        for statement in concept.statements:
            assert _concept(item.key, statement, at).level >= 0.8, statement
        for misconception in concept.misconceptions:
            assert _concept(item.key, misconception, at).level == 0, misconception


@pytest.mark.parametrize(
    ("key", "at", "right", "wrong"),
    [
        ("q1", 0, "It cannot store every input.", "It can store every input."),
        (
            "q1",
            1,
            "It has to learn the patterns of the data.",
            "It does not have to learn the patterns of the data.",
        ),
        ("q5", 2, "The outputs of VAEs are blurrier.", "The outputs of VAEs are sharper."),
        ("q7", 1, "The model can remove noise.", "The model is not able to remove noise."),
        (
            "q7",
            0,
            "The features are insensitive to noise in the data.",
            "The features are sensitive to noise in the data.",
        ),
        ("q8", 0, "PCA is linear, the autoencoder nonlinear.", "PCA is nonlinear, the autoencoder linear."),
        (
            "q8",
            2,
            "The autoencoder is slower to train than PCA.",
            "The autoencoder is faster to train than PCA.",
        ),
        ("q9", 1, "It can be used to generate new images.", "It cannot be used to generate new images."),
        (
            "q10",
            0,
            "Similar photos are near each other in the latent space.",
            "Similar photos are far apart in the latent space.",
        ),
    ],
)
def test_a_sentence_turned_round_earns_less_than_the_sentence(
    key: str, at: int, right: str, wrong: str
) -> None:
    assert _concept(key, right, at).level > _concept(key, wrong, at).level
    assert _concept(key, wrong, at).level == 0


def test_who_says_not_only_denies_nothing() -> None:
    text = "It does not only learn the patterns that digits share, but also how to draw them."
    assert _concept("q1", text, 1).level == 1


def test_a_misconception_is_named_with_the_words_that_it_rests_on() -> None:
    text = "Noise is bad. The model just memorizes the noise."
    concept = _concept("q7", text, 0)
    assert concept.rule is Rule.MISCONCEPTION
    assert concept.matched == "The model memorizes the noise."
    assert concept.span is not None
    assert text[concept.span.start : concept.span.end] == "The model just memorizes the noise"


@pytest.mark.parametrize(
    "text",
    [
        "1. similar strokes 2. compares pixel by pixel 3. compact, no noise",
        "1) similar strokes\n2) compares pixel by pixel\n3) compact, no noise",
        "a) similar strokes\nb) compares pixel by pixel\nc) compact, no noise",
    ],
)
def test_under_its_number_a_terse_answer_is_not_lost(text: str) -> None:
    assert proposed("q2", text).points == 4


def test_under_another_number_the_same_words_earn_less() -> None:
    right = proposed("q2", "1. similar strokes 2. compares pixel by pixel 3. compact, no noise")
    shuffled = proposed("q2", "1. compact, no noise 2. similar strokes 3. compares pixel by pixel")
    assert shuffled.points < right.points


def test_the_same_words_do_not_earn_twice() -> None:
    text = "PCA is linear and the autoencoder is nonlinear."
    assert [concept.level for concept in proposed("q8", text).concepts] == [1, 0, 0]


def test_an_answer_scored_twice_gives_the_same_bytes() -> None:
    for name in SETS:
        for entry in json.loads((DATA / f"{name}.json").read_text("utf-8"))["answers"]:
            first, second = (
                json.dumps(record_proposal(proposed(entry["question"], entry["answer"]))) for _ in range(2)
            )
            assert first == second


def test_a_proposal_is_complete_and_consistent() -> None:
    for name in SETS:
        for entry in json.loads((DATA / f"{name}.json").read_text("utf-8"))["answers"]:
            proposal = proposed(entry["question"], entry["answer"])
            assert proposal.points == pytest.approx(sum(concept.points for concept in proposal.concepts))
            assert 0 <= proposal.doubt <= 1
            assert len(proposal.features) == 2 + 5 * len(proposal.concepts)
            for concept in proposal.concepts:
                assert concept.level in (0, 0.3, 0.8, 1)
                assert (concept.span is None) == (concept.matched == "")
                if concept.span is not None:
                    assert 0 <= concept.span.start < concept.span.end <= len(entry["answer"])


def test_features_have_the_same_names_for_every_answer_to_a_question() -> None:
    texts = ["I don't know", "It copies.", "1. a 2. b 3. c", "The model must learn the patterns of the data."]
    assert len({tuple(proposed("q1", text).features) for text in texts}) == 1


@pytest.mark.parametrize(
    "text", ["[" * 5000, "not " * 5000, "1. x " * 4000, "\n" * 20000, "\u200b", "\x00 \ud800"]
)
def test_no_text_is_too_odd_to_be_read(text: str) -> None:
    assert proposed("q1", text).points == 0


def test_the_question_is_known_again_until_its_words_change_whatever_its_points() -> None:
    item = next(item for item in written_items() if item.key == "q1")
    part = homework().rubric.part("q1")
    dearer = replace(item, concepts=tuple(replace(c, points=2 * c.points) for c in item.concepts))
    first, *others = item.concepts
    reworded = replace(item, concepts=(replace(first, statements=("It is too small.",)), *others))
    known = propose("It copies.", item, part).question_sha256
    assert propose("It learns.", dearer, part).question_sha256 == known
    assert propose("It copies.", reworded, part).question_sha256 != known
    assert propose("It copies.", item, replace(part, prompt="Why?")).question_sha256 != known


def test_an_item_without_concepts_is_proposed_for_nothing_and_goes_to_a_human() -> None:
    result = run_check("short_answer", make_evidence(answered("The gap is large.")))
    assert "proposal" not in result.evidence
    assert (result.state, result.confidence) == (ItemState.NEEDS_REVIEW, None)


def test_the_record_of_an_answer_quotes_the_judged_text() -> None:
    item = next(item for item in written_items() if item.key == "q1")
    text = "Well. It must learn the patterns that the digits share."
    evidence = make_evidence(Answer("q1", AnswerState.ANSWERED, text, cells=(7,)))
    record = CHECKS["short_answer"](evidence, item, homework().rubric.part("q1")).evidence
    start, end = record["proposal"]["concepts"][1]["span"]
    assert record["text"][start:end] == "It must learn the patterns that the digits share"


@pytest.mark.parametrize("policy", list(Alone))
def test_the_policy_says_which_written_answers_are_decided_without_a_human(policy: Alone) -> None:
    rubric = homework().rubric
    rubric = replace(rubric, policy=replace(rubric.policy, written_answers=policy))
    evidence = make_evidence(
        Answer("q1", AnswerState.ANSWERED, "It copies."), Answer("q2", AnswerState.BLANK)
    )
    states = {item.key: item.state for item in judge(rubric, evidence).items}
    assert states["q1"] is ItemState.NEEDS_REVIEW
    alone = ItemState.NEEDS_REVIEW if policy is Alone.NOTHING else ItemState.AUTO
    assert states["q2"] is states["q3.explanation"] is states["ex1.observations"] is alone
    assert states["q3.choice"] is ItemState.AUTO


def test_another_process_gives_the_same_bytes_whatever_the_order_of_its_sets() -> None:
    script = (
        "import json; from tests.unit.marked import DATA, proposed; "
        "from grader.checks.answers.record import record_proposal; "
        "entries = json.loads((DATA / 'answers_held_out.json').read_text('utf-8'))['answers']; "
        "print(json.dumps([record_proposal(proposed(e['question'], e['answer'])) for e in entries]))"
    )
    said = {
        subprocess.check_output(
            [sys.executable, "-c", script], cwd=DATA.parents[1], env=os.environ | {"PYTHONHASHSEED": seed}
        )
        for seed in ("1", "2")
    }
    assert len(said) == 1


def test_what_is_right_in_one_sentence_and_wrong_in_another_keeps_half_and_is_doubted() -> None:
    right = "There is not enough capacity to store every input."
    wrong = "The model can memorize all training inputs."
    proposal = proposed("q1", f"{right} Still, I believe that this happens in practice. {wrong}")
    assert proposal.concepts[0].level >= 0.5
    assert proposal.doubt >= 0.5
    assert proposed("q1", wrong).concepts[0].level == 0


@pytest.mark.parametrize(
    ("key", "at", "text"),
    [
        ("q8", 0, "PCA is linear. The autoencoder is for data where linear is not enough."),
        ("q6.explanation", 0, "It must not be so small that it loses almost everything."),
    ],
)
def test_not_enough_and_not_so_deny_what_they_should(key: str, at: int, text: str) -> None:
    assert _concept(key, text, at).level > 0
