"""The command line. Each command reads the settings, puts its parts together, calls one verb."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from grader import __version__
from grader.cli import render
from grader.cli.access_commands import course_app, user_app
from grader.cli.settings import read_settings
from grader.errors import GraderError, OurFailure

app = typer.Typer(
    help="An autograder for homework notebooks with trained models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
rubric_app = typer.Typer(help="Look at the rubrics.", no_args_is_help=True)
data_app = typer.Typer(help="Look after the data sets.", no_args_is_help=True)
submission_app = typer.Typer(help="Look after the work on submissions.", no_args_is_help=True)
asag_app = typer.Typer(help="Try the proposals for written answers.", no_args_is_help=True)
person_app = typer.Typer(help="Hand out or erase one person's data.", no_args_is_help=True)
app.add_typer(person_app, name="person")
app.add_typer(asag_app, name="asag")
app.add_typer(submission_app, name="submission")
app.add_typer(rubric_app, name="rubric")
app.add_typer(data_app, name="data")
app.add_typer(user_app, name="user")
app.add_typer(course_app, name="course")


def main() -> None:
    """Run the command line; every error on purpose ends in one clear sentence, not in a traceback."""
    try:
        app()
    except GraderError as error:
        print(f"grader: {error}", file=sys.stderr)
        sys.exit(3 if isinstance(error, OurFailure) else 2)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    trusted_class: Annotated[
        bool, typer.Option("--trusted-class", help="Go on without control groups: jails are weaker then.")
    ] = False,
) -> None:
    if version:
        print(__version__)
        raise typer.Exit
    if trusted_class:  # in the environment, so that it holds for the processes that we start, too
        os.environ["GRADER_TRUSTED_CLASS"] = "true"


@app.command()
def serve() -> None:
    """Run the web process and its workers until Ctrl-C or SIGTERM."""
    from grader.cli.processes import serve_until_told

    serve_until_told(read_settings())


@app.command(hidden=True)
def web(
    fd: Annotated[int, typer.Option(help="the listening socket")],
    lifeline: Annotated[int, typer.Option(help="read end of the supervisor's pipe")],
) -> None:
    """Run the web process on a listening socket that `grader serve` hands down."""
    from grader.cli.processes import run_web

    run_web(read_settings(), fd, lifeline)


@app.command()
def work(
    lifeline: Annotated[
        int | None, typer.Option(hidden=True, help="read end of the supervisor's pipe")
    ] = None,
) -> None:
    """Run one worker, which takes one job at a time, until SIGTERM."""
    from grader.cli.processes import run_one_worker

    sys.exit(run_one_worker(read_settings(), lifeline))


@app.command()
def grade(
    notebook: Annotated[Path, typer.Argument(help="The notebook to grade.")],
    assignment: Annotated[str, typer.Option(help="The assignment's id: the name of its rubric.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    pictures: Annotated[Path | None, typer.Option(help="Write what the models reconstruct here.")] = None,
) -> None:
    """Grade one notebook here and now; nothing is stored. Exit 0: graded, 2: refused, 3: we failed."""
    from grader.cli.grade import grade_file

    sys.exit(grade_file(read_settings(), notebook, assignment, as_json=as_json, pictures=pictures))


@app.command()
def regrade(
    assignment: Annotated[str, typer.Argument(help="The assignment's id.")],
    preview: Annotated[
        bool, typer.Option("--preview", help="Only say who would gain and lose what.")
    ] = False,
) -> None:
    """Judge every stored submission again under the current rubric. No notebook runs."""
    from grader.cli.rubrics import preview_regrade, regrade_assignment

    settings = read_settings()
    sys.exit(preview_regrade(settings, assignment) if preview else regrade_assignment(settings, assignment))


@app.command()
def calibrate(
    assignment: Annotated[str, typer.Argument(help="The assignment's id.")],
    seeds: Annotated[int, typer.Option(min=2, max=100, help="How often the solution is trained.")] = 3,
) -> None:
    """Train the solution with several seeds and write what it measures to `calibration.json`."""
    from grader.cli.upkeep import calibrate_assignment

    calibrate_assignment(read_settings(), assignment, seeds)


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what this machine can do for jails, and what to type. Exit 0: jails hold here, 3: they do not."""
    from grader.cli.doctor import show_machine

    sys.exit(show_machine(read_settings(), as_json=as_json))


