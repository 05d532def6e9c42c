"""All that a reviewer sees of one answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from grader.domain.grade import ItemGrade
from grader.domain.people import Actor
from grader.domain.rubric import Item, Part, PartKind
from grader.services.proposals.calibrations import correct_record
from grader.services.review.access import Desk, Opened, find_filed, may_change, open_answer
from grader.services.review.anonymity import find_names
from grader.services.review.neighbours import Neighbour, find_neighbours
from grader.services.review.queue import tell_holder, tell_why
from grader.storage.overrides import StoredOverride
from grader.storage.review.queue import Entry
from grader.storage.review.regrade_requests import RegradeRequest
from grader.storage.unit_of_work import UnitOfWork

# Of the item's record; the rest is figures that a check has measured.
_OWN = frozenset({"proposal", "text", "cells", "candidates", "state"})


@dataclass(frozen=True, slots=True)
class ConceptView:
    """One concept: what it is worth, what is proposed and why. Without a proposal only what it is worth."""

    id: str
    name: str
    max_points: float
    statements: tuple[str, ...]  # the key: what a full answer says
    points: float | None = None  # proposed
    rule: str | None = None
    matched: str = ""  # the statement or misconception that the student's words are nearest to
    span: tuple[int, int] | None = None  # characters of the text


@dataclass(frozen=True, slots=True)
class AnswerView:
    """One answer with its question, its proposal, what was decided, and who else says the same."""

    submission_id: str
    item: str
    title: str
    student: str
    attempt: int
    prompt: str
    options: Mapping[str, str]  # a choice's
    text: str  # the student's own words, all of them
    cells: tuple[int, ...]  # where they stand
    found: str  # an `AnswerState`; "" for what is not written
    candidates: tuple[Mapping[str, Any], ...]  # cells that may be the answer: cell, excerpt, score
    figures: Mapping[str, Any]  # what else the check has recorded
    feedback: str  # the machine's, as the student sees it
    points: float
    max_points: float
    state: str
    proposed: float | None
    doubt: float
    gates: tuple[str, ...]
    concepts: tuple[ConceptView, ...]
    why: tuple[str, ...]
    held: str
    may_change: bool  # by whoever reads it, who is an assistant where not
    follows: int  # for the next decision
    history: tuple[StoredOverride, ...]
    requests: tuple[RegradeRequest, ...]
    neighbours: tuple[Neighbour, ...]
    suggested: float | None  # what one key accepts: as corrected today, or else as proposed
    # As the marks that other reviewers gave until now see it; None: too few of this question.
    corrected: float | None
    confidence: float | None  # that a human gives within a quarter of the points of it
    holds: tuple[str, ...]  # `Hold`s: why it was not, or would not be, accepted without a human
    taught_by: int  # marks that the correction was learned from
    opinions: tuple[Mapping[str, Any], ...]  # second ones: source, model, state, points, dissents, note


def read_answer(desk: Desk, actor: Actor, submission_id: str, item: str) -> AnswerView:
    """Read one answer. Who reads without holding it is written down. Raises `NotFound`."""
    now = desk.clock()
    with desk.database.read() as unit:
        submission = find_filed(unit, actor, submission_id, item).submission
    names = find_names(desk.database, submission.course, submission.assignment)
    with desk.database.read() as unit:
        # One moment for all: what is shown is what the next decision follows.
        opened = open_answer(unit, actor, submission_id, item, now)
        student = names.of(unit, submission.user)
        neighbours = find_neighbours(unit, actor, opened, names, now)
        view = _view(desk, unit, actor, opened, student, neighbours)
    if opened.entry.holder != actor.id:
        _note_read(desk, actor, opened, now)
    return view


def _view(
    desk: Desk,
    unit: UnitOfWork,
    actor: Actor,
    opened: Opened,
    student: str,
    neighbours: list[Neighbour],
) -> AnswerView:
    item, entry, submission = opened.item, opened.entry, opened.filed.submission
    asked, part = find_question(desk, opened)
    record = item.evidence
    proposal = record.get("proposal") or {}
    if proposal:
        known = unit.calibrations.newest(submission.course, submission.assignment, [item.key])
        proposal = correct_record(proposal, known, item.key)
    return AnswerView(
        submission_id=submission.id,
        item=item.key,
        title=item.title,
        student=student,
        attempt=submission.attempt,
        prompt=part.prompt if part else "",
        options=part.options if part and part.kind is PartKind.CHOICE else {},
        text=find_text(unit, opened),
        cells=tuple(where) if isinstance(where := record.get("cells"), list | tuple) else (),
        found=str(record.get("state", "")),
        candidates=tuple(record.get("candidates", ())),
        figures=_without_nan({name: value for name, value in record.items() if name not in _OWN}),
        feedback=item.feedback,
        points=entry.points,
        max_points=entry.max_points,
        state=entry.state,
        proposed=entry.proposed,
        doubt=entry.doubt,
        gates=tuple(proposal.get("gates", ())),
        concepts=list_concepts(item, asked),
        why=tell_why(entry),
        held=tell_holder(entry, actor),
        may_change=may_change(opened, actor),
        follows=opened.follows,
        history=opened.history,
        requests=tuple(unit.regrade_requests.of(submission.id, item.key)),
        neighbours=tuple(neighbours),
        suggested=_suggest(entry, proposal),
        corrected=proposal.get("corrected"),
        confidence=proposal.get("confidence"),
        holds=tuple(proposal.get("holds", ())),
        taught_by=int(proposal.get("marks", 0)),
        opinions=tuple(proposal.get("opinions", ())),
    )


def _suggest(entry: Entry, proposal: Mapping[str, Any]) -> float | None:
    corrected = proposal.get("corrected")
    points = entry.proposed if corrected is None else float(corrected)
    return None if points is None else round(min(points, entry.max_points), 2)


def find_question(desk: Desk, opened: Opened) -> tuple[Item | None, Part | None]:
    """The rubric's item and part, as they stand now; None where it has them no more."""
    assignment = desk.assignments.get(opened.filed.submission.assignment)
    items = assignment.rubric.items if assignment else ()
    asked = next((one for one in items if one.key == opened.item.key), None)
    return asked, assignment.rubric.part(asked.part) if assignment and asked else None


