"""What a class's figures are reckoned from: the attempt that counts, and what was measured of it."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, NamedTuple

import sqlalchemy as sa

from grader.storage.class_tables import counted_attempt, measured
from grader.storage.people_tables import member_section
from grader.storage.review_tables import mark

Sections = frozenset[str] | None  # whose students are meant; None: all
WAITS = -1


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


def name_shape(items: Iterable[str]) -> str:
    """Equal for rows whose `points` are of the same items."""
    return sha256("\n".join(sorted(items)).encode()).hexdigest()[:16]


def pack_points(points: Iterable[int]) -> bytes:
    """Hundredths of points, `WAITS` for an item that waits."""
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
    members = sa.select(member_section.c.person_id).where(
        member_section.c.course == course, member_section.c.section.in_(sorted(sections))
    )
    return [user.in_(members)]


class ClassFigures:
    """The `counted_attempt` and `measured` tables."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def count(self, new: CountedAttempt) -> None:
        """Say which attempt of its student counts."""
        table = counted_attempt.c
        self._connection.execute(
            sa.delete(counted_attempt).where(
                table.course == new.course, table.assignment == new.assignment, table.user_id == new.user_id
            )
        )
        self._connection.execute(sa.insert(counted_attempt).values(**asdict(new)))

    def put_measured(self, submission_id: str, models: Iterable[Measured]) -> None:
        """Replace what was measured of a submission."""
        self._connection.execute(sa.delete(measured).where(measured.c.submission_id == submission_id))
        if rows := [{"submission_id": submission_id, **asdict(model)} for model in models]:
            self._connection.execute(sa.insert(measured), rows)

    def measured_of(self, submission_id: str) -> list[Measured]:
        """What was measured of a submission, by latent size."""
        table = measured.c
        query = (
            sa.select(table.latent_dim, table.dataset_sha256, table.explained_variance)
            .where(table.submission_id == submission_id)
            .order_by(table.latent_dim)
        )
        return [Measured(*row) for row in self._connection.execute(query)]

    def attempts(self, course: str, assignment: str, sections: Sections = None) -> list[ClassRow]:
        """A row of `ClassRow` for every student, in no order."""
        table = counted_attempt.c
        query = sa.select(*(table[name] for name in ClassRow._fields)).where(
            table.course == course,
            table.assignment == assignment,
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

    def students(self, course: str, assignment: str) -> int:
        """How many have an attempt that counts."""
        query = sa.select(sa.func.count()).where(
            counted_attempt.c.course == course, counted_attempt.c.assignment == assignment
        )
        return self._connection.execute(query).scalar_one()
