"""Live progress of a run, cell by cell. Not evidence: it may be lost, and is replaced by each try."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from grader.domain.run import CellRun, CellState
from grader.storage.tables.submissions import progress


class Progress:
    """The `progress` table."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def restart(self, submission_id: str, cells: Sequence[int]) -> None:
        """Begin anew: these code cells are to be run."""
        self._connection.execute(sa.delete(progress).where(progress.c.submission_id == submission_id))
        self._insert(submission_id, [CellRun(index, CellState.NOT_RUN) for index in cells])

    def note(self, submission_id: str, cells: Sequence[CellRun]) -> None:
        """Replace these cells' rows."""
        indexes = [cell.index for cell in cells]
        self._connection.execute(
            sa.delete(progress).where(progress.c.submission_id == submission_id, progress.c.cell.in_(indexes))
        )
        self._insert(submission_id, cells)

    def of(self, submission_id: str) -> tuple[CellRun, ...]:
        """What is known so far, in the notebook's order."""
        query = (
            sa.select(
                progress.c.cell,
                progress.c.state,
                progress.c.seconds,
                progress.c.output_bytes,
                progress.c.error,
            )
            .where(progress.c.submission_id == submission_id)
            .order_by(progress.c.cell)
        )
        rows = self._connection.execute(query)
        return tuple(CellRun(cell, CellState(state), *rest) for cell, state, *rest in rows)

    def forget(self, submission_id: str) -> None:
        """Drop it all: there is evidence now."""
        self._connection.execute(sa.delete(progress).where(progress.c.submission_id == submission_id))

    def _insert(self, submission_id: str, cells: Sequence[CellRun]) -> None:
        rows = [
            {
                "submission_id": submission_id,
                "cell": cell.index,
                "state": cell.state,
                "seconds": cell.seconds,
                "output_bytes": cell.output_bytes,
                "error": _storable(cell.error),
            }
            for cell in {cell.index: cell for cell in cells}.values()
        ]
        if rows:
            self._connection.execute(sa.insert(progress), rows)


def _storable(text: str) -> str:
    """No half characters and no NUL: databases take neither."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "�")
