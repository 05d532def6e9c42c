"""What meets an erasure: work that comes in, runs that go on, a process that is killed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import FastAPI

from grader.assignments import Assignment
from grader.domain.people import Actor, Membership, Role
from grader.domain.run import CellRun, NotebookRun
from grader.sandbox.jail import Jail
from grader.services.gradebook.accommodations import excuse
from grader.services.privacy.erase import Eraser
from grader.services.privacy.person import SERVICE, erase_person
from grader.services.privacy.retention import delete_overdue
from grader.services.submitting.drafts import keep_draft
from grader.services.submitting.submit import Submitter, Upload
from grader.storage.audit import Audit
from grader.worker.guard import JailGuard, Stopped
from grader.worker.stages import Job, Stages
from tests.integration.graded import grade, graded, hand_in
from tests.integration.page_requests import Browser, add_person, signed_in
from tests.integration.parts import Parts, ScriptedAutograder, make_assignment, make_notebook
from tests.integration.privacy_parts import LONG_AGO, SENT, blobs, rows, set_up_course
from tests.integration.student_parts import ITEMS, PARTS, fill_in


@pytest.fixture
def eraser(parts: Parts) -> Eraser:
    return Eraser(parts.database, parts.blobs, parts.jobs)


@pytest.fixture
def ina(parts: Parts, app: FastAPI) -> Browser:
    return set_up_course(parts, app)


def _hand_in(parts: Parts, user: str) -> str:
    return str(parts.submit("print('template')", user)["sha256"])


def _look_through(parts: Parts, user: str) -> str:
    actor = Actor(user, user, {"cs101": Membership("cs101", Role.STUDENT)})
    data = make_notebook("print('template')")
    assignment = replace(make_assignment(parts=PARTS, items=ITEMS), template=fill_in())
    kept = keep_draft(
        parts.database, parts.blobs, actor, "cs101", assignment, "hw.ipynb", data, datetime.now(UTC)
    )
    return kept.notebook_sha256


@pytest.mark.parametrize("give", [_hand_in, _look_through])
def test_bytes_that_come_in_while_another_who_has_the_same_is_erased_are_kept(
    parts: Parts, eraser: Eraser, monkeypatch: pytest.MonkeyPatch, give: Callable[[Parts, str], str]
) -> None:
    ada = hand_in(parts, "ada", SENT, "print('template')")
    put = parts.blobs.put

    def erase_meanwhile(data: bytes) -> str:
        sha256 = put(data)
        monkeypatch.undo()
        grade(parts, ada)
        erase_person(parts.database, eraser, SERVICE, "ada", "asked for it", datetime.now(UTC))
        return sha256

    monkeypatch.setattr(parts.blobs, "put", erase_meanwhile)
    assert parts.blobs.get(give(parts, "ben"))
    assert parts.count("erasure") == 1


class Training(ScriptedAutograder):
    """Runs leave an executed notebook and the weights that everybody's leave; something happens meanwhile."""

    def __init__(self, parts: Parts, meanwhile: Callable[[], object] = lambda: None) -> None:
        super().__init__(parts.blobs, parts.home / "diary")
        self._parts = parts
        self._meanwhile = meanwhile

    def run(
        self,
        data: bytes,
        assignment: Assignment,
        *,
        on_cell: Callable[[CellRun], None] = lambda _: None,
        on_start: Callable[[Jail], None] = lambda _: None,
    ) -> NotebookRun:
        run = super().run(data, assignment, on_cell=on_cell, on_start=on_start)
        self._meanwhile()
        executed = self._parts.blobs.put(b"executed by zelda-7")
        weights = self._parts.blobs.put(b"the same weights for everybody")
        return replace(run, executed_sha256=executed, models=(replace(run.models[0], sha256=weights),))


def _stages(parts: Parts, meanwhile: Callable[[], object] = lambda: None) -> Stages:
    autograder = Training(parts, meanwhile)
    return Stages(parts.database, parts.blobs, autograder, parts.assignments, clock=lambda: datetime.now(UTC))


@pytest.mark.parametrize("graded_after", [False, True])
def test_weights_that_a_running_job_has_in_common_with_an_erased_person_stay(
    parts: Parts, eraser: Eraser, monkeypatch: pytest.MonkeyPatch, graded_after: bool
) -> None:
    ben = hand_in(parts, "ben", SENT)
    if not graded_after:
        graded(parts, "ada", sent=SENT)
    run = _stages(parts).run(Job(ben, 0), JailGuard())
    assert run is not None
    if graded_after:
        graded(parts, "ada", sent=SENT)
        # What the engine says of the job that goes on.
        monkeypatch.setattr(parts.jobs, "told", lambda one, _: {run} if one == ben else set())
    hand_in(parts, "ada", SENT, "print('waits')")
    erase_person(parts.database, eraser, SERVICE, "ada", "asked for it", datetime.now(UTC))
    assert b"the same weights for everybody" in blobs(parts).values()


