"""Written answers and choices: what is certain is graded, everything else waits for a human."""

from __future__ import annotations

import json

import pytest

from grader.domain.answers import Answer, AnswerState, Candidate
from grader.domain.grade import CheckResult, ItemState
from tests.unit.judging import answered, candidate, make_evidence, run_check

KEY = {"key": "B"}
WRITTEN = ["short_answer", "observations"]
ZERO = (0.0, ItemState.AUTO)
REVIEW = (0.0, ItemState.NEEDS_REVIEW)


def verdict(result: CheckResult) -> tuple[float, ItemState]:
    return (result.share, result.state)


@pytest.mark.parametrize("check", WRITTEN)
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer("q3", AnswerState.BLANK), ZERO),
        (Answer("q3", AnswerState.PLACEHOLDER), ZERO),
        (answered(" \n"), ZERO),
        (answered("Because the gap is large."), REVIEW),
        (answered("?"), REVIEW),
        (Answer("q3", AnswerState.AMBIGUOUS, "one\n\ntwo"), REVIEW),
        (Answer("q3", AnswerState.MISSING), ZERO),
        (Answer("q3", AnswerState.MISSING, candidates=(candidate(0.1),)), REVIEW),
        (Answer("q3", AnswerState.BLANK, candidates=(candidate(),)), REVIEW),
    ],
)
def test_only_nothing_is_graded_without_a_human(
    check: str, answer: Answer, expected: tuple[float, ItemState]
) -> None:
    assert verdict(run_check(check, make_evidence(answer))) == expected


@pytest.mark.parametrize(
    ("state", "score"),
    [
        (AnswerState.MISSING, 0.0),
        (AnswerState.PLACEHOLDER, 0.8),
        (AnswerState.BLANK, 0.8),
        (AnswerState.BLANK, 0.0),
    ],
)
def test_what_could_not_be_mapped_is_not_lost(state: AnswerState, score: float) -> None:
    result = run_check("short_answer", make_evidence(Answer("q3", state), unmapped=[candidate(score)]))
    assert verdict(result) == REVIEW
    assert result.evidence["candidates"] == [{"cell": 11, "excerpt": "the gap is large", "score": score}]
    assert "cell 12" in result.feedback


def test_among_very_many_unplaced_cells_a_human_looks_for_what_is_meant() -> None:
    names = [Candidate(cell, "Ada", 0.0) for cell in range(101)]
    blank = Answer("q3", AnswerState.BLANK)
    assert verdict(run_check("short_answer", make_evidence(blank, unmapped=names[:100]))) == ZERO
    assert verdict(run_check("short_answer", make_evidence(blank, unmapped=names))) == REVIEW


def test_a_part_that_old_evidence_does_not_know_is_missing() -> None:
    assert verdict(run_check("short_answer", make_evidence())) == ZERO


def test_the_reviewer_finds_the_words_and_their_cells_in_the_record() -> None:
    result = run_check("short_answer", make_evidence(answered("The gap. " * 1000)))
    assert result.evidence["cells"] == [7]
    assert result.evidence["text"].startswith("The gap.")
    assert len(result.evidence["text"]) == 4000


def test_feedback_on_nothing_says_where_to_write() -> None:
    feedback = run_check("short_answer", make_evidence(Answer("q3", AnswerState.PLACEHOLDER))).feedback
    assert "placeholder is unchanged in Question 3 (Loss)" in feedback
    assert "Write your answer below" in feedback


@pytest.mark.parametrize(
    ("text", "share", "state"),
    [
        ("B", 1.0, ItemState.AUTO),
        ("A", 0.0, ItemState.AUTO),
        ("A or B", 0.0, ItemState.NEEDS_REVIEW),
        ("hm", 0.0, ItemState.NEEDS_REVIEW),
        (" ", 0.0, ItemState.AUTO),
        ("[Write your answer here - e.g., 'B']", 0.0, ItemState.AUTO),
    ],
)
def test_a_choice_is_right_wrong_unreadable_or_absent(text: str, share: float, state: ItemState) -> None:
    assert verdict(run_check("choice", make_evidence(answered(text)), KEY)) == (share, state)


