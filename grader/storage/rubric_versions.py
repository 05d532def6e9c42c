"""Versions of rubrics that were published in the service: appended, the newest of an assignment stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from grader.storage.tables.review import rubric_version


@dataclass(frozen=True, slots=True)
class RubricVersion:
    """One version's text, who published it and why. ``file_sha256``: of the file it takes the place of."""

    id: int
    assignment: str
    sha256: str  # of the text
    text: str
    file_sha256: str
    note: str
    actor: str
    made_at: datetime


class RubricVersions:
    """The `rubric_version` table."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(
        self,
        assignment: str,
        text: str,
        *,
        sha256: str,
        file_sha256: str,
        note: str,
        actor: str,
        made_at: datetime,
    ) -> None:
        """Append one; from now on it stands."""
        self._connection.execute(
            sa.insert(rubric_version).values(
                assignment=assignment,
                text=text,
                sha256=sha256,
                file_sha256=file_sha256,
                note=note,
                actor=actor,
                made_at=made_at,
            )
        )

    def newest(self, assignment: str) -> tuple[int, str, str] | None:
        """Id, sha256 and the file's sha256 of what stands, without the text: cheap enough for each lookup."""
        columns = rubric_version.c
        query = (
            sa.select(columns.id, columns.sha256, columns.file_sha256)
            .where(columns.assignment == assignment)
            .order_by(columns.id.desc())
            .limit(1)
        )
        row = self._connection.execute(query).first()
        return None if row is None else (row[0], row[1], row[2])

    def find(self, version_id: int) -> RubricVersion | None:
        """One version."""
        query = sa.select(rubric_version).where(rubric_version.c.id == version_id)
        row = self._connection.execute(query).mappings().first()
        return None if row is None else RubricVersion(**row)

    def history(self, assignment: str) -> list[RubricVersion]:
        """All of an assignment, oldest first."""
        query = (
            sa.select(rubric_version)
            .where(rubric_version.c.assignment == assignment)
            .order_by(rubric_version.c.id)
        )
        return [RubricVersion(**row) for row in self._connection.execute(query).mappings()]
