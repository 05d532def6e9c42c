"""What the documents say is so: settings, commands, checks, limits, files."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from grader.checks.registry import CHECKS
from grader.cli.settings import Settings
from grader.sandbox import diagnosis

COMMANDS = re.compile(
    r"`grader (?:--trusted-class )?((?:(?:rubric|data|user|course|submission|asag|person) )?[a-z][a-z-]*)"
)


def test_the_readme_names_every_setting_and_no_other(repository: Path) -> None:
    named = set(re.findall(r"`GRADER_([A-Z_]+)`", (repository / "README.md").read_text()))
    assert named == {name.upper() for name in Settings.model_fields}


def test_every_command_in_the_documents_exists_and_every_command_is_in_the_readme(repository: Path) -> None:
    pages = [repository / "README.md", *repository.glob("docs/*.md"), repository / "ARCHITECTURE.md"]
    named = {name for page in pages for name in COMMANDS.findall(page.read_text())}
    in_readme = set(COMMANDS.findall((repository / "README.md").read_text()))
    assert named <= _commands()
    assert _commands() <= in_readme


def test_the_operations_guide_has_every_line_that_the_doctor_gives(repository: Path) -> None:
    section = (repository / "docs" / "operations.md").read_text().split("## What a machine must offer")[1]
    of_others = (diagnosis.OLD_BWRAP, diagnosis.NAMESPACES)  # these say two lines in one
    causes = [cause for cause in vars(diagnosis).values() if isinstance(cause, diagnosis.Cause)]
    lines = {_first_line(cause.line) for cause in causes if cause not in of_others}
    assert len(lines) > 8
    assert {line for line in lines if line not in section} == set()


def _first_line(line: str) -> str:
    """Without what follows in brackets or as another way."""
    return re.split(r" \.\.\.| COMMAND| \(|, or ", line)[0]


def _commands() -> set[str]:
    import typer.main

    from grader.cli.main import app

    found: set[str] = set()
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        below = getattr(command, "commands", None)
        if not command.hidden:
            found |= {f"{name} {inner}" for inner in below} if below else {name}
    return found


def test_the_rubric_guide_has_a_row_for_every_check(repository: Path) -> None:
    table = (repository / "docs" / "rubrics.md").read_text().split("## The checks")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(CHECKS)


def test_the_thresholds_in_the_guide_are_the_rubrics(repository: Path) -> None:
    rubric = (repository / "rubrics" / "homework_05.yaml").read_text()
    wanted = [float(value) for value in re.findall(r"threshold: ([\d.]+)", rubric)]
    said = re.search(r"Homework 5 asks for ([\d.]+), ([\d.]+), ([\d.]+) and ([\d.]+)\.", _guide(repository))
    assert said is not None
    assert [float(value) for value in said.groups()] == wanted


def _guide(repository: Path) -> str:
    return (repository / "docs" / "rubrics.md").read_text()


def test_every_link_between_documents_leads_somewhere(repository: Path) -> None:
    for page in [*repository.glob("*.md"), *repository.glob("docs/*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), (page, target)


def test_every_picture_in_the_guides_is_made_by_a_test_and_kept_for_a_guide(repository: Path) -> None:
    tests = "".join(path.read_text() for path in repository.glob("tests/browser/test_*.py"))
    made = set(re.findall(r'\.at\([\w.]+, "(\w+)"\)', tests))
    shown = {
        name
        for page in repository.glob("docs/*.md")
        for name in re.findall(r"\]\(pictures/(\w+)\.png\)", page.read_text())
    }
    assert shown == made
    assert shown == {path.stem for path in (repository / "docs" / "pictures").glob("*.png")}


def test_the_readme_has_about_a_hundred_lines(repository: Path) -> None:
    assert 80 <= len((repository / "README.md").read_text().splitlines()) <= 120


@pytest.mark.parametrize("target", ["demo", "serve", "test", "check"])
def test_the_makefile_has_what_the_readme_names(repository: Path, target: str) -> None:
    dry = subprocess.run(
        ["make", "--dry-run", target], cwd=repository, capture_output=True, text=True, check=False
    )
    assert dry.returncode == 0, dry.stderr


def test_no_module_has_grown_beyond_three_hundred_lines(repository: Path) -> None:
    long = {
        str(path): lines
        for path in repository.glob("grader/**/*.py")
        if (lines := len(path.read_text().splitlines())) > 300
    }
    assert long == {}


def test_the_command_line_starts_without_torch_nbclient_and_the_job_engine() -> None:
    loaded = (
        "import sys, grader.cli.main; print([m for m in ('torch', 'nbclient', 'dbos') if m in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", loaded], text=True).strip() == "[]"
