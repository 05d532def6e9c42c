"""Writes progress as cells finish: seldom enough to cost nothing, and never at the cost of the run."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from grader.domain.run import CellRun
from grader.storage.unit_of_work import Database

_log = logging.getLogger(__name__)
_EVERY_SECONDS = 0.5


class LiveProgress:
    """Hears of each finished cell of one submission's run."""

    def __init__(self, database: Database, submission_id: str) -> None:
        self._database = database
        self._submission_id = submission_id
        self._unwritten: list[CellRun] = []
        self._written_at = 0.0

    def restart(self, cells: Sequence[int]) -> None:
        """These code cells are to be run."""
        try:
            with self._database.write() as unit:
                unit.progress.restart(self._submission_id, cells)
                unit.commit()
        except Exception:
            _log.warning("progress of %s was not written", self._submission_id, exc_info=True)

    def note(self, cell: CellRun) -> None:
        """A cell ended."""
        self._unwritten.append(cell)
        if time.monotonic() - self._written_at >= _EVERY_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what is not written yet."""
        cells, self._unwritten = self._unwritten, []
        self._written_at = time.monotonic()
        if not cells:
            return
        try:
            with self._database.write() as unit:
                unit.progress.note(self._submission_id, cells)
                unit.commit()
        except Exception:
            _log.warning("progress of %s was not written", self._submission_id, exc_info=True)
