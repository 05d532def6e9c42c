"""Ask every source about every written answer of a submission, within a time, whatever becomes of it."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from grader.checks.answers.statements import read_question
from grader.checks.candidates import is_empty
from grader.checks.registry import TAKES_CONCEPTS
from grader.checks.written import read_answer
from grader.domain.answers import AnswerState
from grader.domain.evidence import Evidence
from grader.domain.opinion import Opinion, OpinionState
from grader.domain.rubric import Item, Part, Rubric

BUDGET_SECONDS = 120.0  # for all answers of a submission together
_NO_TIME = "there was no time left for it"
_NOT_AGAIN = "it did not answer about an earlier answer of this submission"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """One answer with the question that it is held against."""

    item: Item
    part: Part
    answer: str
    question_sha256: str


class SecondOpinion(Protocol):
    """A source of opinions. It never raises; what went wrong is an opinion's state."""

    source: str
    model: str

    def points(self, asked: Asked, seconds: float) -> Opinion:
        """What it says, or why it says nothing, after ``seconds`` at the latest."""
        ...


def make_opinion(
    of: SecondOpinion,
    asked: Asked,
    prompt: object,
    *,
    state: OpinionState = OpinionState.GIVEN,
    share: float | None = None,
    note: str = "",
) -> Opinion:
    """An opinion with the hash of all that was asked."""
    document = json.dumps(prompt, sort_keys=True, ensure_ascii=False).encode("utf-8", "replace")
    digest = hashlib.sha256(document).hexdigest()
    return Opinion(of.source, of.model, state, asked.question_sha256, digest, share, note)


def gather_opinions(
    rubric: Rubric,
    evidence: Evidence,
    sources: Sequence[SecondOpinion],
    *,
    seconds: float = BUDGET_SECONDS,
    check: Callable[[], None] = lambda: None,
) -> dict[str, tuple[Opinion, ...]]:
    """What the sources say, by item; an answer that is not there is no question.

    A source that cannot be reached is asked once for each submission. ``check`` is called before each
    question and may raise, to end it all.
    """
    until = time.monotonic() + seconds
    silent: set[str] = set()
    gathered: dict[str, tuple[Opinion, ...]] = {}
    for asked in _list_asked(rubric, evidence) if sources else ():
        said = []
        for source in sources:
            check()
            said.append(_ask(source, asked, until - time.monotonic(), is_silent=source.source in silent))
            if said[-1].state is OpinionState.UNREACHABLE:
                silent.add(source.source)
        gathered[asked.item.key] = tuple(said)
    return gathered


def _list_asked(rubric: Rubric, evidence: Evidence) -> list[Asked]:
    asked = []
    for item in rubric.items:
        if item.check not in TAKES_CONCEPTS or not item.concepts:
            continue
        part = rubric.part(item.part)
        answer = read_answer(evidence, item, part)
        if answer.state is not AnswerState.MISSING and not is_empty(answer.state, answer.text):
            asked.append(Asked(item, part, answer.text, read_question(item, part).sha256))
    return asked


def _ask(source: SecondOpinion, asked: Asked, seconds: float, *, is_silent: bool) -> Opinion:
    if is_silent or seconds <= 0:
        note = _NOT_AGAIN if is_silent else _NO_TIME
        return make_opinion(source, asked, None, state=OpinionState.UNREACHABLE, note=note)
    try:
        return source.points(asked, seconds)
    except Exception as error:  # an opinion is no reason to fail a grade
        _log.exception("the second opinion of %s failed", source.source)
        note = f"an error in the grader itself ({type(error).__name__})"
        return make_opinion(source, asked, None, state=OpinionState.UNREACHABLE, note=note)