@pytest.mark.parametrize("text", ["A", "A or B", "", "hm", "[Write your answer here - e.g., 'B']"])
def test_no_feedback_gives_the_right_letter_away(text: str) -> None:
    two = {"key": "B"}, {"key": "A"} if text != "A" else {"key": "B"}
    told = [run_check("choice", make_evidence(answered(text)), params) for params in two]
    assert told[0].feedback == told[1].feedback
    assert told[0].evidence == told[1].evidence


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer("q3", AnswerState.PLACEHOLDER), ZERO),
        (Answer("q3", AnswerState.BLANK), ZERO),
        (Answer("q3", AnswerState.MISSING), ZERO),
        (Answer("q3", AnswerState.MISSING, candidates=(candidate(),)), REVIEW),
        (Answer("q3", AnswerState.AMBIGUOUS, "A\n\nB"), REVIEW),
        (Answer("q3", AnswerState.PLACEHOLDER, explanation="B) because of the gap"), REVIEW),
        (Answer("q3", AnswerState.PLACEHOLDER, explanation="because of the gap"), REVIEW),
    ],
)
def test_a_choice_that_was_not_found_for_certain_is_no_wrong_one(
    answer: Answer, expected: tuple[float, ItemState]
) -> None:
    assert verdict(run_check("choice", make_evidence(answer), KEY)) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (answered("B"), ZERO),
        (answered("B", explanation_state=AnswerState.PLACEHOLDER), ZERO),
        (answered("B", explanation_state=AnswerState.MISSING), ZERO),
        (answered("B", explanation_state=AnswerState.MISSING, candidates=(candidate(),)), REVIEW),
        (answered("B", explanation="The gap.", explanation_state=AnswerState.ANSWERED), REVIEW),
        (answered("A", explanation="The gap.", explanation_state=AnswerState.ANSWERED), REVIEW),
        (answered("B", explanation=" ", explanation_state=AnswerState.ANSWERED), ZERO),
        (answered("B because the gap is large"), REVIEW),
        (answered("B because the gap is large", explanation_state=AnswerState.MISSING), REVIEW),
        (answered("B) The model is overfitting"), ZERO),
        (Answer("q3", AnswerState.AMBIGUOUS, "A\n\nB"), REVIEW),
        (Answer("q3", AnswerState.MISSING, explanation_state=AnswerState.MISSING), ZERO),
    ],
)
def test_an_explanation_is_scored_apart_from_its_choice(
    answer: Answer, expected: tuple[float, ItemState]
) -> None:
    assert verdict(run_check("explanation", make_evidence(answer))) == expected


@pytest.mark.parametrize("check", ["choice", "explanation", "short_answer"])
def test_every_record_can_be_stored_as_json(check: str) -> None:
    answer = answered("hm", explanation="so", candidates=(candidate(),))
    record = run_check(check, make_evidence(answer), KEY if check == "choice" else {}).evidence
    assert json.loads(json.dumps(record)) == record


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("1. it is too small\n3. B", REVIEW),
        ("Answer 1: it is too small", REVIEW),
        ("| 1 | too small |", REVIEW),
        ("Der Code ist viel zu klein, um jedes Bild zu speichern, also lernt er Formen.", REVIEW),
        ("Ada Lovelace, group 7", ZERO),
        ("![image]()", ZERO),
    ],
)
def test_all_answers_in_one_cell_that_names_no_question_are_not_lost(
    words: str, expected: tuple[float, ItemState]
) -> None:
    evidence = make_evidence(Answer("q3", AnswerState.PLACEHOLDER), unmapped=[Candidate(18, words, 0.2)])
    assert verdict(run_check("short_answer", evidence)) == expected
    assert verdict(run_check("choice", evidence, KEY)) == expected


def test_a_reason_that_stands_beside_an_unreadable_choice_is_not_lost() -> None:
    evidence = make_evidence(answered("Test loss is ten times the train loss so it is overfitting"))
    assert verdict(run_check("choice", evidence, KEY)) == REVIEW
    assert verdict(run_check("explanation", evidence)) == REVIEW


def test_feedback_counts_as_people_do() -> None:
    assert "(1 word)" in run_check("short_answer", make_evidence(answered("copies"))).feedback
    one = Answer("q3", AnswerState.BLANK, candidates=(candidate(), candidate()))
    assert "but cell 12 may" in run_check("short_answer", make_evidence(one)).feedback
    two = Answer("q3", AnswerState.BLANK, candidates=(candidate(), Candidate(12, "more", 0.8)))
    assert "but cells 12, 13 may" in run_check("short_answer", make_evidence(two)).feedback


def test_an_exercise_has_no_placeholder_to_speak_of() -> None:
    untouched = Answer("q3", AnswerState.PLACEHOLDER)
    assert "placeholder" not in run_check("observations", make_evidence(untouched)).feedback
