"""Written answers: only what is certainly blank is graded; for all else points are proposed to a human."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from grader.domain.answer_calibration import AnswerCalibration
from grader.domain.answers import Alignment, Answer, AnswerState, Candidate
from grader.domain.evidence import Evidence
from grader.domain.grade import CheckResult, ItemState
from grader.domain.opinion import Opinion
from grader.domain.proposal import Gate
from grader.domain.rubric import Item, Part

from .answers.certainty import weigh
from .answers.propose import propose
from .answers.record import find_again, record_proposal
from .candidates import is_empty, list_candidates
from .choices.reading import read_choice

_LOST = frozenset({AnswerState.MISSING, AnswerState.AMBIGUOUS})
_NOTHING = "Nothing is written for"
_ABSENT = {
    AnswerState.PLACEHOLDER: "The template's placeholder is unchanged in",
    AnswerState.MISSING: "No place was found for",
}
_ADVICE = "Write your answer below the question's heading, in place of the placeholder."
# What a gate says to the student; none of it gives away what was looked for.
_GATES = {
    Gate.DONT_KNOW: "It says that you do not know.",
    Gate.COPIED: "Words of the question or its hint are in it; by themselves they earn nothing.",
    Gate.KEYWORDS: "It lists terms without saying anything about them.",
    Gate.GIBBERISH: "No words could be read in it.",
    Gate.LANGUAGE: "It does not seem to be English.",
    Gate.UNFAMILIAR: "Much of it is in other terms than the question.",
    Gate.SHORT: "It is very short.",
    Gate.LONG: "It is too long to be read to its end by a machine.",
}
_WAITS = "A teacher will read it and give the points."
_ACCEPTED = (
    "it was compared with answers to this question that teachers have marked. Nobody has read it yet; if you "
    "think that it earns more, ask for a teacher."
)
KEPT_CHARACTERS = 4000  # of an answer, in the record of one item; the evidence holds all of it


def short_answer(evidence: Evidence, item: Item, part: Part) -> CheckResult:
    """A question that is answered in sentences."""
    return _judge(evidence, item, part, f"{part.heading} ({part.title})", _ADVICE)


def observations(evidence: Evidence, item: Item, part: Part) -> CheckResult:
    """The questions in an exercise's code, answered in comments or in text cells below it."""
    where = f"the questions in the comments of {part.heading}"
    advice = "Write what you saw into comments of the exercise's code or into a text cell below it."
    return _judge(evidence, item, part, where, advice)


def explanation(evidence: Evidence, item: Item, part: Part) -> CheckResult:
    """The reason for a choice, which may stand behind "Explanation" or right behind the letter."""
    advice = "Write your reason behind “Explanation”."
    return _judge(evidence, item, part, f"the explanation in {part.heading}", advice)


def read_answer(evidence: Evidence, item: Item, part: Part) -> Answer:
    """The words that a written item is judged by. ``KeyError`` for an item that is no written one."""
    return _READ[item.check](evidence, part)


def _read_observations(evidence: Evidence, part: Part) -> Answer:
    answer = find_answer(evidence, part)
    if answer.state is AnswerState.PLACEHOLDER:  # the questions in the code are no placeholder
        return replace(answer, state=AnswerState.BLANK)
    return answer


def _read_explanation(evidence: Evidence, part: Part) -> Answer:
    answer = find_answer(evidence, part)
    given = replace(answer, text=answer.explanation, state=answer.explanation_state)
    if given.state is AnswerState.MISSING or is_empty(given.state, given.text):
        if answer.state in _LOST:
            given = answer
        elif rest := read_choice(answer.text, part.options).rest:
            given = replace(answer, text=rest)
    return given


def find_answer(evidence: Evidence, part: Part) -> Answer:
    """The part's answer; a part that the evidence does not know (the rubric has grown) is missing."""
    unknown = Answer(part=part.key, state=AnswerState.MISSING, explanation_state=AnswerState.MISSING)
    return evidence.alignment.answers.get(part.key, unknown)


