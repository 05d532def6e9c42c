"""What a class's figures are reckoned from: the attempt that counts, and what was measured of it."""

from __future__ import annotations

import sys
from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, NamedTuple

import sqlalchemy as sa

from grader.domain.people import Role
from grader.storage.tables.figures import counted_attempt, measured
from grader.storage.tables.people import accommodation, member, member_section
from grader.storage.tables.review import mark

Sections = frozenset[str] | None  # whose students are meant; None: all
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class CountedAttempt:
    """One student's attempt that counts. Points are in hundredths, so that sums are exact."""

    course: str
    assignment: str
    user_id: str
    submission_id: str
    final: int
    expected: int  # before lateness, with what is proposed
    maximum: int
    waiting: int  # items that need a human
    shape: str  # of `name_shape`
    points: bytes  # of `pack_points`, in the order of the items' keys
    choices: str  # "q3=A q6=B": those that were read
    images: str  # sha256 of the held-out ones; "": nothing was measured
    sizes: str  # latent sizes: "2 8 32 128"
    explained: bytes  # of `pack_shares`, in the order of `sizes`


@dataclass(frozen=True, slots=True)
class Measured:
    """What the best model of one latent size explains of the variance of these images."""

    latent_dim: int
    dataset_sha256: str
    explained_variance: float


class ClassRow(NamedTuple):
    """What figures of a class need of a `CountedAttempt`."""

    final: int
    expected: int
    maximum: int
    waiting: int
    shape: str
    points: bytes
    choices: str
    images: str
    sizes: str
    explained: bytes


def name_shape(items: Mapping[str, float]) -> str:
    """Equal for rows whose `points` are of the same items, each with the same most points."""
    named = sorted(f"{key}={round(100 * most)}" for key, most in items.items())
    return sha256("\n".join(named).encode()).hexdigest()[:16]


def pack_points(points: Iterable[int]) -> bytes:
    """Hundredths of points, `domain.statistics.WAITS` for an item that waits."""
    return _pack(array("i", points))


def unpack_points(rows: Iterable[bytes]) -> array[int]:
    """The points of all rows, one row after the other."""
    return _unpack(array("i"), rows)


def pack_shares(shares: Iterable[float]) -> bytes:
    """Shares of variance."""
    return _pack(array("d", shares))


def unpack_shares(rows: Iterable[bytes]) -> array[float]:
    """The shares of all rows, one row after the other."""
    return _unpack(array("d"), rows)


def _pack(values: array[Any]) -> bytes:
    """Little-endian on every machine: a database may be carried from one to another."""
    if sys.byteorder == "big":
        values.byteswap()
    return values.tobytes()


def _unpack(values: array[Any], rows: Iterable[bytes]) -> array[Any]:
    values.frombytes(b"".join(rows))
    if sys.byteorder == "big":
        values.byteswap()
    return values


def in_sections(user: sa.ColumnElement[str], course: str, sections: Sections) -> list[sa.ColumnElement[bool]]:
    """The condition that a user is in one of these sections; none where all are meant."""
    if sections is None:
        return []
    return [user.in_(select_students(course, sections))]


def select_students(course: str, sections: frozenset[str]) -> sa.Select[Any]:
    """The ids of the students in these sections, and not of the assistants who look after them."""
    return (
        sa.select(member_section.c.person_id)
        .join(
            member,
            (member.c.course == member_section.c.course) & (member.c.person_id == member_section.c.person_id),
        )
        .where(
            member_section.c.course == course,
            member_section.c.section.in_(sorted(sections)),
            member.c.role == Role.STUDENT,
        )
    )


def in_class(user: sa.ColumnElement[str], course: str) -> sa.ColumnElement[bool]:
    """The condition that a user is a student of the course: neither staff nor removed.

    Whoever is known by what was handed in alone, through the API, is one.
    """
    others = sa.select(member.c.person_id).where(
        member.c.course == course,
        sa.or_(member.c.role != Role.STUDENT.value, member.c.removed_at.is_not(None)),
    )
    return user.not_in(others)