def find_text(unit: UnitOfWork, opened: Opened) -> str:
    """The student's words in full: an item's record keeps only their beginning."""
    recorded = str(opened.item.evidence.get("text", ""))
    if not recorded:
        return ""
    stored = unit.evidence.newest(opened.entry.submission_id)
    answers = stored.evidence.alignment.answers.values() if stored else ()
    texts = [text for answer in answers for text in (answer.text, answer.explanation)]
    return max((text for text in texts if text.startswith(recorded)), key=len, default=recorded)


def list_concepts(item: ItemGrade, asked: Item | None) -> tuple[ConceptView, ...]:
    """The concepts as the proposal judged them; without a proposal the rubric's."""
    known = {concept.id: concept for concept in asked.concepts} if asked else {}
    proposal = item.evidence.get("proposal")
    if proposal is None:
        return tuple(ConceptView(c.id, c.name, c.points, c.statements) for c in known.values())
    return tuple(
        ConceptView(
            id=one["id"],
            name=known[one["id"]].name if one["id"] in known else one["id"],
            max_points=one["max_points"],
            statements=known[one["id"]].statements if one["id"] in known else (),
            points=one["points"],
            rule=one["rule"],
            matched=one["matched"],
            span=tuple(one["span"]) if one["span"] else None,
        )
        for one in proposal["concepts"]
    )


def _without_nan(document: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(document), parse_constant=lambda _: None)
    return plain


def _note_read(desk: Desk, actor: Actor, opened: Opened, now: datetime) -> None:
    with desk.database.write() as unit:
        unit.audit.note(
            now,
            actor.id,
            "review.read",
            course=opened.course,
            subject=opened.entry.submission_id,
            item=opened.item.key,
        )
        unit.commit()
