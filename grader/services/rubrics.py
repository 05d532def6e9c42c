"""Change a rubric in the service: check its text, preview what it does, publish it, go back."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from grader.assignments import Assignment, Problem, RubricInvalid
from grader.domain.people import Actor
from grader.errors import NotFound, NotPermitted
from grader.services.catalog import Catalog
from grader.services.regrade import Preview, Regraded, preview, publish, regrade
from grader.services.regrade.stale import check_token, make_token, read_standard
from grader.storage.rubric_versions import RubricVersion
from grader.storage.unit_of_work import Database, UnitOfWork

_FILE = "file"  # who "published" what stood in the file


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One version of a rubric. ``made_at`` None: the file as it is on disk, whoever wrote it."""

    id: int | None  # None for the file on disk: there is nothing to restore
    sha256: str  # of its text
    actor: str
    made_at: datetime | None
    note: str
    diff: str  # against the version before, as `diff -u` writes it
    holds: bool  # it is what is judged by now


class Rubrics:
    """The acts. Each is for whoever manages every course that gives the assignment."""

    def __init__(self, database: Database, catalog: Catalog) -> None:
        self._database = database
        self._catalog = catalog

    def check_text(self, assignment_id: str, text: str) -> tuple[Problem, ...]:
        """What is wrong with this text, by line, with the mend; nothing where it is sound."""
        try:
            self._parse(assignment_id, text)
        except RubricInvalid as error:
            return error.problems
        return ()

    def propose(
        self,
        actor: Actor,
        assignment_id: str,
        text: str | None = None,
        *,
        course: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> Preview:
        """What publishing this text would do; None: what judging by the rubric that holds would.

        ``course`` counts and shows that course's submissions alone, for whoever manages it. Raises
        `RubricInvalid`, `NotFound` and `NotPermitted`.
        """
        with self._database.read() as unit:
            holds = self._permitted(unit, actor, assignment_id, course)
        asked = holds if text is None else self._parse(assignment_id, text)
        return preview(self._database, asked, before=holds.rubric, course=course, limit=limit, offset=offset)

    def publish(self, actor: Actor, assignment_id: str, token: str, now: datetime) -> Regraded:
        """Judge everything by the rubric that holds, as its preview showed. Raises `Overtaken`."""
        with self._database.read() as unit:
            holds = self._permitted(unit, actor, assignment_id)
        return publish(self._database, holds, token, now, actor=actor.id)

    def publish_version(
        self, actor: Actor, assignment_id: str, text: str, *, note: str, token: str, now: datetime
    ) -> Regraded:
        """Let this text hold from now on, and judge everything by it, as its preview showed.

        What is cut off in between goes on with `grader regrade`. Raises `RubricInvalid`, `Overtaken` where
        grades or rubric have changed since the preview, `NotFound` and `NotPermitted`.
        """
        asked = self._parse(assignment_id, text)
        with self._database.write() as unit:
            holds = self._permitted(unit, actor, assignment_id)
            heads = unit.grades.heads(assignment_id)
            standard = read_standard(unit, asked, heads)
            check_token(token, make_token(standard, holds.rubric.sha256, heads))
            if text != self._catalog.text(unit, assignment_id):
                self._store(unit, actor, assignment_id, text, note, now)
            unit.commit()
        return regrade(self._database, asked, now, actor=actor.id)

    def regrade_one(self, actor: Actor, submission_id: str, now: datetime) -> Regraded:
        """Judge one submission by the rubric that holds. Raises `NotFound` and `NotPermitted`."""
        with self._database.read() as unit:
            filed = unit.submissions.find(submission_id)
            if filed is None or actor.role_in(filed.submission.course) is None:
                raise NotFound(f"There is no submission {submission_id!r}.")
            if not actor.manages(filed.submission.course):
                raise NotPermitted("Only instructors of the course judge submissions again.")
            holds = self._find(unit, filed.submission.assignment)
        return regrade(self._database, holds, now, actor=actor.id, only=[submission_id])

    def history(self, actor: Actor, assignment_id: str) -> list[HistoryEntry]:
        """Every version, newest first; the file on disk on top, where it was changed after the last one."""
        with self._database.read() as unit:
            self._permitted(unit, actor, assignment_id)
            versions = unit.rubrics.history(assignment_id)
        text, sha256 = self._catalog.file(assignment_id)
        last = versions[-1] if versions else None
        file_holds = last is None or last.file_sha256 != sha256
        befores = [None, *versions[:-1]]
        entries = [
            _entry(before, version, holds=version is last and not file_holds)
            for before, version in zip(befores, versions, strict=False)
        ]
        if file_holds:
            note = "The file on disk was changed after the version before, and holds." if last else ""
            diff = _diff(last.text if last else text, text)
            entries.append(HistoryEntry(None, sha256, _FILE, None, note, diff, holds=True))
        return entries[::-1]

    def version_text(self, actor: Actor, assignment_id: str, version_id: int) -> str:
        """The text of one version, to look at or to restore. Raises `NotFound` and `NotPermitted`."""
        with self._database.read() as unit:
            self._permitted(unit, actor, assignment_id)
            version = unit.rubrics.find(version_id)
        if version is None or version.assignment != assignment_id:
            raise NotFound(f"{assignment_id} has no version {version_id}.")
        return version.text

    def restore(
        self, actor: Actor, assignment_id: str, version_id: int, *, token: str, now: datetime
    ) -> Regraded:
        """Publish an earlier version's text again. ``token`` is of its preview, see `version_text`."""
        text = self.version_text(actor, assignment_id, version_id)
        note = f"version {version_id} again"
        return self.publish_version(actor, assignment_id, text, note=note, token=token, now=now)

    def export(self, assignment_id: str) -> str:
        """The text of the rubric that holds, to be kept with the content. Raises `NotFound`."""
        with self._database.read() as unit:
            self._known(assignment_id)
            return self._catalog.text(unit, assignment_id)

    def _parse(self, assignment_id: str, text: str) -> Assignment:
        self._known(assignment_id)
        return self._catalog.parse(assignment_id, text)

    def _known(self, assignment_id: str) -> None:
        if assignment_id not in self._catalog:
            known = ", ".join(self._catalog)
            raise NotFound(f"There is no assignment {assignment_id!r}. There are: {known}.")

    def _find(self, unit: UnitOfWork, assignment_id: str) -> Assignment:
        self._known(assignment_id)
        return self._catalog.find(unit, assignment_id)

    def _permitted(
        self, unit: UnitOfWork, actor: Actor, assignment_id: str, course: str | None = None
    ) -> Assignment:
        """The assignment as it holds, for whoever may change it (or see what a change does to ``course``)."""
        manages = [known for known in actor.memberships if actor.manages(known)]
        if not (actor.is_admin or manages) or (course is not None and not actor.manages(course)):
            raise NotPermitted("Only instructors of the course, and admins, see and change its rubric.")
        is_of_others = any(known not in manages for known in _courses_of(unit, assignment_id))
        if course is None and not actor.is_admin and is_of_others:
            raise NotPermitted("Other courses that you do not manage give this homework too: ask an admin.")
        return self._find(unit, assignment_id)

    def _store(
        self, unit: UnitOfWork, actor: Actor, assignment_id: str, text: str, note: str, now: datetime
    ) -> None:
        before, file_sha256 = self._catalog.file(assignment_id)
        newest = unit.rubrics.newest(assignment_id)
        add = partial(unit.rubrics.add, assignment_id, file_sha256=file_sha256, made_at=now)
        if newest is None or newest[2] != file_sha256:
            # What the file said is kept too, so that the history is whole when the file has changed.
            add(before, sha256=file_sha256, note="the rubric file as it was", actor=_FILE)
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        add(text, sha256=sha256, note=note, actor=actor.id)
        for course in _courses_of(unit, assignment_id) or [""]:
            unit.audit.note(
                now,
                actor.id,
                "rubric.publish",
                course=course,
                subject=assignment_id,
                rubric=sha256,
                note=note,
            )


def _courses_of(unit: UnitOfWork, assignment_id: str) -> list[str]:
    """Courses that a change of the rubric concerns: they give the assignment, or have submissions of it."""
    return sorted({*unit.offerings.courses_of(assignment_id), *unit.submissions.courses_of(assignment_id)})


def _entry(before: RubricVersion | None, version: RubricVersion, *, holds: bool) -> HistoryEntry:
    diff = _diff(before.text, version.text) if before else ""
    return HistoryEntry(
        version.id, version.sha256, version.actor, version.made_at, version.note, diff, holds=holds
    )


def _diff(before: str, after: str) -> str:
    lines: Sequence[str] = list(
        difflib.unified_diff(before.splitlines(), after.splitlines(), "before", "after", lineterm="")
    )
    return "\n".join(lines)
