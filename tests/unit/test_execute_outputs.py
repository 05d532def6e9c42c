"""What of a cell's outputs is kept, on both sides of the border."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import nbformat
import pytest

from grader.domain.notebook import Cell, CellKind, Notebook
from grader.domain.run import CellRun, CellState
from grader.notebooks.execution.outputs import (
    clean_outputs,
    clean_text,
    encode_outputs,
    executed_notebook,
    output_size,
)
from grader.notebooks.inside.harvest_files import collect_models
from grader.notebooks.inside.output_budget import OutputBudget


@pytest.mark.parametrize(
    ("text", "clean"),
    [("plain", "plain"), ("a\0b", "ab"), ("\ud800x", "?x"), (["a", "b"], "ab"), (3, "3")],
)
def test_text_is_fit_for_json_and_databases(text: object, clean: str) -> None:
    assert clean_text(text) == clean


def test_only_the_allowed_types_of_displayed_data_stay() -> None:
    data = {"text/plain": "<Figure>", "image/png": "iVBOR", "image/svg+xml": "<svg/>", "text/javascript": "x"}
    (kept,) = clean_outputs([{"output_type": "display_data", "data": data, "metadata": {"evil": 1}}])
    assert kept == {
        "output_type": "display_data",
        "metadata": {},
        "data": {"text/plain": "<Figure>", "image/png": "iVBOR"},
    }


@pytest.mark.parametrize(
    "raw", [None, {}, "x", [1], [{}], [{"output_type": "display_data", "data": {"text/javascript": "x"}}]]
)
def test_what_is_no_output_is_dropped(raw: object) -> None:
    assert clean_outputs(raw) == []


def test_a_stream_and_an_error_keep_their_words() -> None:
    error = {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["t\0"], "extra": 1}
    stream = {"output_type": "stream", "name": "other", "text": ["a", "b"]}
    assert clean_outputs([stream, error]) == [
        {"output_type": "stream", "name": "stdout", "text": "ab"},
        {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["t"]},
    ]


def test_the_executed_notebook_is_valid_and_whole() -> None:
    notebook = Notebook(
        (
            Cell(0, CellKind.MARKDOWN, "# Answer\ud800", "same"),
            Cell(1, CellKind.CODE, "1", "same"),
            Cell(2, CellKind.CODE, ""),
            Cell(3, CellKind.CODE, "never ran"),
            Cell(4, CellKind.RAW, "raw"),
        )
    )
    runs = (CellRun(1, CellState.OK, 0.5), CellRun(3, CellState.NOT_RUN))
    outputs = clean_outputs([{"output_type": "execute_result", "data": {"text/plain": "1"}}])
    document = json.loads(executed_notebook(notebook, runs, {1: encode_outputs(outputs, 1)}))
    nbformat.validate(document)
    assert [cell["source"] for cell in document["cells"]] == ["# Answer?", "1", "", "never ran", "raw"]
    assert [cell.get("execution_count") for cell in document["cells"]] == [None, 1, None, None, None]
    assert document["cells"][1]["outputs"][0]["execution_count"] == 1
    assert document["cells"][3]["metadata"]["grader"]["state"] == "not_run"


def print_through(budget: OutputBudget, *texts: str) -> str:
    kept = ""
    for text in texts:
        content = {"name": "stdout", "text": text}
        if budget.fit("stream", content, continues=bool(kept)):
            kept += content["text"]
    return kept


def test_printing_within_the_limit_is_kept_whole() -> None:
    budget = OutputBudget(1000)
    assert print_through(budget, "ab", "cd") == "abcd"
    assert budget.mark() is None


def test_a_flood_is_cut_and_marked_with_what_was_lost() -> None:
    budget = OutputBudget(300)
    assert print_through(budget, "x" * 250, "y", "z" * 1000) == "x" * 100
    mark = budget.mark()
    assert mark is not None
    assert "[output cut: 1151 bytes over the limit]" in mark["text"]


def test_a_cut_never_splits_a_letter() -> None:
    kept = print_through(OutputBudget(203), "äöü")
    assert kept == "ä"


def test_data_that_does_not_fit_is_dropped_whole() -> None:
    budget = OutputBudget(1000)
    assert budget.fit("display_data", {"data": {"text/plain": "x"}})
    assert not budget.fit("display_data", {"data": {"image/png": "x" * 5000}})
    assert budget.mark() is not None


def test_many_small_outputs_are_a_flood_too() -> None:
    budget = OutputBudget(10_000)
    kept = [budget.fit("display_data", {"data": {"text/plain": "x"}}) for _ in range(1000)]
    assert sum(kept) < 60


def test_an_error_keeps_its_name_and_the_start_of_its_message() -> None:
    content: dict[str, Any] = {"ename": "ValueError", "evalue": "v" * 9999, "traceback": ["t" * 9999]}
    assert OutputBudget(100).fit("error", content)
    assert content == {"ename": "ValueError", "evalue": "v" * 400, "traceback": []}


def test_what_was_cleared_costs_nothing() -> None:
    budget = OutputBudget(300)
    print_through(budget, "x" * 1000)
    budget.restart()
    assert print_through(budget, "again") == "again"
    assert budget.mark() is None


def test_the_size_of_outputs_is_that_of_their_text() -> None:
    outputs = clean_outputs(
        [
            {"output_type": "stream", "text": "äb"},
            {"output_type": "display_data", "data": {"image/png": "1234"}},
        ]
    )
    assert output_size(outputs) == 3 + 4


def test_models_are_read_once_and_in_order(tmp_path: Path) -> None:
    (tmp_path / "2.safetensors").write_bytes(b"two")
    (tmp_path / "1.safetensors").write_bytes(b"one")
    (tmp_path / "3.part").write_bytes(b"unfinished")
    assert list(collect_models(tmp_path, 10)) == [b"one", b"two"]
    assert list(collect_models(tmp_path, 10)) == []


def test_no_link_pipe_folder_or_giant_is_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    folder = tmp_path / "harvest"
    folder.mkdir()
    (folder / "1.safetensors").symlink_to(secret)
    os.mkfifo(folder / "2.safetensors")
    (folder / "3.safetensors").mkdir()
    (folder / "4.safetensors").write_bytes(b"x" * 11)
    with (folder / "5.safetensors").open("wb") as sparse:
        sparse.truncate(1 << 40)
    (folder / "6.safetensors").write_bytes(b"good")
    assert list(collect_models(folder, 10)) == [b"good"]
    assert secret.exists()


def test_a_folder_that_was_deleted_holds_no_models(tmp_path: Path) -> None:
    assert list(collect_models(tmp_path / "gone", 10)) == []