_READ: Mapping[str, Callable[[Evidence, Part], Answer]] = {
    "short_answer": find_answer,
    "observations": _read_observations,
    "explanation": _read_explanation,
}


def _judge(evidence: Evidence, item: Item, part: Part, where: str, advice: str) -> CheckResult:
    return judge_written(
        read_answer(evidence, item, part),
        evidence.alignment,
        item,
        part,
        where,
        advice,
        calibration=evidence.calibrations.get(item.key),
        opinions=evidence.opinions.get(item.key, ()),
        earlier=evidence.earlier.get(item.key, {}),
    )


def judge_written(
    answer: Answer,
    alignment: Alignment,
    item: Item,
    part: Part,
    where: str,
    advice: str,
    *,
    calibration: AnswerCalibration | None = None,
    opinions: Sequence[Opinion] = (),
    earlier: Mapping[str, Any] = {},
) -> CheckResult:
    """Nothing for nothing; for all else a proposal that waits for a human.

    ``where`` names the answer in a sentence; ``earlier`` is the item's record in the grade before. Proposed
    points stand in the record only: what nobody has decided counts for nothing yet, unless the policy
    accepts it, see `accept`.
    """
    candidates = list_candidates(answer, alignment, part)
    record = dict(record_answer(answer, candidates))
    absent = answer.state is AnswerState.MISSING or is_empty(answer.state, answer.text)
    if absent and not candidates:
        return CheckResult(0.0, f"{_ABSENT.get(answer.state, _NOTHING)} {where}. {advice}", evidence=record)
    told, confidence = _describe(answer, candidates, where), None
    if not absent and item.concepts:
        proposal = find_again(earlier, answer.text, item, part)
        if proposal is None:
            proposal = record_proposal(propose(answer.text, item, part))
        placed = answer.confidence if answer.state is AnswerState.ANSWERED and not candidates else 0.0
        weighed = weigh(proposal, calibration, opinions, placed=placed)
        record["proposal"], confidence = weighed, weighed["confidence"]
        told = " ".join([told, *(_GATES[Gate(gate)] for gate in proposal["gates"])])
    return CheckResult(
        share=0.0,
        feedback=f"{told} {_WAITS}",
        state=ItemState.NEEDS_REVIEW,
        confidence=confidence,  # None before reviewers' own marks have calibrated the question
        evidence=record,
    )


def accept(result: CheckResult) -> CheckResult:
    """Give the corrected points of a proposal that nothing holds; any other result is left as it is."""
    proposal = result.evidence.get("proposal")
    if proposal is None or proposal["holds"] or result.state is not ItemState.NEEDS_REVIEW:
        return result
    points, most = proposal["corrected"], proposal["max_points"]
    told = result.feedback.removesuffix(_WAITS)
    return replace(
        result,
        share=points / most,
        feedback=f"{told}{points:g} of {most:g} points: {_ACCEPTED}",
        state=ItemState.AUTO,
    )


def record_answer(answer: Answer, candidates: Sequence[Candidate]) -> Mapping[str, Any]:
    """What was found and where, for the reviewer."""
    record: dict[str, Any] = {"state": answer.state.value, "cells": list(answer.cells)}
    if answer.text.strip():
        record["text"] = answer.text[:KEPT_CHARACTERS]
    if candidates:
        record["candidates"] = [
            {"cell": c.cell, "excerpt": c.excerpt, "score": round(c.score, 3)} for c in candidates[:20]
        ]
    return record


def _describe(answer: Answer, candidates: Sequence[Candidate], where: str) -> str:
    numbers = list(dict.fromkeys(str(c.cell + 1) for c in candidates[:10]))
    cells = f"cell{'s' * (len(numbers) > 1)} {', '.join(numbers)}"
    if answer.state is AnswerState.AMBIGUOUS:
        return f"More than one text may be meant for {where}" + (f" ({cells})." if numbers else ".")
    if candidates:
        return f"Nothing is written in the place of {where}, but {cells} may be meant for it."
    count = len(answer.text.split())
    return f"What you wrote for {where} was found ({count} word{'s' * (count != 1)})."
