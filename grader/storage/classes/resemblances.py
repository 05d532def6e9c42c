"""Passages of submissions as hashes, and pairs of submissions that have much in common."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from grader.storage.classes.figures import Sections, in_sections
from grader.storage.tables.figures import fingerprint, resemblance
from grader.storage.tables.review import standing
from grader.storage.tables.submissions import submission

_CHUNK = 400


@dataclass(frozen=True, slots=True)
class Resemblance:
    """Two submissions of different students that are alike."""

    submission_id: str
    other_id: str
    kind: str
    share: float  # 0..1
    passages: int  # shared ones that were found


@dataclass(frozen=True, slots=True)
class SameHash:
    """Submissions of several students with equal text, or equal code."""

    value: str
    students: int
    submission_ids: tuple[str, ...]  # one of each of the first students


class Resemblances:
    """The `fingerprint` and `resemblance` tables."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def put(self, submission_id: str, user: str, kind: str, hashes: Iterable[int]) -> None:
        """Replace what is known of one submission's passages of one kind."""
        self._connection.execute(
            sa.delete(fingerprint).where(
                fingerprint.c.submission_id == submission_id, fingerprint.c.kind == kind
            )
        )
        rows = [
            {"hash": hash_, "submission_id": submission_id, "user_id": user, "kind": kind}
            for hash_ in sorted(hashes)
        ]
        if rows:
            self._connection.execute(sa.insert(fingerprint), rows)

    def students_with(self, hash_: int, most: int) -> frozenset[str]:
        """Who handed in this passage; at most ``most`` are looked for."""
        query = sa.select(fingerprint.c.user_id).where(fingerprint.c.hash == hash_).distinct().limit(most)
        return frozenset(self._connection.execute(query).scalars())

    def holders(self, hashes: Collection[int], but_not: str = "") -> dict[str, dict[str, int]]:
        """How many of these passages each submission has: by user, by submission."""
        found: dict[str, dict[str, int]] = defaultdict(dict)
        wanted = sorted(hashes)
        for start in range(0, len(wanted), _CHUNK):
            query = (
                sa.select(fingerprint.c.user_id, fingerprint.c.submission_id, sa.func.count())
                .where(
                    fingerprint.c.hash.in_(wanted[start : start + _CHUNK]), fingerprint.c.user_id != but_not
                )
                .group_by(fingerprint.c.user_id, fingerprint.c.submission_id)
            )
            for user, submission_id, count in self._connection.execute(query):
                found[user][submission_id] = found[user].get(submission_id, 0) + count
        return found

    def passages_of(self, submission_id: str, kind: str) -> frozenset[int]:
        """One submission's passages of one kind."""
        query = sa.select(fingerprint.c.hash).where(
            fingerprint.c.submission_id == submission_id, fingerprint.c.kind == kind
        )
        return frozenset(self._connection.execute(query).scalars())

    def add_pair(self, course: str, assignment: str, new: Resemblance) -> None:
        """Keep a pair, in place of what was known of the same two."""
        self.drop_pair(new.submission_id, new.other_id, new.kind)
        one, other = sorted((new.submission_id, new.other_id))
        self._connection.execute(
            sa.insert(resemblance).values(
                submission_id=one,
                other_id=other,
                kind=new.kind,
                course=course,
                assignment=assignment,
                share=new.share,
                passages=new.passages,
            )
        )

    def drop_pair(self, submission_id: str, other_id: str, kind: str) -> None:
        """Forget a pair."""
        one, other = sorted((submission_id, other_id))
        self._connection.execute(
            sa.delete(resemblance).where(
                resemblance.c.submission_id == one,
                resemblance.c.other_id == other,
                resemblance.c.kind == kind,
            )
        )

    def pairs_among(self, submission_ids: Collection[str], kind: str) -> list[Resemblance]:
        """Pairs of one kind in which one of these takes part."""
        table, ids = resemblance.c, list(submission_ids)
        found = []
        for start in range(0, len(ids), _CHUNK):
            some = ids[start : start + _CHUNK]
            query = _select().where(
                table.kind == kind, sa.or_(table.submission_id.in_(some), table.other_id.in_(some))
            )
            found += [Resemblance(*row) for row in self._connection.execute(query)]
        return found

    def pairs(self, course: str, assignment: str, sections: Sections, limit: int) -> list[Resemblance]:
        """The likest pairs, both of whose students are in these sections."""
        table = resemblance.c
        query = _select().where(*_both_in(course, assignment, sections))
        order = (table.share.desc(), table.passages.desc(), table.submission_id, table.other_id)
        return [Resemblance(*row) for row in self._connection.execute(query.order_by(*order).limit(limit))]

    def count_pairs(self, course: str, assignment: str, sections: Sections) -> int:
        """How many pairs of students there are, by kind, whichever of their attempts are alike."""
        table, one, other = resemblance.c, submission.alias(), submission.alias()
        users = (one.c.user_id, other.c.user_id)
        is_sorted = users[0] < users[1]
        pairs = (
            sa.select(
                sa.case((is_sorted, users[0]), else_=users[1]).label("first"),
                sa.case((is_sorted, users[1]), else_=users[0]).label("second"),
                table.kind,
            )
            .select_from(resemblance)
            .join(one, one.c.id == table.submission_id)
            .join(other, other.c.id == table.other_id)
            .where(*_both_in(course, assignment, sections))
            .distinct()
        )
        count = sa.select(sa.func.count()).select_from(pairs.subquery())
        return self._connection.execute(count).scalar_one()

    def equal(
        self, course: str, assignment: str, sections: Sections, column: str, most: int
    ) -> list[SameHash]:
        """Submissions of at least two students with an equal ``column``, "text_sha256" or "code_sha256"."""
        table, same = standing.c, standing.c[column]
        students = sa.func.count(sa.distinct(table.user_id))
        here = (
            table.course == course,
            table.assignment == assignment,
            same != "",
            *in_sections(table.user_id, course, sections),
        )
        groups = (
            sa.select(same, students)
            .where(*here)
            .group_by(same)
            .having(students > 1)
            .order_by(students.desc(), same)
            .limit(most)
        )
        found = []
        for value, count in self._connection.execute(groups).all():
            one_each = (
                sa.select(sa.func.min(table.submission_id))
                .where(*here, same == value)
                .group_by(table.user_id)
                .order_by(sa.func.min(table.submission_id))
                .limit(8)
            )
            ids = tuple(self._connection.execute(one_each).scalars())
            found.append(SameHash(value, count, ids))
        return found


def _both_in(course: str, assignment: str, sections: Sections) -> list[sa.ColumnElement[bool]]:
    table = resemblance.c
    chosen = [table.course == course, table.assignment == assignment]
    if sections is not None:
        theirs = sa.select(submission.c.id).where(
            submission.c.course == course,
            submission.c.assignment == assignment,
            *in_sections(submission.c.user_id, course, sections),
        )
        chosen += [table.submission_id.in_(theirs), table.other_id.in_(theirs)]
    return chosen


def _select() -> sa.Select[Any]:
    table = resemblance.c
    return sa.select(table.submission_id, table.other_id, table.kind, table.share, table.passages)
