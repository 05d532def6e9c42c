"""What a class's figures are reckoned from: the attempt that counts, and what was measured of it."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from grader.storage.class_tables import counted_attempt, measured
from grader.storage.people_tables import member_section
from grader.storage.review_tables import mark

ClassRow = sa.Row[tuple[int, int, int, str, bytes]]
Quartiles = tuple[float, float, float]
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
    shape: str  # of `name_shape`
    points: bytes  # of `pack`, in the order of the items' keys


@dataclass(frozen=True, slots=True)
class Measured:
    """The best model of one latent size."""

    latent_dim: int
    dataset_sha256: str
    explained_variance: float
    mse: float
    pca: float | None  # explained variance of PCA with as many numbers


@dataclass(frozen=True, slots=True)
class Spread:
    """What the models of one latent size explain on the same held-out images."""

    dataset_sha256: str
    latent_dim: int
    students: int
    quartiles: Quartiles
    pca: float | None  # what PCA with as many numbers explains


def name_shape(items: Iterable[str]) -> str:
    """Equal for rows whose `points` are of the same items."""
    return sha256("\n".join(sorted(items)).encode()).hexdigest()[:16]


def pack(points: Iterable[int]) -> bytes:
    """Hundredths of points, `WAITS` for an item that waits, as little-endian int32."""
    packed = array("i", points)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def unpack(rows: Sequence[bytes]) -> array[int]:
    """The points of all rows, one row after the other."""
    points = array("i")
    points.frombytes(b"".join(rows))
    if sys.byteorder == "big":
        points.byteswap()
    return points


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

    def put_measured(
        self, submission_id: str, course: str, assignment: str, models: Iterable[Measured]
    ) -> None:
        """Replace what was measured of a submission."""
        self._connection.execute(sa.delete(measured).where(measured.c.submission_id == submission_id))
        rows = [
            {
                "submission_id": submission_id,
                "course": course,
                "assignment": assignment,
                "is_counted": False,
                **asdict(model),
            }
            for model in models
        ]
        if rows:
            self._connection.execute(sa.insert(measured), rows)

    def measured_count(self, submission_id: str, others: Iterable[str]) -> None:
        """Of a student's submissions the models of this one count, and of the ``others`` none."""
        mine = [submission_id, *others]
        self._connection.execute(
            sa.update(measured)
            .where(measured.c.submission_id.in_(mine))
            .values(is_counted=measured.c.submission_id == submission_id)
        )

    def attempts(self, course: str, assignment: str, sections: Sections) -> list[ClassRow]:
        """``final, expected, maximum, shape, points`` of every student in no order."""
        table = counted_attempt.c
        query = sa.select(table.final, table.expected, table.maximum, table.shape, table.points).where(
            table.course == course,
            table.assignment == assignment,
            *in_sections(table.user_id, course, sections),
        )
        return list(self._connection.execute(query))

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
        return dict(sorted(self._connection.execute(query).t))

    def measured_of(self, submission_id: str) -> dict[int, Measured]:
        """What was measured of one submission, by latent size."""
        table = measured.c
        query = (
            sa.select(table.latent_dim, table.dataset_sha256, table.explained_variance, table.mse, table.pca)
            .where(table.submission_id == submission_id)
            .order_by(table.latent_dim)
        )
        return {row[0]: Measured(*row) for row in self._connection.execute(query)}

    def students(self, course: str, assignment: str) -> int:
        """How many have an attempt that counts."""
        query = sa.select(sa.func.count()).where(
            counted_attempt.c.course == course, counted_attempt.c.assignment == assignment
        )
        return self._connection.execute(query).scalar_one()

    def spread(self, course: str, assignment: str, sections: Sections = None) -> list[Spread]:
        """Quartiles of what the class's models explain, by data set and latent size."""
        table = measured.c
        here = [table.course == course, table.assignment == assignment, table.is_counted]
        if sections is not None:
            theirs = sa.select(counted_attempt.c.submission_id).where(
                counted_attempt.c.course == course,
                counted_attempt.c.assignment == assignment,
                *in_sections(counted_attempt.c.user_id, course, sections),
            )
            here.append(table.submission_id.in_(theirs))
        sizes = (
            sa.select(table.dataset_sha256, table.latent_dim, sa.func.count())
            .where(*here)
            .group_by(table.dataset_sha256, table.latent_dim)
            .order_by(table.dataset_sha256, table.latent_dim)
        )
        found = []
        for dataset, width, students in self._connection.execute(sizes).all():
            one = (*here, table.dataset_sha256 == dataset, table.latent_dim == width)
            pca = self._connection.execute(sa.select(table.pca).where(*one).limit(1)).scalar_one()
            ordered = sa.select(table.explained_variance).where(*one).order_by(table.explained_variance)
            quartiles = self._quartiles(ordered, students)
            found.append(Spread(dataset, width, students, quartiles, pca))
        return found

    def _quartiles(self, ordered: sa.Select[Any], count: int) -> Quartiles:
        """As `statistics.quantiles` has them, without reading more than two values for each."""
        found = []
        for quarter in (1, 2, 3):
            first = min(max(quarter * (count + 1) // 4, 1), max(count - 1, 1))
            share = quarter * (count + 1) - 4 * first
            pair: list[float] = list(self._connection.execute(ordered.offset(first - 1).limit(2)).scalars())
            found.append((pair[0] * (4 - share) + pair[-1] * share) / 4)
        low, middle, high = found
        return low, middle, high
