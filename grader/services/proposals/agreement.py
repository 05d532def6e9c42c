"""How far proposals agree with humans: what an instructor asks before trusting them with a course."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from grader.assignments import Assignment
from grader.checks.answers.calibration import fit
from grader.checks.judge import apply_policy
from grader.checks.written import judge_written
from grader.domain.answer_calibration import AnswerCalibration, MarkedProposal
from grader.domain.answers import Alignment, Answer, AnswerState
from grader.domain.grade import CheckResult, ItemState
from grader.domain.proposal import UNREAD
from grader.domain.rubric import Alone, Policy
from grader.notebooks.alignment.prompts import read_template
from grader.notebooks.read import read_notebook
from grader.services.proposals.marked_answers import Marked

_STEPS = 8  # of an item's points, on which agreement in kappa's sense is counted
_FAR_OFF = 0.5  # of an item's points
_FOLDS = 5


@dataclass(frozen=True, slots=True)
class Compared:
    """One answer's points by a human and by proposal, of ``max_points``."""

    item: str
    human: float
    proposed: float
    max_points: float
    is_read: bool  # no gate was shut before its concepts
    is_accepted: bool  # without review, under the policy


@dataclass(frozen=True, slots=True)
class Agreement:
    """Numbers of one question, or of all: then points are scaled to the largest question's."""

    answers: int
    max_points: float
    rmse: float  # points; what was not read counts as 0 points proposed
    rmse_read: float | None  # without what was not read
    r: float | None  # Pearson; None where one side does not vary
    qwk: float | None  # quadratic weighted kappa in eighths of the points
    undeserving: int  # answers that earned nothing from the human
    false_credit: int  # of these, proposed for half of the points or more
    unread: int  # another language, no words, a list of terms, "I don't know"
    accepted: int  # without review
    accepted_off: int  # of these, off by half of the points or more
    accepted_worst: float  # points, the largest error among them


class Judged:
    """Marked answers, read as a submission's would be."""

    def __init__(self, assignment: Assignment, marked: Sequence[Marked]) -> None:
        self._rubric = assignment.rubric
        template = read_notebook(assignment.template, self._rubric.upload_limits)
        placeholders = read_template(template, self._rubric.parts).placeholders
        self._marked = marked
        self._answers = []
        for entry in marked:
            rest, had_placeholder = placeholders.take_off(entry.text)
            empty = AnswerState.PLACEHOLDER if had_placeholder else AnswerState.BLANK
            state = AnswerState.ANSWERED if rest.strip() else empty
            self._answers.append(Answer(entry.item.part, state, entry.text if rest.strip() else ""))

    def compare(self) -> list[Compared]:
        """As the assignment's policy has it, in a course without any marks."""
        policy = self._rubric.policy
        return [self._compare(at, self._judge(at), policy) for at in range(len(self._marked))]

    def compare_calibrated(self) -> list[Compared]:
        """As where all that is certain is accepted, and the other folds' marks of the question are known."""
        policy = replace(self._rubric.policy, written_answers=Alone.CERTAIN)
        return [
            self._compare(at, self._judge(at, calibration), policy)
            for fold, calibration in self._fold()
            for at in fold
        ]

    def _fold(self) -> Iterator[tuple[list[int], AnswerCalibration | None]]:
        """Answers with what the marks of the other folds teach: every fifth of a question, in its order."""
        by_item: dict[str, list[int]] = {}
        for at, entry in enumerate(self._marked):
            by_item.setdefault(entry.item.key, []).append(at)
        for found in by_item.values():
            proposals = {at: self._judge(at).evidence.get("proposal") for at in found}
            for first in range(min(_FOLDS, len(found))):
                fold = found[first::_FOLDS]
                others = [
                    (self._marked[at], proposal)
                    for at, proposal in proposals.items()
                    if at not in fold and proposal and UNREAD.isdisjoint(proposal["gates"])
                ]
                question = others[0][1]["question_sha256"] if others else ""
                yield fold, fit(question, [_mark(entry, proposal) for entry, proposal in others])

    def _judge(self, at: int, calibration: AnswerCalibration | None = None) -> CheckResult:
        item = self._marked[at].item
        part = self._rubric.part(item.part)
        return judge_written(self._answers[at], Alignment({}), item, part, "", "", calibration=calibration)

    def _compare(self, at: int, result: CheckResult, policy: Policy) -> Compared:
        entry = self._marked[at]
        result = apply_policy(policy, entry.item, result)
        proposal = result.evidence.get("proposal")
        proposed = result.share * entry.item.points
        if proposal:
            proposed = proposal["points"] if proposal["corrected"] is None else proposal["corrected"]
        return Compared(
            item=entry.item.key,
            human=entry.points,
            proposed=proposed,
            max_points=entry.item.points,
            is_read=not proposal or UNREAD.isdisjoint(proposal["gates"]),
            is_accepted=result.state is ItemState.AUTO,
        )


