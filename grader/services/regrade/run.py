"""Judge a class again, batch by batch: each is a transaction, so a regrade may be cut off and repeated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from grader.assignments import Assignment
from grader.checks.answers.statements import read_question
from grader.checks.registry import TAKES_CONCEPTS
from grader.errors import EvidenceMissing
from grader.services.grades.standing import settle_outlined
from grader.services.proposals.calibrations import learn
from grader.storage.grades import Head
from grader.storage.unit_of_work import Clash, Database, UnitOfWork

from .judging import Judged, Standard
from .pool import judge_batches
from .stale import check_token, find_stale, make_token, read_cases, read_standard

_TURNS = 3  # so often a batch is written again without what someone else was quicker with


@dataclass(frozen=True, slots=True)
class Regraded:
    """What a regrade did, by submission id."""

    changed: tuple[str, ...]  # a new grade, other points or states than before
    confirmed: tuple[str, ...]  # a new grade with the same points
    untouched: tuple[str, ...]  # this rubric version's grade stands already, or there is none yet
    failed: tuple[tuple[str, str], ...]  # with the reason: its evidence cannot be read, or we failed


def regrade(
    database: Database,
    assignment: Assignment,
    now: datetime,
    *,
    actor: str = "system",
    only: Sequence[str] | None = None,
) -> Regraded:
    """Judge every submission of the assignment under its current rubric; or ``only`` some, at most 500.

    Appends a grade where one of another rubric version stands; doing it again changes nothing.
    Raises `StorageUnavailable`; what was appended until then stands.
    """
    with database.read() as unit:
        heads = unit.grades.heads(assignment.rubric.id, only)
        standard = read_standard(unit, assignment, heads)
    return _judge_all(database, standard, heads, now, actor)


def publish(
    database: Database, assignment: Assignment, token: str, now: datetime, *, actor: str = "system"
) -> Regraded:
    """Do what a preview of this rubric showed. Raises `Overtaken` where grades or rubric have changed."""
    with database.read() as unit:
        heads = unit.grades.heads(assignment.rubric.id)
        standard = read_standard(unit, assignment, heads)
    check_token(token, make_token(standard, assignment.rubric.sha256, heads))
    return _judge_all(database, standard, heads, now, actor)


def _judge_all(
    database: Database, standard: Standard, heads: Sequence[Head], now: datetime, actor: str
) -> Regraded:
    assignment, stale = standard.assignment, find_stale(standard, heads)
    found: dict[str, str] = {}
    failed: dict[str, str] = {}
    for judged in judge_batches(standard, read_cases(database, stale), len(stale)):
        failed |= {one.head.submission_id: one.failure for one in judged if one.failure}
        sound = [one for one in judged if not one.failure]
        appended, damaged = _append(database, assignment, sound, now, actor)
        found |= {
            one.head.submission_id: "confirmed" if one.is_same else "changed"
            for one in sound
            if one.head.submission_id in appended
        }
        failed |= damaged
    for course in standard.learned:
        _learn_again(database, assignment, course, now)
    ids = [head.submission_id for head in heads]
    return Regraded(
        changed=tuple(one for one in ids if found.get(one) == "changed"),
        confirmed=tuple(one for one in ids if found.get(one) == "confirmed"),
        untouched=tuple(one for one in ids if one not in found and one not in failed),
        failed=tuple((one, failed[one]) for one in ids if one in failed),
    )


def _learn_again(database: Database, assignment: Assignment, course: str, now: datetime) -> None:
    """Where a question has changed, marks that stand teach what they say of its new proposals."""
    rubric = assignment.rubric
    for item in rubric.items:
        if item.check in TAKES_CONCEPTS and item.concepts:
            question = read_question(item, rubric.part(item.part)).sha256
            with database.write() as unit:
                learn(unit, course, rubric.id, item.key, now, question_sha256=question)
                unit.commit()


def _append(
    database: Database, assignment: Assignment, judged: Sequence[Judged], now: datetime, actor: str
) -> tuple[set[str], dict[str, str]]:
    """Append one batch; return whose grades were, and what failed."""
    for _ in range(_TURNS):
        try:
            with database.write() as unit:
                appended = _write(unit, assignment, judged, now, actor)
                unit.commit()
            return appended, {}
        except Clash:
            continue  # another regrade, or the worker, was quicker with some of them: leave those out
        except EvidenceMissing as error:  # one damaged row must not stop the others
            if len(judged) == 1:
                return set(), {judged[0].head.submission_id: str(error)}
            parts = [_append(database, assignment, [one], now, actor) for one in judged]
            return set().union(*(done for done, _ in parts)), {
                k: v for _, bad in parts for k, v in bad.items()
            }
    return set(), {}


def _write(
    unit: UnitOfWork, assignment: Assignment, judged: Sequence[Judged], now: datetime, actor: str
) -> set[str]:
    name, rubric = assignment.rubric.id, assignment.rubric.sha256
    ids = [one.head.submission_id for one in judged]
    standing = {head.submission_id: head for head in unit.grades.heads(name, ids)}
    ours = {one.head.submission_id: one for one in judged if standing.get(one.head.submission_id) == one.head}
    if not ours:
        return set()
    unit.grades.append([one.row for one in ours.values()], now)
    settle_outlined(
        unit,
        {
            head.submission_id: replace(ours[head.submission_id].outlined, grade_id=head.grade_id)
            for head in unit.grades.heads(name, list(ours))
        },
    )
    courses = Counter(filed.submission.course for filed in unit.submissions.find_all(ours))
    for course, count in sorted(courses.items()):
        unit.audit.note(
            now, actor, "grade.regrade", course=course, subject=name, rubric=rubric, submissions=count
        )
    return set(ours)