@app.command()
def demo() -> None:
    """Show the whole service once: start it, send three notebooks, watch, read the reports, stop."""
    from grader.cli.demo import demonstrate

    demonstrate(read_settings(), render.console())


@rubric_app.command("check")
def check_rubrics() -> None:
    """Read every rubric; say what is wrong with file, line and mend."""
    from grader.cli.upkeep import check_content

    check_content(read_settings())


@rubric_app.command("schema")
def print_schema() -> None:
    """Print the rubric's JSON Schema, for editors."""
    from grader.cli.upkeep import print_rubric_schema

    print_rubric_schema()


@rubric_app.command("export")
def export_rubric(assignment: Annotated[str, typer.Argument(help="The assignment's id.")]) -> None:
    """Print the rubric that holds, also where it was changed in the service."""
    from grader.cli.rubrics import print_rubric

    print_rubric(read_settings(), assignment)


@asag_app.command("evaluate")
def evaluate_answers(
    file: Annotated[Path, typer.Argument(help="CSV or JSON of question, answer, points.")],
    assignment: Annotated[
        str | None, typer.Option(help="The assignment's id; default: the only one.")
    ] = None,
    calibrated: Annotated[
        bool, typer.Option("--calibrated", help="Also with the marks of the other four fifths.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say how far proposals for written answers agree with the marks that humans gave."""
    from grader.cli.asag import evaluate_file

    evaluate_file(read_settings(), file, assignment, calibrated=calibrated, as_json=as_json)


@data_app.command("fetch")
def fetch_data(
    mirror: Annotated[
        list[str] | None,
        typer.Option(help="Where to ask: https://… or file:///…; may be repeated. Default: known ones."),
    ] = None,
) -> None:
    """Get the real MNIST where the network allows; the embedded digits serve until then.

    What broke off is resumed, now or when it is run again.
    """
    from grader.cli.upkeep import fetch_mnist

    fetch_mnist(read_settings(), mirror or [])


@submission_app.command("retry")
def retry_failed(
    assignment: Annotated[str | None, typer.Argument(help="The assignment's id; default: all.")] = None,
) -> None:
    """Queue again what failed by our fault, once its cause is mended."""
    from grader.cli.upkeep import retry_submissions

    retry_submissions(read_settings(), assignment)


@submission_app.command("cancel")
def cancel_submission(
    submission: Annotated[str, typer.Argument(help="The submission's id.")],
    reason: Annotated[str, typer.Option(help="What instructors read.")],
) -> None:
    """End the work on a submission; it is shown as failed, never as a zero."""
    from grader.cli.upkeep import cancel_work

    cancel_work(read_settings(), submission, reason)


@person_app.command("export")
def export_person(
    person: Annotated[str, typer.Argument(help="The person's id: what submissions call the user.")],
    file: Annotated[Path, typer.Argument(help="The ZIP to write.")],
) -> None:
    """Write everything that is stored about one person."""
    from grader.cli.privacy import export_to_file

    export_to_file(read_settings(), person, file)


@person_app.command("erase")
def erase_person(
    person: Annotated[str, typer.Argument(help="The person's id: what submissions call the user.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept.")] = "asked for by the person",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Show what is stored about one person, ask, and delete it for good."""
    from grader.cli.privacy import erase

    erase(read_settings(), person, reason, yes=yes)


@app.command()
def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Delete nothing; say what would go.")] = False,
) -> None:
    """Delete the work of courses that keep it no longer. Nothing is deleted unless this is run."""
    from grader.cli.privacy import apply_retention

    apply_retention(read_settings(), dry_run=dry_run)