def newest_accommodations(course: str, assignment: str) -> sa.Select[tuple[int]]:
    """The ids of those that stand, one for each student who has any."""
    return (
        sa.select(sa.func.max(accommodation.c.id))
        .where(accommodation.c.course == course, accommodation.c.assignment == assignment)
        .group_by(accommodation.c.user_id)
    )


class ClassFigures:
    """The `counted_attempt` and `measured` tables."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def count(self, new: Sequence[CountedAttempt]) -> None:
        """Say which attempts of their students count."""
        of_class: dict[tuple[str, str], list[str]] = defaultdict(list)
        for one in new:
            of_class[one.course, one.assignment].append(one.user_id)
        table = counted_attempt.c
        for (course, assignment), users in of_class.items():
            for start in range(0, len(users), _CHUNK):
                self._connection.execute(
                    sa.delete(counted_attempt).where(
                        table.course == course,
                        table.assignment == assignment,
                        table.user_id.in_(users[start : start + _CHUNK]),
                    )
                )
        if new:
            self._connection.execute(sa.insert(counted_attempt), [asdict(one) for one in new])

    def put_measured(self, submission_id: str, models: Iterable[Measured]) -> None:
        """Replace what was measured of a submission."""
        self._connection.execute(sa.delete(measured).where(measured.c.submission_id == submission_id))
        if rows := [{"submission_id": submission_id, **asdict(model)} for model in models]:
            self._connection.execute(sa.insert(measured), rows)

    def measured_of(self, submission_ids: Sequence[str]) -> Mapping[str, list[Measured]]:
        """What was measured, by submission; of each by latent size."""
        table, found = measured.c, defaultdict(list)
        for start in range(0, len(submission_ids), _CHUNK):
            query = (
                sa.select(
                    table.submission_id, table.latent_dim, table.dataset_sha256, table.explained_variance
                )
                .where(table.submission_id.in_(submission_ids[start : start + _CHUNK]))
                .order_by(table.submission_id, table.latent_dim)
            )
            for submission_id, width, images, explained in self._connection.execute(query):
                found[submission_id].append(Measured(width, images, explained))
        return found

    def attempts(self, course: str, assignment: str, sections: Sections = None) -> list[ClassRow]:
        """A row of `ClassRow` for every student but those who are excused, in no order."""
        table = counted_attempt.c
        excused = sa.select(accommodation.c.user_id).where(
            accommodation.c.id.in_(newest_accommodations(course, assignment)), accommodation.c.is_excused
        )
        query = sa.select(*(table[name] for name in ClassRow._fields)).where(
            table.course == course,
            table.assignment == assignment,
            in_class(table.user_id, course),
            table.user_id.not_in(excused),
            *in_sections(table.user_id, course, sections),
        )
        # All at once: one by one, ten thousand rows take twice as long.
        return list(map(ClassRow._make, self._connection.execute(query).all()))

    def items_of(self, course: str, assignment: str, shape: str) -> dict[str, float]:
        """Most points by item of a shape, in the order of `CountedAttempt.points`."""
        one = (
            sa.select(counted_attempt.c.submission_id)
            .where(
                counted_attempt.c.course == course,
                counted_attempt.c.assignment == assignment,
                counted_attempt.c.shape == shape,
            )
            .limit(1)
            .scalar_subquery()
        )
        query = sa.select(mark.c.item, mark.c.max_points).where(mark.c.submission_id == one)
        return {row[0]: row[1] for row in sorted(self._connection.execute(query))}

    def measured_on(self, course: str, assignment: str, images: str) -> str:
        """A submission that counts and was measured on these images; "" for none."""
        table = counted_attempt.c
        query = (
            sa.select(table.submission_id)
            .where(table.course == course, table.assignment == assignment, table.images == images)
            .limit(1)
        )
        return self._connection.execute(query).scalar_one_or_none() or ""

    def students(self, course: str, assignment: str, most: int) -> int:
        """How many have an attempt that counts; no more than ``most`` are counted."""
        some = (
            sa.select(counted_attempt.c.user_id)
            .where(counted_attempt.c.course == course, counted_attempt.c.assignment == assignment)
            .limit(most)
            .subquery()
        )
        return int(self._connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one())
