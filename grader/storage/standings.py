"""What counts now: one row for each graded submission and each of its items. Derived; may be rebuilt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from grader.storage.tables.review import mark, regrade_request, standing
from grader.storage.tables.submissions import grade, submission, work

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Mark:
    """One item of one submission."""

    submission_id: str
    item: str
    course: str
    assignment: str
    points: float
    max_points: float
    state: str
    proposed: float | None  # points
    doubt: float  # 0..1
    is_audited: bool
    words_sha256: str  # of the answer, without case and spaces; "": nothing is written
    choice: str  # the letter that was read; ""
    in_queue: bool = False  # waits for a human, is audited, or was asked about


@dataclass(frozen=True, slots=True)
class Standing:
    """One graded submission."""

    submission_id: str
    course: str
    assignment: str
    user_id: str
    grade_id: int
    given: float  # before what lateness costs
    final: float
    expected: float  # as `final`, with what is proposed for items that wait
    maximum: float
    waiting: int  # items that need a human
    is_counted: bool  # of this student's attempts
    crashed: bool
    seconds: float  # of the run
    text_sha256: str
    code_sha256: str
    late_days: int = 0  # days begun after the student's due date


@dataclass(frozen=True, slots=True)
class Attempt:
    """What decides which attempt counts."""

    submission_id: str
    attempt: int
    submitted_at: datetime
    given: float
    expected: float
    is_counted: bool


@dataclass(frozen=True, slots=True)
class StoodBefore:
    """A standing with what it takes to reckon its lateness anew."""

    standing: Standing
    attempt: int
    submitted_at: datetime
    expected_on_time: float  # as `Standing.expected`, before what lateness costs


class Standings:
    """The `standing` and `mark` tables."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def put(self, new: Sequence[Standing], marks: Iterable[Mark]) -> None:
        """Let this stand of these submissions, and nothing else; what stands already is not touched."""
        ids = [entry.submission_id for entry in new]
        stood = {(old.submission_id, old.item): old for those in self.marks_of(ids).values() for old in those}
        wanted = {(entry.submission_id, entry.item): entry for entry in marks}
        gone = [key for key, old in stood.items() if wanted.get(key) != old]
        if gone:
            which = (mark.c.submission_id == sa.bindparam("one"), mark.c.item == sa.bindparam("key"))
            self._connection.execute(
                sa.delete(mark).where(*which), [{"one": one, "key": key} for one, key in gone]
            )
        if rows := [_row(entry) for key, entry in wanted.items() if stood.get(key) != entry]:
            self._connection.execute(sa.insert(mark), rows)
        known = self.find_all(ids)
        changed = [entry for entry in new if known.get(entry.submission_id) != entry]
        if again := [{"one": entry.submission_id} for entry in changed if entry.submission_id in known]:
            this = standing.c.submission_id == sa.bindparam("one")
            self._connection.execute(sa.delete(standing).where(this), again)
        if changed:
            self._connection.execute(sa.insert(standing), [_row(entry) for entry in changed])

    def find(self, submission_id: str) -> Standing | None:
        """One submission's, None before it is graded."""
        return self.find_all([submission_id]).get(submission_id)

    def find_all(self, submission_ids: Iterable[str]) -> dict[str, Standing]:
        """Those of many that are graded, by submission."""
        columns = [standing.c[field.name] for field in fields(Standing)]
        return {
            row[0]: Standing(*row)
            for some in _chunks(submission_ids)
            for row in self._connection.execute(sa.select(*columns).where(standing.c.submission_id.in_(some)))
        }

    def marks_of(self, submission_ids: Iterable[str]) -> Mapping[str, list[Mark]]:
        """The items of these submissions, in no order, by submission."""
        columns = [mark.c[field.name] for field in fields(Mark)]
        found: dict[str, list[Mark]] = defaultdict(list)
        for some in _chunks(submission_ids):
            query = sa.select(*columns).where(mark.c.submission_id.in_(some))
            for row in self._connection.execute(query):
                found[row[0]].append(Mark(*row))
        return found

    def attempts_of(self, course: str, assignment: str, users: Iterable[str]) -> Mapping[str, list[Attempt]]:
        """The graded attempts of these students, oldest first, by their id."""
        found: dict[str, list[Attempt]] = defaultdict(list)
        for some in _chunks(users):
            query = (
                sa.select(
                    standing.c.user_id,
                    submission.c.id,
                    submission.c.attempt,
                    submission.c.submitted_at,
                    standing.c.given,
                    standing.c.expected,
                    standing.c.is_counted,
                )
                .join(standing, standing.c.submission_id == submission.c.id)
                .where(
                    standing.c.course == course,
                    standing.c.assignment == assignment,
                    standing.c.user_id.in_(some),
                )
                .order_by(submission.c.attempt)
            )
            for user, *row in self._connection.execute(query):
                found[user].append(Attempt(*row))
        return found

    def count_only(self, course: str, assignment: str, user: str, submission_id: str) -> None:
        """Of this student's attempts this one counts."""
        self._connection.execute(
            sa.update(standing)
            .where(
                standing.c.course == course, standing.c.assignment == assignment, standing.c.user_id == user
            )
            .values(is_counted=standing.c.submission_id == submission_id)
        )

    def of_class(self, course: str, assignment: str, user: str | None = None) -> list[StoodBefore]:
        """All graded attempts of an assignment, or of one student."""
        mine = [standing.c.course == course, standing.c.assignment == assignment]
        if user is not None:
            mine.append(standing.c.user_id == user)
        waiting = sa.select(standing.c.submission_id).where(*mine, standing.c.waiting > 0)
        proposed = sa.func.coalesce(mark.c.proposed, 0.0)
        more = sa.case((proposed > mark.c.points, proposed - mark.c.points), else_=0.0)
        hoped = (
            sa.select(mark.c.submission_id, sa.func.sum(more))
            .where(mark.c.submission_id.in_(waiting), mark.c.state == "needs_review")
            .group_by(mark.c.submission_id)
        )
        hopes: dict[str, float] = {row[0]: row[1] for row in self._connection.execute(hoped)}
        query = (
            sa.select(standing, submission.c.attempt, submission.c.submitted_at)
            .join(submission, submission.c.id == standing.c.submission_id)
            .where(*mine)
        )
        names = [column.name for column in standing.c]
        found = []
        for row in self._connection.execute(query):
            old = Standing(**dict(zip(names, row[: len(names)], strict=True)))
            hope = hopes.get(old.submission_id, 0.0)
            found.append(StoodBefore(old, row[-2], row[-1], round(old.given + hope, 2)))
        return found

    def change(self, new: Sequence[Standing]) -> None:
        """Write what lateness and the choice of attempts change; the marks stay."""
        if new:
            self._connection.execute(
                sa.update(standing)
                .where(standing.c.submission_id == sa.bindparam("of"))
                .values(
                    {name: sa.bindparam(name) for name in ("final", "expected", "late_days", "is_counted")}
                ),
                [
                    {
                        "of": one.submission_id,
                        "final": one.final,
                        "expected": one.expected,
                        "late_days": one.late_days,
                        "is_counted": one.is_counted,
                    }
                    for one in new
                ],
            )

    def accepted_answers(self, course: str, assignment: str) -> list[tuple[str, str, bool]]:
        """Written answers that stand without a human: submission, item, whether it is audited."""
        query = sa.select(mark.c.submission_id, mark.c.item, mark.c.is_audited).where(
            mark.c.course == course,
            mark.c.assignment == assignment,
            mark.c.state == "auto",
            mark.c.proposed.is_not(None),
        )
        return [(row[0], row[1], row[2]) for row in self._connection.execute(query)]

    def audit_answers(self, drawn: Sequence[tuple[str, str, bool]]) -> None:
        """Say of each submission's item whether it is audited, and so in the queue."""
        is_asked = (
            sa.exists()
            .where(
                regrade_request.c.submission_id == mark.c.submission_id,
                regrade_request.c.item == mark.c.item,
                regrade_request.c.answered_at.is_(None),
            )
            .correlate(mark)
        )
        if drawn:
            self._connection.execute(
                sa.update(mark)
                .where(mark.c.submission_id == sa.bindparam("of"), mark.c.item == sa.bindparam("at"))
                .values(is_audited=sa.bindparam("drawn"), in_queue=sa.or_(sa.bindparam("drawn"), is_asked)),
                [{"of": one, "at": item, "drawn": is_audited} for one, item, is_audited in drawn],
            )

    def unsettled(self, after: str = "", limit: int = 500) -> list[str]:
        """Submissions with a grade and no standing, of a release before there were any; by id, after one."""
        query = (
            sa.select(work.c.submission_id)
            .outerjoin(standing, standing.c.submission_id == work.c.submission_id)
            .where(
                standing.c.submission_id.is_(None),
                work.c.submission_id > after,
                work.c.state == "graded",
                sa.exists().where(grade.c.submission_id == work.c.submission_id),
            )
            .order_by(work.c.submission_id)
            .limit(limit)
        )
        return list(self._connection.execute(query).scalars())


def _chunks(keys: Iterable[str]) -> Iterable[list[str]]:
    known = list(keys)
    return (known[start : start + _CHUNK] for start in range(0, len(known), _CHUNK))


def _row(entry: Standing | Mark) -> dict[str, Any]:
    return {field.name: getattr(entry, field.name) for field in fields(entry)}
