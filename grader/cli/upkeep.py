"""What instructors and admins do now and then: rubrics, regrades, calibration, data."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.progress import Progress

from grader.assignments import load_assignment, rubric_json_schema
from grader.cli import render
from grader.cli.compose import make_autograder, make_database, make_working_sandbox, read_assignments
from grader.cli.settings import Settings
from grader.evaluation import fetch
from grader.jobs import Jobs
from grader.services.calibrate import calibrate
from grader.services.intervene import cancel_submission, retry_failed
from grader.services.migrate import migrate
from grader.services.regrade import regrade
from grader.storage import Blobs


def check_content(settings: Settings) -> None:
    """Read every rubric and say what it is worth. Raises `ContentInvalid` with file, line and mend."""
    for name, assignment in sorted(read_assignments(settings).items()):
        rubric = assignment.rubric
        print(f"rubrics/{name}.yaml is sound: {len(rubric.items)} items, {rubric.maximum:g} points")


def print_rubric_schema() -> None:
    """Print the rubric's JSON Schema."""
    print(json.dumps(rubric_json_schema(), indent=2))


def regrade_assignment(settings: Settings, assignment_id: str) -> int:
    """Judge every stored submission again; return the exit status, 3 where some could not be."""
    assignment = load_assignment(settings.content, assignment_id)
    engine, database = make_database(settings)
    migrate(engine)
    done = regrade(database, assignment, datetime.now(UTC))
    print(
        f"{len(done.changed)} grades changed, {len(done.confirmed)} confirmed, "
        f"{len(done.untouched)} untouched, {len(done.failed)} failed"
    )
    for submission, reason in done.failed:
        print(f"{submission}: {reason}", file=sys.stderr)
    return 3 if done.failed else 0


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
    with TemporaryDirectory(prefix="grader-") as scratch, Progress(console=render.console()) as progress:
        task = progress.add_task(f"training the solution of {assignment_id}", total=seeds)
        autograder = make_autograder(settings, make_working_sandbox(settings), Blobs(Path(scratch)))
        measured = calibrate(autograder, assignment, range(1, seeds + 1), lambda _: progress.advance(task))
    target.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    print(
        f"wrote {target}; thresholds in rubrics/{assignment_id}.yaml stay as they are until you change them"
    )


def fetch_mnist(settings: Settings) -> None:
    """Get the real MNIST. Raises `SetupIncomplete` where it cannot be had, and says what is used instead."""
    with Progress(console=render.console()) as progress:
        tasks = {}

        def show(name: str, done: int) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(name, total=None)
            progress.update(tasks[name], completed=done)

        dataset = fetch.fetch_mnist(settings.data_folder, progress=show)
    print(f"{dataset.name} is in {dataset.folder}; {dataset.held_out_images} of its images are held out")
