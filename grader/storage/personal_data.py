"""Where everything stands that is stored about a person, and how it is deleted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from grader.storage.tables import figures, people, review
from grader.storage.tables.submissions import (
    evidence,
    grade,
    idempotency,
    progress,
    submission,
    weights,
    work,
)

_CHUNK = 500
_T = TypeVar("_T")

# In the order in which foreign keys let them go. A test holds that every table is here or in `NOT_ABOUT`.
OF_SUBMISSION: dict[str, sa.Column[str]] = {
    "progress": progress.c.submission_id,
    "weights": weights.c.submission_id,
    "fingerprint": figures.fingerprint.c.submission_id,
    "measured": figures.measured.c.submission_id,
    "counted_attempt": figures.counted_attempt.c.submission_id,
    "resemblance": figures.resemblance.c.submission_id,
    "resemblance_to_it": figures.resemblance.c.other_id,  # told from the other's side
    "answer_mark": review.answer_mark.c.submission_id,
    "claim": review.claim.c.submission_id,
    "regrade_request": review.regrade_request.c.submission_id,
    "mark": review.mark.c.submission_id,
    "standing": review.standing.c.submission_id,
    "override": review.override.c.submission_id,
    "work": work.c.submission_id,
    "grade": grade.c.submission_id,
    "evidence": evidence.c.submission_id,
    "submission": submission.c.id,
}
OF_PERSON: dict[str, sa.Column[str]] = {
    "draft": people.draft.c.user_id,
    "accommodation": people.accommodation.c.user_id,
    "member_section": people.member_section.c.person_id,
    "member": people.member.c.person_id,
    "invitation": people.invitation.c.person_id,
    "session": people.session.c.person_id,
    "person": people.person.c.id,
}
OF_LOGIN: dict[str, sa.Column[str]] = {"login_failure": people.login_failure.c.login}
# What these say of a student is an id alone, or nothing.
NOT_ABOUT = frozenset(
    {
        "audit",  # keeps who did what, by id
        "erasure",
        "idempotency",  # answers that name an erased submission are deleted, see `forget_answers`
        "api_key",
        "worker",
        "course",
        "offering",
        "pseudonym_key",
        "comment",
        "rubric_version",
        "answer_calibration",
    }
)
_SECRET = frozenset({"password", "token_sha256", "csrf", "other_id"})
_OF_COURSE = frozenset(
    {"draft", "accommodation", "member_section", "member"}
)  # what `OF_PERSON` has course by course

_OF_NO_COURSE = frozenset({"invitation", "session"})


@dataclass(frozen=True, slots=True)
class Erasable:
    """A submission that is to go."""

    id: str
    course: str
    assignment: str
    user: str
    attempt: int
    filename: str
    notebook_sha256: str
    generation: int  # of its job
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class ErasableDraft:
    """A notebook that was not handed in, and is to go."""

    id: int
    notebook_sha256: str
    made_at: datetime


class PersonalData:
    """Reads and deletes what is stored about people."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def submissions(self, *, user: str | None = None, course: str | None = None) -> list[Erasable]:
        """What someone handed in, in one course or in all; or what a course was handed in."""
        query = (
            sa.select(
                submission.c.id,
                submission.c.course,
                submission.c.assignment,
                submission.c.user_id,
                submission.c.attempt,
                submission.c.filename,
                submission.c.notebook_sha256,
                work.c.generation,
                work.c.changed_at,
            )
            .join(work, work.c.submission_id == submission.c.id)
            .order_by(
                submission.c.course, submission.c.assignment, submission.c.user_id, submission.c.attempt
            )
        )
        if user is not None:
            query = query.where(submission.c.user_id == user)
        if course is not None:
            query = query.where(submission.c.course == course)
        return [Erasable(*row) for row in self._connection.execute(query)]

    def drafts(self, *, user: str | None = None, course: str | None = None) -> list[ErasableDraft]:
        """What someone has not handed in yet, in all courses; or what lies there in a course."""
        table = people.draft
        query = sa.select(table.c.id, table.c.notebook_sha256, table.c.made_at)
        if user is not None:
            query = query.where(table.c.user_id == user)
        if course is not None:
            query = query.where(table.c.course == course)
        return [ErasableDraft(*row) for row in self._connection.execute(query)]

    def delete_drafts(self, ids: Sequence[int]) -> int:
        """Drop these; return how many."""
        table = people.draft
        return sum(
            self._connection.execute(sa.delete(table).where(table.c.id.in_(some))).rowcount
            for some in _chunks(ids)
        )

    def rows(
        self, columns: dict[str, sa.Column[str]], values: Sequence[str], course: str | None = None
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every row about these, with its table's name and without secrets; of one course or of all."""
        for table, column in columns.items():
            if (course is not None and table in _OF_NO_COURSE) or table != column.table.name:
                continue
            for some in _chunks(values):
                query = sa.select(column.table).where(column.in_(some))
                if course is not None and table in _OF_COURSE:
                    query = query.where(column.table.c.course == course)
                for row in self._connection.execute(query).mappings():
                    yield table, {name: value for name, value in row.items() if name not in _SECRET}

    def count(self, columns: dict[str, sa.Column[str]], values: Sequence[str]) -> dict[str, int]:
        """How many rows there are about these, by table; tables without any are left out."""
        found: Counter[str] = Counter()
        for table, column in columns.items():
            for some in _chunks(values):
                query = sa.select(sa.func.count()).select_from(column.table).where(column.in_(some))
                found[table] += int(self._connection.execute(query).scalar_one())
        return dict(+found)

    def delete(self, columns: dict[str, sa.Column[str]], values: Sequence[str]) -> dict[str, int]:
        """Delete the same rows; return how many, by table."""
        found: Counter[str] = Counter()
        for table, column in columns.items():
            for some in _chunks(values):
                statement = sa.delete(column.table).where(column.in_(some))
                found[table] += self._connection.execute(statement).rowcount
        return dict(+found)

    def allow(self, submission_ids: Sequence[str], reason: str, actor: str, now: datetime) -> None:
        """Name submissions of which everything may be deleted: the append-only triggers let these go."""
        if submission_ids:
            self._connection.execute(
                sa.insert(people.erasure),
                [
                    {"submission_id": one, "reason": reason, "actor": actor, "at": now}
                    for one in submission_ids
                ],
            )

    def forget_answers(self, submission_ids: Sequence[str]) -> None:
        """Drop stored answers of the API that name these."""
        for one in submission_ids:
            self._connection.execute(sa.delete(idempotency).where(idempotency.c.answer.contains(one)))

    def forget_accommodations(self, course: str) -> int:
        """Drop every extension and excuse of a course."""
        table = people.accommodation
        return self._connection.execute(sa.delete(table).where(table.c.course == course)).rowcount

    def count_accommodations(self, course: str) -> int:
        """How many there are."""
        table = people.accommodation
        query = sa.select(sa.func.count()).select_from(table).where(table.c.course == course)
        return int(self._connection.execute(query).scalar_one())

    def last_use(self, course: str) -> datetime | None:
        """When a course was last handed in to, in part or whole, or given an extension or excuse."""
        ends = [
            self._connection.execute(sa.select(sa.func.max(column)).where(column.table.c.course == course))
            for column in (submission.c.accepted_at, people.draft.c.made_at, people.accommodation.c.made_at)
        ]
        return max((end for one in ends if (end := one.scalar_one()) is not None), default=None)

    def evidence_documents(self, submission_ids: Sequence[str]) -> Iterator[str]:
        """The evidence of these, as it is stored."""
        for some in _chunks(submission_ids):
            query = sa.select(evidence.c.document).where(evidence.c.submission_id.in_(some))
            yield from self._connection.execute(query).scalars()

    def last_evidence(self) -> int:
        """The id of the evidence that was stored last; 0: there is none."""
        return int(self._connection.execute(sa.select(sa.func.max(evidence.c.id))).scalar_one() or 0)

    def evidence_after(self, evidence_id: int) -> Iterator[tuple[str, str]]:
        """Evidence stored later than this one: its submission and document. 0: all of it."""
        query = (
            sa.select(evidence.c.id, evidence.c.submission_id, evidence.c.document)
            .order_by(evidence.c.id)
            .limit(_CHUNK)
        )
        last = evidence_id
        while rows := self._connection.execute(query.where(evidence.c.id > last)).all():
            for row in rows:
                yield row[1], row[2]
            last = rows[-1][0]

    def notebooks_of_others(
        self, sha256s: Sequence[str], submission_ids: frozenset[str], draft_ids: frozenset[int]
    ) -> set[str]:
        """Which of these notebooks lie there in another submission or draft, too."""
        found: set[str] = set()
        for table, leaving in ((submission, submission_ids), (people.draft, draft_ids)):
            for some in _chunks(sha256s):
                query = sa.select(table.c.id, table.c.notebook_sha256).where(
                    table.c.notebook_sha256.in_(some)
                )
                found |= {row[1] for row in self._connection.execute(query) if row[0] not in leaving}
        return found

    def all_notebooks(self) -> Iterator[str]:
        """Every notebook that some submission or draft names."""
        for table in (submission, people.draft):
            yield from self._connection.execute(sa.select(table.c.notebook_sha256)).scalars()


def _chunks(values: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
