"""What instructors and admins do now and then: rubrics, regrades, calibration, data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.progress import DownloadColumn, Progress, TaskID, TimeElapsedColumn

from grader.assignments import load_assignment, rubric_json_schema
from grader.cli import render
from grader.cli.compose import make_autograder, make_database, make_working_sandbox, read_assignments
from grader.cli.settings import Settings
from grader.domain.models import ModelReport
from grader.evaluation import fetch
from grader.jobs import Jobs
from grader.notebooks.read import read_notebook
from grader.services.calibrate import calibrate
from grader.services.intervene import cancel_submission, retry_failed
from grader.services.migrate import migrate
from grader.storage import Blobs


def check_content(settings: Settings) -> None:
    """Read every rubric and say what it is worth. Raises `ContentInvalid` with file, line and mend."""
    for name, assignment in sorted(read_assignments(settings).items()):
        rubric, again = assignment.rubric, f"run `grader calibrate {name}`"
        print(f"rubrics/{name}.yaml is sound: {len(rubric.items)} items, {rubric.maximum:g} points")
        solution = hashlib.sha256((assignment.folder / "solution.ipynb").read_bytes()).hexdigest()
        for known in assignment.calibration.values():
            if known.solution_sha256 != solution:
                print(f"  its solution has changed since it was measured on {known.dataset}: {again}")
        if not assignment.calibration:
            print(f"  its solution was never measured: {again}")


def print_rubric_schema() -> None:
    """Print the rubric's JSON Schema."""
    print(json.dumps(rubric_json_schema(), indent=2))


def retry_submissions(settings: Settings, assignment_id: str | None) -> None:
    """Queue failed submissions again and print their ids."""
    engine, database = make_database(settings)
    migrate(engine)
    queued = retry_failed(database, Jobs(engine), datetime.now(UTC), assignment_id)
    print("\n".join([f"{len(queued)} submissions are queued again", *queued]))


def cancel_work(settings: Settings, submission_id: str, reason: str) -> None:
    """End the work on one submission. Raises `NotFound`, and `RequestRefused` where it has ended."""
    engine, database = make_database(settings)
    migrate(engine)
    cancel_submission(database, Jobs(engine), submission_id, reason, datetime.now(UTC))
    print(f"The work on submission {submission_id} is ended.")


def calibrate_assignment(settings: Settings, assignment_id: str, seeds: int) -> None:
    """Write what the solution measures over several seeds to `calibration.json`, beside the template."""
    assignment = load_assignment(settings.content, assignment_id)
    target = assignment.folder / "calibration.json"
    solution = read_notebook(
        (assignment.folder / "solution.ipynb").read_bytes(), assignment.rubric.upload_limits
    )
    columns = (*Progress.get_default_columns(), TimeElapsedColumn())
    with TemporaryDirectory(prefix="grader-") as scratch, Progress(*columns, console=render.console()) as bar:
        autograder = make_autograder(settings, make_working_sandbox(settings), Blobs(Path(scratch)))
        task = bar.add_task(f"training the solution {seeds} times", total=seeds * len(solution.code_cells))

        def show(seed: int, report: ModelReport) -> None:
            best = {width: report.best(width) for width in assignment.rubric.latent_dims}
            told = "  ".join(f"{w}: {m.explained_variance:.1%}" for w, m in best.items() if m is not None)
            bar.console.print(f"seed {seed} explains  {told}")

        measured = calibrate(
            autograder,
            assignment,
            range(1, seeds + 1),
            on_cell=lambda _: bar.advance(task),
            on_seed=show,
        )
    unfinished = target.with_suffix(".part")
    unfinished.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    unfinished.replace(target)
    then = (
        f"`grader regrade {assignment_id}` judges by it"
        if assignment.needs_calibration
        else f"thresholds in rubrics/{assignment_id}.yaml stay as they are until you change them"
    )
    print(f"wrote {target}; {then}")


def fetch_mnist(settings: Settings, mirrors: Sequence[str]) -> None:
    """Get the real MNIST. Raises `SetupIncomplete` where it cannot be had, and says what is used instead."""
    columns = (*Progress.get_default_columns(), DownloadColumn())
    with Progress(*columns, console=render.console()) as bar:
        tasks: dict[str, TaskID] = {}

        def show(name: str, done: int, size: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=size)
            bar.update(tasks[name], completed=done)

        asked = [mirror if mirror.endswith("/") else f"{mirror}/" for mirror in mirrors]
        dataset = fetch.fetch_mnist(settings.data_folder, mirrors=asked or fetch.MIRRORS, progress=show)
    print(f"{dataset.name} is in {dataset.folder}; {dataset.held_out_images} of its images are held out")
    for name, assignment in sorted(read_assignments(settings).items()):
        if assignment.rubric.dataset == "mnist" and not assignment.reference_on(dataset.sha256):
            print(f"{name} is not calibrated on it yet: run `grader calibrate {name}`")
