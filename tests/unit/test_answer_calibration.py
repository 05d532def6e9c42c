"""What reviewers' marks teach: corrections, how sure they are, and what is never accepted all the same."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader import web
from grader.checks.answers.calibration import MOST_DOUBT, correct, fit
from grader.checks.answers.certainty import weigh
from grader.checks.answers.record import record_proposal
from grader.checks.judge import judge, version_of
from grader.domain.answer_calibration import AnswerCalibration, MarkedProposal
from grader.domain.answers import Answer, AnswerState
from grader.domain.evidence import Evidence
from grader.domain.grade import ItemGrade, ItemState
from grader.domain.opinion import Opinion, OpinionState
from grader.domain.proposal import Gate, Hold
from grader.domain.rubric import Alone, Policy, Rubric
from grader.storage.codec import dump, load
from tests.unit.judging import make_evidence
from tests.unit.marked import SETS, homework, marked_proposals, proposed

GOOD = (
    "1. The 32-number code has not enough room to store all 784 pixel values of every training image. "
    "2. It has to discover the regularities that images share, such as strokes and shapes. 3. With 784 "
    "latent units nothing is squeezed out, so the network can pass the input "
    "straight through and learns nothing."
)
QUESTION = proposed("q1", GOOD).question_sha256


def mark(given: float, proposed_share: float, doubt: float = 0.0, words: int = 20) -> MarkedProposal:
    features = {"words": float(words), "q.c1.stated": proposed_share, "q.c1.misconception": 0.0}
    return MarkedProposal(given, proposed_share, doubt, features)


def fitted(marks: list[MarkedProposal], question: str = QUESTION) -> AnswerCalibration:
    found = fit(question, marks)
    assert found is not None
    return found


def agreeing(count: int, question: str = QUESTION) -> AnswerCalibration:
    """Humans gave what was proposed for so many different answers."""
    return fitted([mark(at % 5 / 4, at % 5 / 4, words=at) for at in range(count)], question)


def test_four_marks_teach_nothing() -> None:
    assert fit("q", [mark(1.0, 0.5, words=at) for at in range(4)]) is None


def test_equal_answers_with_the_same_mark_count_once() -> None:
    assert fit("q", [mark(1.0, 0.5)] * 100) is None
    known = [mark(at % 5 / 4, at % 5 / 4, words=at) for at in range(10)]
    assert fitted(known + known[:1] * 100) == fitted(known)
    assert fitted([*known, mark(0.75, 0.0, words=0)]).marks == 11  # who disagrees says something else


def test_five_marks_repair_the_level_of_a_strict_marker() -> None:
    calibration = fitted([mark(share / 2, share) for share in (0.0, 0.25, 0.5, 0.75, 1.0)])
    features = mark(0, 1.0).features
    assert correct(calibration, 1.0, 0.0, features).share < 0.9
    assert calibration.rmse < 0.8 * calibration.rmse_proposed


@pytest.mark.parametrize("count", [5, 8, 18, 19, 40])
def test_so_many_marks_never_claim_more_than_they_can(count: int) -> None:
    sure = correct(agreeing(count), 0.5, 0.0, mark(0, 0.5).features).confidence
    assert sure == pytest.approx(count / (count + 1), abs=1e-5)
    assert (sure >= 0.95) == (count >= 19)


def test_the_order_of_the_marks_is_no_matter() -> None:
    marks = marked_proposals(SETS[2])
    shuffled = random.Random(1).sample(marks, len(marks))
    assert fitted(marks) == fitted(shuffled)


def test_each_error_is_that_of_a_fit_without_the_mark() -> None:
    marks = marked_proposals(SETS[2])[:30]
    scores = []
    for at, left_out in enumerate(marks):
        without = fitted(marks[:at] + marks[at + 1 :])
        found = correct(without, left_out.proposed, left_out.doubt, left_out.features)
        scores.append(abs(found.share - left_out.given) / found.spread)
    assert fitted(marks).errors == pytest.approx(sorted(scores), abs=1e-5)


def test_confidence_is_what_it_says_on_answers_that_it_has_not_seen() -> None:
    marks, chance = marked_proposals(*SETS), random.Random(3)
    predictions = []
    for _ in range(20):
        shuffled = chance.sample(marks, len(marks))
        calibration = fitted(shuffled[:80])
        for one in shuffled[80:]:
            found = correct(calibration, one.proposed, one.doubt, one.features)
            predictions.append((found.confidence, abs(found.share - one.given) <= 0.25))
    claimed = sum(confidence for confidence, _ in predictions) / len(predictions)
    assert sum(right for _, right in predictions) / len(predictions) >= claimed - 0.02
    certain = [right for confidence, right in predictions if confidence >= 0.95]
    assert len(certain) > 300
    assert sum(certain) / len(certain) >= 0.93


def test_a_doubtful_answer_is_less_certain_than_a_clear_one() -> None:
    calibration = fitted(marked_proposals(*SETS))
    features = marked_proposals(SETS[0])[0].features
    clear, doubtful = (correct(calibration, 0.5, doubt, features).confidence for doubt in (0.1, 0.9))
    assert clear > doubtful


def test_what_is_learned_can_be_stored() -> None:
    calibration = fitted(marked_proposals(SETS[0]))
    assert load(AnswerCalibration, dump(calibration)) == calibration


def record(text: str = GOOD) -> dict[str, Any]:
    return record_proposal(proposed("q1", text))


def opinion(
    share: float | None, state: OpinionState = OpinionState.GIVEN, question: str = QUESTION
) -> Opinion:
    return Opinion("endpoint", "a model", state, question, "p" * 64, share)


def holds(text: str = GOOD, calibration: AnswerCalibration | None = None, *said: Opinion) -> list[str]:
    found: list[str] = weigh(record(text), calibration or agreeing(100), said, placed=1.0)["holds"]
    return found


def test_nothing_holds_a_clear_answer_to_a_calibrated_question() -> None:
    assert record()["doubt"] <= MOST_DOUBT
    assert holds() == []


@pytest.mark.parametrize("count", [5, 18])
def test_few_marks_hold_everything(count: int) -> None:
    assert holds(GOOD, agreeing(count)) == ["confidence"]


@pytest.mark.parametrize(
    "text", ["I don't know.", "bottleneck, pixels, identity, code, latent, units, noise"]
)
def test_a_shut_gate_holds_the_answer(text: str) -> None:
    assert "gate" in holds(text)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("q1", "Too thin for rote. Must abstract. Otherwise y=x."),
        ("q1", "784 > 32, pigeonhole!"),
        ("q1", "It has to learn the patterns that the digits share."),  # and may say the rest in other words
        ("q3.explanation", "Rote instead of insight."),
    ],
)
def test_what_may_be_right_in_other_words_is_never_accepted_for_little(key: str, text: str) -> None:
    proposal = proposed(key, text)
    calibration = agreeing(200, proposal.question_sha256)
    assert proposal.doubt > MOST_DOUBT
    sure = {**record_proposal(proposal), "doubt": 0.0}
    assert "not_found" in weigh(sure, calibration, (), placed=1.0)["holds"]
    assert "not_found" in weigh(sure, None, (), placed=1.0)["holds"]


def test_who_does_not_know_is_held_by_that_gate_alone_as_unread() -> None:
    assert holds("I don't know.") == ["gate", "uncalibrated"]
    assert record("I don't know.")["doubt"] == 0.1


@pytest.mark.parametrize("reason", [*Hold, *Gate])
def test_every_reason_why_a_person_decides_has_words_on_the_review_page(reason: Hold | Gate) -> None:
    page = Path(web.__file__).parent / "pages" / "templates" / "review_answer.html"
    assert f'"{reason.value}": "' in page.read_text("utf-8")


def test_what_was_not_read_gets_no_correction_and_no_confidence() -> None:
    weighed = weigh(record("I don't know."), agreeing(100), placed=1.0)
    assert (weighed["corrected"], weighed["confidence"]) == (None, None)


def test_marks_of_another_version_of_the_question_say_nothing() -> None:
    assert holds(GOOD, agreeing(100, question="another")) == ["uncalibrated"]


def test_an_answer_in_a_doubtful_place_is_held() -> None:
    assert weigh(record(), agreeing(100), placed=0.6)["holds"] == ["place"]


def test_two_clear_answers_that_were_far_off_hold_the_question() -> None:
    marks = [mark(at % 5 / 4, at % 5 / 4, words=at) for at in range(150)]
    assert holds(GOOD, fitted([*marks, mark(0.0, 1.0)])) == []
    assert "far_off" in holds(GOOD, fitted([*marks, mark(0.0, 1.0), mark(0.0, 1.0, words=21)]))


@pytest.mark.parametrize(
    ("said", "held"),
    [
        (opinion(1.0), []),
        (opinion(0.8), []),
        (opinion(0.75), ["opinion"]),
        (opinion(0.0), ["opinion"]),
        (opinion(None, OpinionState.UNREADABLE), ["opinion"]),
        (opinion(None, OpinionState.UNREACHABLE), []),
        (opinion(0.0, question="another"), []),
    ],
)
def test_a_second_opinion_that_differs_by_a_quarter_holds_the_answer(said: Opinion, held: list[str]) -> None:
    assert weigh(record(), agreeing(100), placed=1.0)["corrected"] == 4.0
    assert holds(GOOD, agreeing(100), said) == held


def test_an_opinion_that_agrees_makes_nothing_certain() -> None:
    assert holds(GOOD, agreeing(5), opinion(1.0), opinion(1.0)) == ["confidence"]
    assert weigh(record(), None, [opinion(1.0)], placed=1.0)["holds"] == ["uncalibrated"]


def test_a_record_weighed_again_keeps_its_opinions_and_place() -> None:
    first = weigh(record(), None, [opinion(0.0)], placed=1.0)
    again = weigh(json.loads(json.dumps(first)), agreeing(100))
    assert again["holds"] == ["opinion"]
    assert again["confidence"] is not None


def with_policy(alone: Alone) -> Rubric:
    return replace(homework().rubric, policy=Policy(written_answers=alone))


def evidence_of(text: str = GOOD, **calibrations: AnswerCalibration) -> Evidence:
    answer = Answer("q1", AnswerState.ANSWERED, text, cells=(7,))
    return replace(make_evidence(answer), calibrations=calibrations)


def graded(alone: Alone, evidence: Evidence) -> ItemGrade:
    return next(item for item in judge(with_policy(alone), evidence).items if item.key == "q1")


def test_only_the_policy_certain_accepts() -> None:
    evidence = evidence_of(q1=agreeing(100))
    accepted, waiting = graded(Alone.CERTAIN, evidence), graded(Alone.BLANK, evidence)
    assert (accepted.state, accepted.points, accepted.confidence) == (ItemState.AUTO, 4.0, 0.990099)
    assert "Nobody has read it yet" in accepted.feedback
    assert "A teacher will read it" not in accepted.feedback
    assert (waiting.state, waiting.points, waiting.confidence) == (ItemState.NEEDS_REVIEW, 0.0, 0.990099)
    assert waiting.evidence["proposal"]["corrected"] == 4.0


def test_certain_is_as_blank_where_nothing_is_calibrated() -> None:
    assert judge(with_policy(Alone.CERTAIN), evidence_of()) == judge(with_policy(Alone.BLANK), evidence_of())


def test_a_calibration_is_of_the_grades_version_only_where_it_decides() -> None:
    known, more = {"q1": agreeing(30)}, {"q1": agreeing(31)}
    certain, blank = with_policy(Alone.CERTAIN), with_policy(Alone.BLANK)
    assert version_of(blank, known) == version_of(blank, more) == version_of(certain, {})
    assert len({version_of(certain, {}), version_of(certain, known), version_of(certain, more)}) == 3
    assert judge(certain, evidence_of(**known)).rubric_sha256 == version_of(certain, known)


def test_the_scorer_is_of_the_grades_version_where_it_reads_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    written = with_policy(Alone.BLANK)
    without = replace(written, items=tuple(item for item in written.items if not item.concepts))
    before = version_of(written, {})
    monkeypatch.setattr("grader.checks.judge.SCORER", 10_000)
    assert version_of(written, {}) != before
    assert version_of(written, {})[:32] == before[:32] == written.sha256[:32]
    assert version_of(without, {}) == without.sha256


def test_the_same_answer_judged_twice_gives_the_same_bytes() -> None:
    evidence = replace(
        evidence_of(q1=fitted(marked_proposals(*SETS))), opinions={"q1": (opinion(0.9), opinion(0.1))}
    )
    assert len({dump(judge(with_policy(Alone.CERTAIN), evidence)) for _ in range(3)}) == 1