def compare_marked(
    assignment: Assignment, marked: Sequence[Marked], *, calibrated: bool = False
) -> list[Compared]:
    """Judge every answer as a submission's would be.

    ``calibrated``: under the policy `certain`, each answer by what the other folds' marks teach.
    """
    judged = Judged(assignment, marked)
    return judged.compare_calibrated() if calibrated else judged.compare()


def _mark(entry: Marked, proposal: Mapping[str, Any]) -> MarkedProposal:
    most = entry.item.points
    return MarkedProposal(
        entry.points / most, proposal["points"] / most, proposal["doubt"], proposal["features"]
    )


def measure_agreement(compared: Sequence[Compared]) -> Agreement:
    """The numbers of these answers, at least one."""
    most = max(entry.max_points for entry in compared)
    pairs = [
        (e.human / e.max_points * most, e.proposed / e.max_points * most, e.is_read, e.is_accepted)
        for e in compared
    ]
    human, proposed = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    read = [(h, p) for h, p, is_read, _ in pairs if is_read]
    accepted = [abs(h - p) for h, p, _, is_accepted in pairs if is_accepted]
    undeserving = [p for h, p, _, _ in pairs if h == 0]
    return Agreement(
        answers=len(pairs),
        max_points=most,
        rmse=_rmse(list(zip(human, proposed, strict=True))),
        rmse_read=_rmse(read) if read else None,
        r=_correlate(human, proposed),
        qwk=_kappa([h / most for h in human], [p / most for p in proposed]),
        undeserving=len(undeserving),
        false_credit=sum(points >= _FAR_OFF * most for points in undeserving),
        unread=sum(not is_read for _, _, is_read, _ in pairs),
        accepted=len(accepted),
        accepted_off=sum(off >= _FAR_OFF * most for off in accepted),
        accepted_worst=round(max(accepted, default=0.0), 4),
    )


def agreement_document(
    assignment: Assignment, compared: Sequence[Compared], calibrated: Sequence[Compared] = ()
) -> dict[str, Any]:
    """What `grader asag evaluate --json` prints: per question, in the rubric's order, and in total."""
    document = _document(assignment, compared, assignment.rubric.policy.written_answers)
    if calibrated:
        document["calibrated"] = _document(assignment, calibrated, Alone.CERTAIN) | {"folds": _FOLDS}
    return document


def _document(assignment: Assignment, compared: Sequence[Compared], policy: Alone) -> dict[str, Any]:
    by_item: dict[str, list[Compared]] = {item.key: [] for item in assignment.rubric.items}
    for entry in compared:
        by_item[entry.item].append(entry)
    questions = {key: asdict(measure_agreement(found)) for key, found in by_item.items() if found}
    return {
        "assignment": assignment.rubric.id,
        "rubric_sha256": assignment.rubric.sha256,
        "policy": policy.value,
        "questions": questions,
        "total": asdict(measure_agreement(compared)),
    }


def _rmse(pairs: Sequence[tuple[float, float]]) -> float:
    return round(math.sqrt(sum((h - p) ** 2 for h, p in pairs) / len(pairs)), 4)


def _correlate(human: Sequence[float], proposed: Sequence[float]) -> float | None:
    mean_h, mean_p = sum(human) / len(human), sum(proposed) / len(proposed)
    spread_h = math.sqrt(sum((h - mean_h) ** 2 for h in human))
    spread_p = math.sqrt(sum((p - mean_p) ** 2 for p in proposed))
    if not spread_h or not spread_p:
        return None
    joint = sum((h - mean_h) * (p - mean_p) for h, p in zip(human, proposed, strict=True))
    return round(joint / (spread_h * spread_p), 4)


def _kappa(human: Sequence[float], proposed: Sequence[float]) -> float | None:
    """Cohen's kappa with quadratic weights, from shares 0..1."""
    first = [round(share * _STEPS) for share in human]
    second = [round(share * _STEPS) for share in proposed]
    observed = sum((a - b) ** 2 for a, b in zip(first, second, strict=True)) / len(first)
    counts = {step: (first.count(step), second.count(step)) for step in range(_STEPS + 1)}
    expected = (
        sum(counts[a][0] * counts[b][1] * (a - b) ** 2 for a in counts for b in counts) / len(first) ** 2
    )
    return round(1 - observed / expected, 4) if expected else None
