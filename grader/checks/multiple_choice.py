"""Is the chosen letter the right one? What cannot be read is no wrong letter: a human reads it."""

from __future__ import annotations

from dataclasses import dataclass, field

from grader.domain.answers import Answer, AnswerState
from grader.domain.evidence import Evidence
from grader.domain.grade import CheckResult, ItemState
from grader.domain.rubric import Item, Part

from .candidates import is_empty, list_candidates
from .choices.reading import read_choice
from .written import find_answer, judge_written, record_answer


@dataclass(frozen=True, slots=True)
class ChoiceParameters:
    """Which letter is right."""

    key: str = field(
        metadata={"examples": ["B"], "description": "The right letter; one of the part's `options`."}
    )


def choice(evidence: Evidence, item: Item, part: Part) -> CheckResult:
    """All or nothing for the letter, without a word about which one is right."""
    key = ChoiceParameters(**item.params).key
    answer = find_answer(evidence, part)
    if answer.state is not AnswerState.ANSWERED or is_empty(answer.state, answer.text):
        return _without_answer(answer, evidence, item, part)
    read = read_choice(answer.text, part.options)
    record = {
        **record_answer(answer, list_candidates(answer, evidence.alignment, part)),
        "letter": read.letter,
    }
    letters = ", ".join(part.options)
    if read.letter is not None:
        right = read.letter == key
        advice = "That is right." if right else "That is not right: go through the options once more."
        return CheckResult(
            share=1.0 if right else 0.0,
            feedback=f"Your choice was read as {read.letter}. {advice}",
            confidence=answer.confidence,
            evidence=record,
        )
    if read.ambiguous:
        return _review(f"{read.reason} Wanted: one letter of {letters}. A teacher will look at it.", record)
    return CheckResult(
        0.0, f"{read.reason} Write one letter of {letters} behind “Your Answer”.", evidence=record
    )


def _without_answer(answer: Answer, evidence: Evidence, item: Item, part: Part) -> CheckResult:
    # The choice may stand in the wrong place, and in words: "Explanation: it overfits, because …".
    if answer.explanation.strip():
        record = {**record_answer(answer, ()), "explanation": answer.explanation[:4000]}
        return _review(
            "Nothing was chosen behind “Your Answer”, but the explanation may say what you mean. "
            "A teacher will look at it.",
            record,
        )
    advice = f"Write one letter of {', '.join(part.options)} behind “Your Answer”."
    return judge_written(answer, evidence.alignment, item, part, f"{part.heading} ({part.title})", advice)


def _review(feedback: str, record: dict[str, object]) -> CheckResult:
    return CheckResult(0.0, feedback, ItemState.NEEDS_REVIEW, confidence=0.0, evidence=record)
