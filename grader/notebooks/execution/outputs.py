"""What of a cell's outputs is kept, and the executed notebook that is built of it. Standard library only."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from grader.domain.notebook import CellKind, Notebook
from grader.domain.run import CellRun

KEPT_TYPES = ("text/plain", "text/html", "image/png", "image/jpeg")
_MAX_OUTPUTS = 2000
_MAX_NAME = 200
_MAX_ERROR = 500


def clean_text(value: object) -> str:
    """A string fit for JSON, databases and pages: no lone surrogates, no NUL."""
    text = "".join(map(str, value)) if isinstance(value, list) else str(value)
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def clean_outputs(raw: object) -> list[dict[str, Any]]:
    """Keep streams, errors and the allowed types of displayed data; drop whatever else is there."""
    if not isinstance(raw, list):
        return []
    cleaned = (_clean(output) for output in raw[:_MAX_OUTPUTS] if isinstance(output, Mapping))
    return [output for output in cleaned if output is not None]


def output_size(outputs: Sequence[Mapping[str, Any]]) -> int:
    """Bytes of text and encoded images, as UTF-8."""
    return sum(len(text.encode("utf-8", "replace")) for output in outputs for text in _texts(output))


def error_line(outputs: Sequence[Mapping[str, Any]]) -> str:
    """The last error among the outputs as ``Name: message``; empty where there is none."""
    for output in reversed(outputs):
        if output["output_type"] == "error":
            return f"{output['ename']}: {output['evalue']}"[:_MAX_ERROR]
    return ""


def encode_outputs(outputs: Sequence[Mapping[str, Any]], count: int) -> bytes:
    """The outputs of the ``count``-th cell that ran, as the executed notebook holds them.

    Kept so, they take little memory: as text, one wide character makes all of a text four times as large.
    """
    numbered = [
        {**output, "execution_count": count} if output["output_type"] == "execute_result" else output
        for output in outputs
    ]
    return _encode(numbered)


def executed_notebook(notebook: Notebook, runs: Sequence[CellRun], outputs: Mapping[int, bytes]) -> bytes:
    """The submission's cells with the outputs of this run as nbformat 4.5. ``outputs`` by cell index."""
    by_index = {run.index: run for run in runs}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    about = {"kernelspec": kernel, "language_info": {"name": "python"}}
    whole = io.BytesIO()
    whole.write(b'{"nbformat": 4, "nbformat_minor": 5, "metadata": %b, "cells": [' % _encode(about))
    count = 0
    for number, cell in enumerate(notebook.cells):
        whole.write(b",\n" if number else b"\n")
        document: dict[str, Any] = {
            "id": f"cell-{cell.index}",
            "cell_type": cell.kind.value,
            "metadata": {},
            "source": clean_text(cell.source),
        }
        if cell.kind is not CellKind.CODE:
            whole.write(_encode(document))
            continue
        run = by_index.get(cell.index)
        ran = cell.index in outputs
        count += ran
        document["execution_count"] = count if ran else None
        if run is not None:
            document["metadata"] = {"grader": {"state": run.state.value, "seconds": round(run.seconds, 3)}}
        whole.write(_encode(document)[:-1] + b', "outputs": ')
        whole.write(outputs.get(cell.index, b"[]"))
        whole.write(b"}")
    whole.write(b"\n]}\n")
    return whole.getvalue()


def _encode(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")


def _clean(output: Mapping[str, Any]) -> dict[str, Any] | None:
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return {"output_type": "stream", "name": name, "text": clean_text(output.get("text", ""))}
    if kind == "error":
        trace = output.get("traceback")
        return {
            "output_type": "error",
            "ename": clean_text(output.get("ename", ""))[:_MAX_NAME],
            "evalue": clean_text(output.get("evalue", "")),
            "traceback": [clean_text(line) for line in trace] if isinstance(trace, list) else [],
        }
    if kind in ("display_data", "execute_result"):
        data = output.get("data")
        kept = (
            {mime: clean_text(data[mime]) for mime in KEPT_TYPES if mime in data}
            if isinstance(data, Mapping)
            else {}
        )
        return {"output_type": kind, "metadata": {}, "data": kept} if kept else None
    return None


def _texts(output: Mapping[str, Any]) -> list[str]:
    if output["output_type"] == "stream":
        return [output["text"]]
    if output["output_type"] == "error":
        return [output["ename"], output["evalue"], *output["traceback"]]
    return list(output["data"].values())
