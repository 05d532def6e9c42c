"""Marks that humans gave for written answers, and what was learned of them. The newest calibration stands."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from grader.domain.answer_calibration import AnswerCalibration, MarkedProposal
from grader.storage.codec import dump, load
from grader.storage.tables.review import answer_calibration, answer_mark, override, standing


@dataclass(frozen=True, slots=True)
class AnswerMark:
    """One row of `answer_mark`: points are shares of the item's."""

    submission_id: str
    item: str
    course: str
    assignment: str
    override_id: int
    grade_id: int
    question_sha256: str = ""  # nothing was proposed
    given: float | None = None  # taken back
    proposed: float = 0.0
    doubt: float = 1.0
    features: Mapping[str, float] | None = None  # the answer was not read
    predicted: float | None = None  # before this mark was known; None: not calibrated then
    confidence: float | None = None
    was_accepted: bool = False
    was_drawn: bool = False


@dataclass(frozen=True, slots=True)
class NewMark:
    """A human's decision that is not among the marks yet."""

    submission_id: str
    override_id: int
    points: float | None


class Calibrations:
    """The `answer_mark` and `answer_calibration` tables."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def unread(
        self, course: str, assignment: str, item: str, question_sha256: str | None, limit: int
    ) -> list[NewMark]:
        """Decisions on an item that are no marks yet, newest first.

        With ``question_sha256`` also those whose marks are of another version of the question, where the
        submission was judged again since.
        """
        later, known = override.alias(), answer_mark
        is_new = known.c.override_id.is_(None) | (known.c.override_id != override.c.id)
        if question_sha256 is not None:
            is_new |= (known.c.question_sha256 != question_sha256) & (known.c.grade_id != standing.c.grade_id)
        query = (
            sa.select(override.c.submission_id, override.c.id, override.c.points)
            .join(standing, standing.c.submission_id == override.c.submission_id)
            .outerjoin(
                known,
                (known.c.submission_id == override.c.submission_id) & (known.c.item == override.c.item),
            )
            .where(
                standing.c.course == course,
                standing.c.assignment == assignment,
                override.c.item == item,
                is_new,
                ~sa.exists().where(
                    later.c.submission_id == override.c.submission_id,
                    later.c.item == override.c.item,
                    later.c.follows == override.c.id,
                ),
            )
            .order_by(override.c.id.desc())
            .limit(limit)
        )
        return [NewMark(*row) for row in self._connection.execute(query)]

    def find_mark(self, submission_id: str, item: str) -> AnswerMark | None:
        """One answer's mark."""
        row = (
            self._connection.execute(
                sa.select(answer_mark).where(
                    answer_mark.c.submission_id == submission_id, answer_mark.c.item == item
                )
            )
            .mappings()
            .first()
        )
        return None if row is None else _mark(row)

    def put_mark(self, new: AnswerMark) -> None:
        """Set one answer's mark; whoever else sets it at the same moment does not fail."""
        values = {
            **asdict(new),
            "features": "" if new.features is None else json.dumps(dict(new.features), sort_keys=True),
        }
        insert = postgresql.insert if self._connection.dialect.name == "postgresql" else sqlite.insert
        statement = insert(answer_mark).values(**values)
        self._connection.execute(
            statement.on_conflict_do_update(index_elements=["submission_id", "item"], set_=values)
        )

    def marked(
        self, course: str, assignment: str, item: str, question_sha256: str, limit: int
    ) -> list[MarkedProposal]:
        """What one version of a question can be learned from: what was read and is marked, newest first."""
        query = (
            sa.select(
                answer_mark.c.given, answer_mark.c.proposed, answer_mark.c.doubt, answer_mark.c.features
            )
            .where(
                answer_mark.c.course == course,
                answer_mark.c.assignment == assignment,
                answer_mark.c.item == item,
                answer_mark.c.question_sha256 == question_sha256,
                answer_mark.c.given.is_not(None),
                answer_mark.c.features != "",
            )
            .order_by(answer_mark.c.override_id.desc())
            .limit(limit)
        )
        return [
            MarkedProposal(given, proposed, doubt, json.loads(features))
            for given, proposed, doubt, features in self._connection.execute(query)
        ]

    def newest_marks(self, course: str, assignment: str) -> list[AnswerMark]:
        """All marks that stand, of answers for which something was proposed; in the order of decisions."""
        query = (
            sa.select(answer_mark)
            .where(
                answer_mark.c.course == course,
                answer_mark.c.assignment == assignment,
                answer_mark.c.question_sha256 != "",
                answer_mark.c.given.is_not(None),
            )
            .order_by(answer_mark.c.override_id)
        )
        return [_mark(row, with_features=False) for row in self._connection.execute(query).mappings()]

    def add(self, course: str, assignment: str, item: str, new: AnswerCalibration, now: datetime) -> None:
        """Append what was learned of one question."""
        self._connection.execute(
            sa.insert(answer_calibration).values(
                course=course,
                assignment=assignment,
                item=item,
                question_sha256=new.question_sha256,
                answers=new.marks,
                document=dump(new),
                made_at=now,
            )
        )

    def newest(
        self, course: str, assignment: str, items: Sequence[str] | None = None
    ) -> dict[str, AnswerCalibration]:
        """What stands, by item; of all items, or of these."""
        newest = sa.select(sa.func.max(answer_calibration.c.id)).where(
            answer_calibration.c.course == course, answer_calibration.c.assignment == assignment
        )
        if items is not None:
            newest = newest.where(answer_calibration.c.item.in_(items))
        rows = self._connection.execute(
            sa.select(answer_calibration.c.item, answer_calibration.c.document).where(
                answer_calibration.c.id.in_(newest.group_by(answer_calibration.c.item))
            )
        )
        return {item: load(AnswerCalibration, document) for item, document in rows}


def _mark(row: sa.RowMapping, *, with_features: bool = True) -> AnswerMark:
    values: dict[str, Any] = dict(row)
    is_read = bool(values["features"])
    values["features"] = (json.loads(row["features"]) if with_features else {}) if is_read else None
    return AnswerMark(**values)