def test_what_stages_of_work_in_flight_have_left_goes(
    parts: Parts, eraser: Eraser, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = _stages(parts).run(Job(hand_in(parts, "zelda-7", SENT), 0), JailGuard())
    monkeypatch.setattr(parts.jobs, "told", lambda *_: {run})
    erase_person(parts.database, eraser, SERVICE, "zelda-7", "asked for it", datetime.now(UTC))
    assert blobs(parts) == {}


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_run_whose_student_is_erased_meanwhile_leaves_nothing(
    parts: Parts, eraser: Eraser, is_killed: bool
) -> None:
    job, guard = Job(hand_in(parts, "zelda-7", SENT), 0), JailGuard()
    parts.blobs.put(b"the same weights for everybody")  # by somebody else's run

    def erase() -> None:
        erase_person(parts.database, eraser, SERVICE, "zelda-7", "asked for it", datetime.now(UTC))
        if is_killed:
            guard.stop()

    with pytest.raises(Stopped) if is_killed else nullcontext():
        _stages(parts, erase).run(job, guard)
    assert list(blobs(parts).values()) == [b"the same weights for everybody"]


def test_what_comes_in_while_its_owner_is_erased_goes_too(
    parts: Parts, ina: Browser, eraser: Eraser, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget = parts.jobs.forget

    def hand_in_meanwhile(jobs: Iterable[tuple[str, int]]) -> None:
        monkeypatch.undo()
        _look_through(parts, "zelda-7")
        parts.submit("print('by a key that nobody has ended')", "zelda-7")
        forget(jobs)

    monkeypatch.setattr(parts.jobs, "forget", hand_in_meanwhile)
    removed = erase_person(parts.database, eraser, SERVICE, "zelda-7", "asked for it", datetime.now(UTC))
    assert (removed.rows["submission"], removed.rows["draft"]) == (3, 1)
    assert {table for table, row in rows(parts) if "zelda-7" in row} == {"audit"}
    kept = blobs(parts).values()
    assert not any(b"nobody has ended" in data or b"template" in data for data in kept)
    with parts.database.read() as unit:
        (entry,) = unit.audit.page(action="person.erase")
    assert entry.details["submissions"] == 3


class Killed(BaseException):
    """As the machine would be."""


def _kill_before(action: str, monkeypatch: pytest.MonkeyPatch) -> None:
    note = Audit.note

    def kill(self: Audit, at: datetime, actor: str, what: str, **more: Any) -> None:
        if what == action:
            raise Killed
        note(self, at, actor, what, **more)

    monkeypatch.setattr(Audit, "note", kill)


def test_an_erasure_that_was_killed_is_finished_and_noted_by_the_next(
    parts: Parts, eraser: Eraser, monkeypatch: pytest.MonkeyPatch
) -> None:
    graded(parts, "known-to-the-lms-alone", sent=SENT)

    def erase() -> None:
        erase_person(
            parts.database, eraser, SERVICE, "known-to-the-lms-alone", "asked for it", datetime.now(UTC)
        )

    with monkeypatch.context() as killing:
        _kill_before("person.erase", killing)
        with pytest.raises(Killed):
            erase()
    erase()
    with parts.database.read() as unit:
        assert len(unit.audit.page(action="person.erase")) == 1
    assert parts.count("submission") == 0


def test_a_retention_that_was_killed_is_finished_and_noted_by_the_next(
    parts: Parts, ina: Browser, eraser: Eraser, monkeypatch: pytest.MonkeyPatch
) -> None:
    ina.post("/courses/cs101/data/retention", {"days": "365"})
    later = datetime.now(UTC) + LONG_AGO
    with monkeypatch.context() as killing:
        _kill_before("course.erase", killing)
        with pytest.raises(Killed):
            delete_overdue(parts.database, eraser, SERVICE, later)
    (done,) = delete_overdue(parts.database, eraser, SERVICE, later)
    assert (done.removed.rows["submission"], done.removed.rows["accommodation"]) == (3, 1)
    assert parts.count("submission") == parts.count("accommodation") == 0
    with parts.database.read() as unit:
        assert len(unit.audit.page(action="course.erase")) == 1


def _excuse(parts: Parts, user: str) -> None:
    teacher = Actor("tess", "Tess", {"cs101": Membership("cs101", Role.INSTRUCTOR)})
    excuse(parts.database, teacher, "cs101", "hw", user, is_excused=True, reason="ill", now=datetime.now(UTC))


@pytest.mark.parametrize("use", [_excuse, _look_through])
def test_a_course_in_which_nobody_has_handed_in_is_forgotten_as_well(
    parts: Parts, app: FastAPI, eraser: Eraser, use: Callable[[Parts, str], object]
) -> None:
    add_person(parts, "ina", Role.INSTRUCTOR)
    add_person(parts, "ada", Role.STUDENT)
    signed_in(app, "ina").post("/courses/cs101/data/retention", {"days": "365"})
    use(parts, "ada")
    assert delete_overdue(parts.database, eraser, SERVICE, datetime.now(UTC)) == []
    (done,) = delete_overdue(parts.database, eraser, SERVICE, datetime.now(UTC) + LONG_AGO)
    assert sum(done.removed.rows.values()) == 1
    assert parts.count("accommodation") == parts.count("draft") == 0
    assert blobs(parts) == {}


def test_a_course_that_is_used_again_before_its_turn_is_kept(
    parts: Parts, ina: Browser, eraser: Eraser, monkeypatch: pytest.MonkeyPatch
) -> None:
    ina.post("/courses/cs101/data/retention", {"days": "365"})
    later = datetime.now(UTC) + LONG_AGO
    erase = eraser.erase

    def come_back(*request: Any) -> None:
        Submitter(parts.database, parts.blobs, parts.jobs, parts.assignments, clock=lambda: later).submit(
            Upload("cs101", "hw", "ben", "hw.ipynb", make_notebook("print('again')"))
        )
        erase(*request)

    monkeypatch.setattr(eraser, "erase", come_back)
    assert delete_overdue(parts.database, eraser, SERVICE, later) == []
    assert parts.count("submission") == 4
    assert parts.count("accommodation") == 1
