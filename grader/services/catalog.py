"""The assignments as they are now: the rubric files, and what was published in their place."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.assignments import CALIBRATION, Assignment, list_assignments, parse_rubric, read_rubric
from grader.errors import ContentInvalid
from grader.storage.unit_of_work import Database, UnitOfWork

_log = logging.getLogger(__name__)
_State = tuple[tuple[int, int], ...]  # of the files that an assignment is made of: time and size of each


@dataclass(frozen=True, slots=True)
class _OnDisk:
    """An assignment's files as they were last read whole."""

    state: _State
    text: bytes
    sha256: str
    assignment: Assignment


class Catalog(Mapping[str, Assignment]):
    """Assignments by id, as web, worker and command line look them up.

    The newest stored version of a rubric wins while the file on disk is the one it was made from; once the
    file changes, the file wins. Each lookup asks the files' times and one indexed row, so what another
    process published holds here at once. A file that becomes wrong while we run does not: what it said
    before goes on, and the log says why. Made with `ContentInvalid` where a rubric is wrong.
    """

    def __init__(self, database: Database, content: Path) -> None:
        self._database = database
        self._content = content
        self._files: dict[str, _OnDisk] = {}
        self._refused: dict[str, _State] = {}
        self._parsed: dict[tuple[str, str, _State], Assignment] = {}
        wrong = []
        for name in list_assignments(content):
            try:
                self._files[name] = self._read(name, self._look(name))
            except ContentInvalid as error:
                wrong.append(str(error))
        if wrong:
            raise ContentInvalid("\n".join(wrong))

    def __getitem__(self, assignment_id: str) -> Assignment:
        if assignment_id not in self._files:
            raise KeyError(assignment_id)
        with self._database.read() as unit:
            return self.find(unit, assignment_id)

    def __contains__(self, assignment_id: object) -> bool:
        return assignment_id in self._files

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._files))

    def __len__(self) -> int:
        return len(self._files)

    def find(self, unit: UnitOfWork, assignment_id: str) -> Assignment:
        """The same in a unit of work that is open. ``KeyError`` where there is no such assignment."""
        on_disk = self._refresh(assignment_id)
        newest = unit.rubrics.newest(assignment_id)
        if newest is None or newest[2] != on_disk.sha256 or newest[1] == on_disk.sha256:
            return on_disk.assignment
        number, sha256, _ = newest
        key = (assignment_id, sha256, on_disk.state)
        if key not in self._parsed:
            version = unit.rubrics.find(number)
            assert version is not None  # they are never deleted
            self._parsed[key] = self._parse_stored(assignment_id, version.text)
        return self._parsed[key]

    def parse(self, assignment_id: str, text: str) -> Assignment:
        """The assignment as this text would make it. `RubricInvalid` names every line that is wrong."""
        return parse_rubric(self._content, assignment_id, text.encode("utf-8", "surrogatepass"))

    def file(self, assignment_id: str) -> tuple[str, str]:
        """Text and sha256 of the rubric file on disk. ``KeyError`` where there is none."""
        on_disk = self._refresh(assignment_id)
        return on_disk.text.decode("utf-8-sig"), on_disk.sha256

    def text(self, unit: UnitOfWork, assignment_id: str) -> str:
        """The text of the rubric that holds now. ``KeyError`` where there is none."""
        text, sha256 = self.file(assignment_id)
        newest = unit.rubrics.newest(assignment_id)
        if newest is None or newest[2] != sha256:
            return text
        version = unit.rubrics.find(newest[0])
        return version.text if version else text

    def _refresh(self, assignment_id: str) -> _OnDisk:
        known, state = self._files[assignment_id], self._look(assignment_id)
        if state in (known.state, self._refused.get(assignment_id)):
            return known
        try:
            fresh = self._read(assignment_id, state)
        except ContentInvalid as error:
            self._refused[assignment_id] = state
            _log.error("what was read before goes on to hold: %s", error)
            return known
        self._files[assignment_id] = fresh
        return fresh

    def _look(self, assignment_id: str) -> _State:
        folder = self._content / "reference" / assignment_id
        rubric = self._content / "rubrics" / f"{assignment_id}.yaml"
        return tuple(map(_stamp, (rubric, folder / "template.ipynb", folder / CALIBRATION)))

    def _read(self, assignment_id: str, state: _State) -> _OnDisk:
        text = read_rubric(self._content, assignment_id)
        assignment = parse_rubric(self._content, assignment_id, text)
        return _OnDisk(state, text, hashlib.sha256(text).hexdigest(), assignment)

    def _parse_stored(self, assignment_id: str, text: str) -> Assignment:
        try:
            return self.parse(assignment_id, text)
        except ContentInvalid as error:
            raise ContentInvalid(
                f"the published version of {assignment_id} does not fit this release or the files beside it: "
                f"write it out with `grader rubric export {assignment_id}`, mend it, and put it in the place "
                f"of rubrics/{assignment_id}.yaml, which then holds.\n{error}"
            ) from error


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:  # whoever reads it will say so
        return 0, 0
    return status.st_mtime_ns, status.st_size
