"""What the parent makes of what a jail says: it believes little, and keeps what it may."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from grader.domain.answers import Alignment, Answer, AnswerState
from grader.domain.notebook import Cell, CellKind, Notebook
from grader.domain.rubric import Budget, Part, PartKind, RunLimits
from grader.domain.run import CellRun, CellState, NotebookRun, RanOut, Verdict
from grader.errors import RunIncomplete
from grader.notebooks.execution.budgets import budgeted_cells
from grader.notebooks.execution.execute import execute
from grader.sandbox.fake import FakeSandbox
from grader.sandbox.jail import ExitReason, Frame, Jail, JailExit
from tests.unit.weights_files import model_file

LIMITS = RunLimits(
    cell_seconds=5,
    total_seconds=20,
    memory_bytes=1 << 30,
    processes=64,
    output_bytes_per_cell=1000,
    output_bytes=5000,
    models=3,
    model_bytes=10_000,
)
NOTEBOOK = Notebook(
    (
        Cell(0, CellKind.MARKDOWN, "# Homework"),
        Cell(1, CellKind.CODE, "print(1)"),
        Cell(2, CellKind.CODE, "  "),
        Cell(3, CellKind.CODE, "1/0"),
    )
)
READY = Frame({"kind": "ready", "versions": {"python": "3.11.2"}})
END = Frame({"kind": "end", "reason": "completed"})
COMPLETED = JailExit(ExitReason.COMPLETED, "exit status 0", 2.0, peak_memory_bytes=1234)


def done(index: int, /, state: str = "ok", outputs: object = (), **changes: Any) -> Frame:
    header = {"kind": "cell", "index": index, "state": state, "seconds": 0.5, "cut": False, "error": ""}
    return Frame({**header, **changes}, json.dumps(list(outputs)).encode())  # type: ignore[call-overload]


def model(cell: int, blob: bytes) -> Frame:
    return Frame({"kind": "model", "cell": cell}, blob)


class Desk:
    """Runs the notebook against a script and remembers what it was told."""

    def __init__(self, *frames: Frame, ends: JailExit = COMPLETED) -> None:
        self.sandbox = FakeSandbox(frames, ends=ends)
        self.blobs: dict[str, bytes] = {}
        self.cells: list[CellRun] = []
        self.jails: list[Jail] = []

    def store(self, blob: bytes) -> str:
        name = sha256(blob).hexdigest()
        self.blobs[name] = blob
        return name

    def run(self, notebook: Notebook = NOTEBOOK, exercises: Mapping[int, Part] | None = None) -> NotebookRun:
        return execute(
            notebook,
            LIMITS,
            self.sandbox,
            mounts=(),
            store=self.store,
            on_cell=self.cells.append,
            on_start=self.jails.append,
            seed=7,
            exercises=exercises,
        )


def test_a_clean_run_is_ok_and_tells_each_cell_as_it_ends() -> None:
    desk = Desk(READY, done(1), done(3), END)
    run = desk.run()
    assert run.verdict is Verdict.OK
    assert [cell.index for cell in run.cells] == [1, 3]
    assert desk.cells == list(run.cells)
    assert len(desk.jails) == 1
    assert (run.versions, run.threads, run.peak_memory_bytes) == ({"python": "3.11.2"}, 1, 1234)


def test_the_request_holds_the_sources_of_code_cells_and_nothing_else_of_the_file() -> None:
    desk = Desk(READY, END)
    desk.run(Notebook((Cell(0, CellKind.CODE, "x = '\ud800'", "id"), Cell(1, CellKind.RAW, "raw"))))
    request = desk.sandbox.requests[0]
    (frame,) = request.frames
    assert json.loads(frame.payload) == [{"index": 0, "source": "x = '?'", "exercise": None}]
    assert request.opening[0].header["seed"] == 7


def test_the_outputs_are_in_the_executed_notebook() -> None:
    printed = [{"output_type": "stream", "name": "stdout", "text": "1\n"}]
    desk = Desk(READY, done(1, outputs=printed), done(3), END)
    run = desk.run()
    cells = json.loads(desk.blobs[run.executed_sha256])["cells"]
    assert cells[1]["outputs"] == printed
    assert run.cells[0].output_bytes == 2


def test_outputs_that_only_json_makes_large_are_left_out_with_a_mark() -> None:
    bells = [{"output_type": "stream", "name": "stdout", "text": "\a" * LIMITS.output_bytes_per_cell}]
    many = Notebook(tuple(Cell(index, CellKind.CODE, "1") for index in range(400)))
    desk = Desk(READY, *(done(index, outputs=bells) for index in range(400)), END)
    run = desk.run(many)
    cells = json.loads(desk.blobs[run.executed_sha256])["cells"]
    assert cells[0]["outputs"] == bells
    assert "too many control characters" in cells[-1]["outputs"][0]["text"]


def test_cells_that_never_came_were_not_run() -> None:
    run = Desk(READY, done(1), Frame({"kind": "end", "reason": "deadline"})).run()
    assert [cell.state for cell in run.cells] == [CellState.OK, CellState.NOT_RUN]
    assert "1 code cell was not run." in run.detail


OOM = JailExit(ExitReason.COMPLETED, "", 1.0, oom_kills=1)


@pytest.mark.parametrize(
    ("states", "reason", "ends", "verdict"),
    [
        (["ok", "error"], "completed", COMPLETED, Verdict.CELL_ERROR),
        (["timeout", "error"], "completed", COMPLETED, Verdict.TIMEOUT),
        (["timeout"], "kernel_lost", COMPLETED, Verdict.TIMEOUT),
        (["ok"], "deadline", COMPLETED, Verdict.DEADLINE),
        (["timeout"], "deadline", COMPLETED, Verdict.DEADLINE),
        (["error"], "kernel_lost", COMPLETED, Verdict.KERNEL_DIED),
        (["error"], "kernel_lost", OOM, Verdict.MEMORY_LIMIT),
        (["ok", "ok"], "output_full", COMPLETED, Verdict.OUTPUT_LIMIT),
        (["ok"], None, JailExit(ExitReason.DIED, "", 1.0), Verdict.KERNEL_DIED),
        (["ok"], None, JailExit(ExitReason.COMPLETED, "", 1.0), Verdict.KERNEL_DIED),
        (["ok"], None, JailExit(ExitReason.DEADLINE, "", 1.0), Verdict.DEADLINE),
        (["ok"], None, JailExit(ExitReason.MEMORY_LIMIT, "", 1.0), Verdict.MEMORY_LIMIT),
        (["ok"], None, JailExit(ExitReason.OUTPUT_LIMIT, "", 1.0), Verdict.OUTPUT_LIMIT),
        (["ok"], None, JailExit(ExitReason.PROTOCOL_ERROR, "", 1.0), Verdict.PROTOCOL_ERROR),
        (["ok"], None, JailExit(ExitReason.FORBIDDEN_CALL, "", 1.0), Verdict.FORBIDDEN_CALL),
    ],
)
def test_the_verdict_is_the_worst_that_happened(
    states: list[str], reason: str | None, ends: JailExit, verdict: Verdict
) -> None:
    frames = [READY, *(done(index, state) for index, state in zip((1, 3), states, strict=False))]
    if reason is not None:
        frames.append(Frame({"kind": "end", "reason": reason}))
    run = Desk(*frames, ends=ends).run()
    assert run.verdict is verdict
    assert run.detail.endswith(".")


@pytest.mark.parametrize(
    "stray",
    [
        Frame({"kind": "grade", "points": 100}),
        Frame({}),
        Frame({"kind": ["cell"]}),
        READY,
        done(1),
        done(2),
        done(99),
        done(-1),
        done(3, "not_run"),
        done(3, "perfect"),
        done(3, seconds=-1.0),
        done(3, seconds=float("nan")),
        done(3, seconds=float("inf")),
        done(3, seconds="0.5"),
        done(3, index=True),
        done(3, cut=1),
        done(3, error="e" * 501),
        done(3, points=100),
        done(3, outputs=[{"output_type": "stream", "text": "x" * 20_000}]),
        Frame(done(3).header, b"{" * 100_000),
        Frame(done(3).header, b"[" * 10_000),
        model(3, model_file()),
        model(2, model_file()),
        Frame({"kind": "end", "reason": "full marks"}),
    ],
)
def test_a_frame_out_of_turn_ends_the_run_and_keeps_what_came_before(stray: Frame) -> None:
    run = Desk(READY, done(1), model(1, model_file()), stray, done(3), END).run()
    assert run.verdict is Verdict.PROTOCOL_ERROR
    assert [cell.state for cell in run.cells] == [CellState.OK, CellState.NOT_RUN]
    assert len(run.models) == 1


def test_nothing_may_come_after_the_end() -> None:
    assert Desk(READY, done(1), END, done(3)).run().verdict is Verdict.PROTOCOL_ERROR


@pytest.mark.parametrize("reason", [ExitReason.DIED, ExitReason.COMPLETED, ExitReason.MEMORY_LIMIT])
def test_a_jail_that_ends_before_the_first_cell_is_our_failure(reason: ExitReason) -> None:
    ends = JailExit(reason, "exit status 1: ModuleNotFoundError: no nbclient", 0.1)
    with pytest.raises(RunIncomplete, match="no nbclient"):
        Desk(ends=ends).run()


def test_a_jail_that_we_killed_is_to_be_tried_again() -> None:
    with pytest.raises(RunIncomplete, match="tried again"):
        Desk(READY, done(1), ends=JailExit(ExitReason.KILLED, "", 0.1)).run()


@pytest.mark.parametrize("before", [[], [READY], [READY, done(1)]])
def test_a_failure_of_the_child_itself_is_no_verdict(before: list[Frame]) -> None:
    failed = Frame({"kind": "failed"}, b"Traceback: KeyError 'x'")
    with pytest.raises(RunIncomplete, match="KeyError 'x'"):
        Desk(*before, failed).run()


def test_models_are_stored_and_described() -> None:
    desk = Desk(READY, done(1), model(1, model_file(2)), done(3), model(3, model_file(8)), END)
    run = desk.run()
    assert [(found.cell, found.class_name) for found in run.models] == [(1, "AE"), (3, "AE")]
    assert [desk.blobs[found.sha256] for found in run.models] == [model_file(2), model_file(8)]


def test_an_unreadable_model_is_left_out_and_mentioned() -> None:
    run = Desk(READY, done(1), model(1, b"\x80\x04pickle"), model(1, model_file()), done(3), END).run()
    assert run.verdict is Verdict.OK
    assert len(run.models) == 1
    assert "1 model files were unreadable" in run.detail


def test_models_beyond_the_bytes_of_a_run_are_left_out() -> None:
    large = [model_file(300, bytes([number])) for number in range(20)]
    desk = Desk(READY, done(1), *(model(1, blob) for blob in large), done(3), END)
    run = desk.run()
    kept = [blob for blob in desk.blobs.values() if blob in large]
    assert 0 < sum(map(len, kept)) <= 4 * LIMITS.model_bytes
    assert run.verdict is Verdict.OK


def test_the_harvests_own_remarks_are_passed_on() -> None:
    remarks = Frame(END.header, b"AE: MemoryError: too large\n")
    assert "AE: MemoryError: too large" in Desk(READY, done(1), done(3), remarks).run().detail


EXERCISE = Part("ex1", PartKind.EXERCISE, "Exercise 1", "Train", budget=Budget(seconds=5))


def test_cells_of_an_exercise_whose_time_is_over_are_kept_as_not_run() -> None:
    over = done(1, "timeout", exercise_over=True), done(3, "not_run", exercise_over=True)
    run = Desk(READY, *over, END).run(exercises={1: EXERCISE, 3: EXERCISE})
    assert [cell.state for cell in run.cells] == [CellState.TIMEOUT, CellState.NOT_RUN]
    assert run.verdict is Verdict.TIMEOUT
    (spent,) = run.spent
    assert (spent.part, spent.ran_out) == ("ex1", RanOut.TIME)


@pytest.mark.parametrize(
    ("frame", "exercises"),
    [
        (done(1, "not_run"), {1: EXERCISE}),
        (done(1, "timeout", exercise_over=True), {}),
        (done(1, "timeout", exercise_over=True), {1: replace(EXERCISE, budget=Budget(memory_bytes=1))}),
    ],
    ids=["left out for no reason", "no exercise", "no time to use up"],
)
def test_a_cell_that_was_left_out_without_a_budget_ends_the_run(
    frame: Frame, exercises: dict[int, Part]
) -> None:
    assert Desk(READY, frame, END).run(exercises=exercises).verdict is Verdict.PROTOCOL_ERROR


def test_the_child_is_told_each_cells_exercise_and_budget() -> None:
    desk = Desk(READY, END)
    desk.run(exercises={3: EXERCISE})
    (frame,) = desk.sandbox.requests[0].frames
    assert [cell["exercise"] for cell in json.loads(frame.payload)] == [None, "ex1"]
    assert frame.header["budgets"] == {"ex1": {"seconds": 5, "memory_bytes": None}}


@pytest.mark.parametrize(
    ("error", "ran_out"),
    [
        ("MemoryError: ", RanOut.MEMORY),
        ("RuntimeError: DefaultCPUAllocator: can't allocate memory", RanOut.MEMORY),
        ("numpy._core._exceptions._ArrayMemoryError: Unable to allocate 8 GiB", RanOut.MEMORY),
        ("ValueError: no", RanOut.NOTHING),
    ],
)
def test_want_of_memory_is_read_from_the_error(error: str, ran_out: RanOut) -> None:
    limited = replace(EXERCISE, budget=Budget(memory_bytes=1 << 30))
    run = Desk(READY, done(1, "error", error=error), done(3), END).run(exercises={1: limited})
    assert [spent.ran_out for spent in run.spent] == [ran_out]


def test_cells_of_exercises_without_a_budget_and_common_cells_have_none() -> None:
    free = replace(EXERCISE, key="ex2", budget=Budget())
    answers = {
        "ex1": Answer("ex1", AnswerState.ANSWERED, cells=(4, 6)),
        "ex2": Answer("ex2", AnswerState.ANSWERED, cells=(8,)),
    }
    assert budgeted_cells(Alignment(answers), (EXERCISE, free)) == {4: EXERCISE, 6: EXERCISE}
