"""By what the weights of every measured model are known again: looked up when the next ones are measured."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from grader.domain.models import WeightsMark
from grader.domain.submission import Submission
from grader.storage.tables.submissions import submission, weights

_MOST_ROWS = 5_000


@dataclass(frozen=True, slots=True)
class StoredMark:
    """One model of another user."""

    submission_id: str
    fingerprint: str
    sketch: tuple[float, ...]


class Weights:
    """The `weights` table."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, submission_id: str, marks: Iterable[WeightsMark]) -> None:
        """Append the marks of a submission's models."""
        rows = [
            {
                "submission_id": submission_id,
                "fingerprint": mark.fingerprint,
                "parameters": mark.parameters,
                "sketch": json.dumps(mark.sketch),
            }
            for mark in marks
        ]
        if rows:
            self._connection.execute(sa.insert(weights), rows)

    def of_others(self, own: Submission, mark: WeightsMark) -> list[StoredMark]:
        """Models of other users of the same assignment, of as many parameters or equal: oldest first."""
        query = (
            sa.select(weights.c.submission_id, weights.c.fingerprint, weights.c.sketch)
            .join(submission, submission.c.id == weights.c.submission_id)
            .where(
                submission.c.assignment == own.assignment,
                submission.c.user_id != own.user,
                sa.or_(weights.c.fingerprint == mark.fingerprint, weights.c.parameters == mark.parameters),
            )
            .order_by(weights.c.id)
            .limit(_MOST_ROWS)
        )
        rows = self._connection.execute(query)
        return [StoredMark(row[0], row[1], tuple(json.loads(row[2]))) for row in rows]
