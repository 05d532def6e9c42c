"""`grader grade`: the whole path for one file, without a database."""

from __future__ import annotations

import json
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from grader.assignments import Assignment, load_assignment
from grader.cli import render
from grader.cli.compose import make_autograder, make_working_sandbox
from grader.cli.settings import Settings
from grader.domain.models import ModelReport
from grader.domain.run import CellRun
from grader.errors import GraderError, RequestRefused, UploadRefused
from grader.notebooks.read import read_notebook
from grader.services.autograde import autograde
from grader.services.figures.pictures import grids
from grader.services.grades.report import grade_document, ungraded_document
from grader.storage import Blobs

GRADED, REFUSED, FAILED = 0, 2, 3


def grade_file(
    settings: Settings, path: Path, assignment_id: str, *, as_json: bool, pictures: Path | None = None
) -> int:
    """Grade one file, print its report or one JSON object, return the exit status.

    ``pictures`` is a folder for the grids of reconstructions.
    """
    status = GRADED
    try:
        document = _grade(settings, path, assignment_id, pictures)
    except (UploadRefused, RequestRefused) as error:
        status, document = REFUSED, ungraded_document("refused", str(error))
    except GraderError as error:
        status, document = FAILED, ungraded_document("failed", str(error))
    except Exception as error:  # a fault of ours that nobody thought of; a script still gets its object
        traceback.print_exc()
        reason = f"an error in the grader itself ({type(error).__name__}: {error})"
        status, document = FAILED, ungraded_document("failed", reason)
    if as_json:
        print(json.dumps(document, ensure_ascii=False, allow_nan=False))
    elif document["score"] is None:
        render.console(to_stderr=True).print(f"{document['status']}: {document['reason']}", markup=False)
    else:
        report = render.render_report(path.name, document["status"], document["score"], document["items"])
        render.console().print(report)
    return status


def _grade(settings: Settings, path: Path, assignment_id: str, pictures: Path | None) -> dict[str, Any]:
    assignment = load_assignment(settings.content, assignment_id)
    data = _read(path, assignment)
    cells = len(read_notebook(data, assignment.rubric.upload_limits).code_cells)
    with tempfile.TemporaryDirectory(prefix="grader-") as scratch, _progress(cells) as on_cell:
        blobs = Blobs(Path(scratch))
        autograder = make_autograder(settings, make_working_sandbox(settings), blobs)
        if note := autograder.missing_calibration(assignment):
            render.console(to_stderr=True).print(f"note: {note}", markup=False)
        done = autograde(autograder, data, assignment, clock=time.monotonic, on_cell=on_cell)
        if pictures is not None:
            write_pictures(pictures, done.evidence.models, blobs)
    return grade_document(done.grade, done.evidence.run.cells, done.seconds)


def write_pictures(folder: Path, models: ModelReport, blobs: Blobs) -> None:
    """Write the grids into this folder. Raises `RequestRefused` where that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for picture in grids(models):
            (folder / picture.name).write_bytes(blobs.get(picture.sha256))
    except OSError as error:
        raise RequestRefused(
            f"pictures cannot be written to {folder}: {error.strerror}. Give a folder that you may write to."
        ) from None


def _read(path: Path, assignment: Assignment) -> bytes:
    """At most one byte more than the rubric allows: a larger file is refused, not read."""
    try:
        with path.open("rb") as stream:
            return stream.read(assignment.rubric.upload_limits.bytes + 1)
    except OSError as error:
        raise RequestRefused(
            f"{path} cannot be read: {error.strerror}. Give the path of an .ipynb file."
        ) from None


@contextmanager
def _progress(cells: int) -> Iterator[Callable[[CellRun], None]]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=render.console(to_stderr=True), transient=True) as progress:
        task = progress.add_task("code cells", total=cells)

        def on_cell(cell: CellRun) -> None:
            progress.update(task, advance=1, description=f"cell {cell.index}: {cell.state}")

        yield on_cell
