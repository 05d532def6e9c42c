"""Writes progress as cells finish: seldom enough to cost nothing, and never at the cost of the run."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Self

from grader.domain.run import CellRun
from grader.storage.unit_of_work import Database, UnitOfWork

_log = logging.getLogger(__name__)
_EVERY_SECONDS = 0.5


class LiveProgress:
    """Hears of each finished cell of one submission's run, and writes it while the context is open.

    A thread of its own writes: were the database locked, a jail whose frames nobody takes would stand
    still, on its student's time.
    """

    def __init__(self, database: Database, submission_id: str, cells: Sequence[int]) -> None:
        self._database = database
        self._submission_id = submission_id
        self._to_run = cells
        self._lock = threading.Lock()
        self._unwritten: list[CellRun] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write_now_and_then, name="progress", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def note(self, cell: CellRun) -> None:
        """A cell ended. Returns at once."""
        with self._lock:
            self._unwritten.append(cell)

    def _write_now_and_then(self) -> None:
        self._write(lambda unit: unit.progress.restart(self._submission_id, self._to_run))
        while not self._stop.wait(_EVERY_SECONDS):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        with self._lock:
            cells, self._unwritten = self._unwritten, []
        if cells:
            self._write(lambda unit: unit.progress.note(self._submission_id, cells))

    def _write(self, change: Callable[[UnitOfWork], None]) -> None:
        try:
            with self._database.write() as unit:
                change(unit)
                unit.commit()
        except Exception as error:
            _log.warning("progress of %s was not written: %s", self._submission_id, error)
