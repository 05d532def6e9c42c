"""`grader demo`: the whole service once, for real: start it, send three notebooks, watch, read, stop."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.live import Live
from rich.table import Table

from grader.cli.render import printable, render_report
from grader.cli.settings import Settings
from grader.errors import OurFailure
from grader.sandbox.cgroups import find_parents
from grader.sandbox.container import JailLimits

_COURSE, _ASSIGNMENT = "demo", "homework_05"
_PATIENCE_SECONDS = 900.0
_STATUSES = {
    "Pending": "under way",
    "PendingManual": "waits for review",
    "FullyGraded": "graded",
    "Failed": "failed",
}


def demonstrate(settings: Settings, console: Console) -> None:
    """Run the demonstration; `OurFailure` where the service does not come up or does not finish."""
    uploads = {
        "the reference solution": settings.content / "reference" / _ASSIGNMENT / "solution.ipynb",
        "half trained, with an error": settings.content / "examples" / "half_trained.ipynb",
        "crashes in mid-run": settings.content / "examples" / "crashes.ipynb",
    }
    with tempfile.TemporaryDirectory(prefix="grader-demo-") as home:
        environment = os.environ | {
            "GRADER_HOME": home,
            "GRADER_DATA": str(settings.data_folder),
            "GRADER_CONTENT": str(settings.content.resolve()),
            "GRADER_DATABASE": "",
            "GRADER_PORT": "0",
        }
        if settings.jail_limits is JailLimits.CGROUP and not find_parents():
            console.print("No control groups can be made here; these three notebooks are trusted without.")
            environment["GRADER_TRUSTED_CLASS"] = "true"
        console.print("[bold]1.[/] starting the service ...")
        with _service(environment, Path(home) / "log") as address:
            console.print(f"   it listens on {address}")
            key = _create_key(environment)
            with httpx.Client(
                base_url=address, headers={"Authorization": f"Bearer {key}"}, timeout=60
            ) as client:
                console.print("[bold]2.[/] three uploads by REST ...")
                locations = {title: _submit(client, path) for title, path in uploads.items()}
                console.print("[bold]3.[/] the workers run them, each in a jail ...")
                finished = _watch(client, locations, console)
        if not console.is_terminal:
            console.print()  # a live table ends its last line in a terminal only
        console.print("[bold]4.[/] the reports")
        for title, document in finished.items():
            print_report(title, document, console)
        console.print("The service has stopped. `make serve` keeps one running.")


@contextmanager
def _service(environment: Mapping[str, str], log: Path) -> Iterator[str]:
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "grader", "serve"], env=environment, stdout=stream, stderr=stream
        )
    try:
        yield _wait_until_ready(process, log)
    finally:
        process.terminate()
        process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(r"http://\S+:\d+", log.read_text())
        if found:
            try:
                if httpx.get(found.group() + "/readyz").is_success:
                    return found.group()
            except httpx.TransportError:
                pass
        time.sleep(0.2)
    raise OurFailure(f"the service did not start; it said:\n{log.read_text().strip()}")


def _create_key(environment: Mapping[str, str]) -> str:
    made = subprocess.run(
        [sys.executable, "-m", "grader", "user", "create-key", "demo", "--course", _COURSE, "--quiet"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise OurFailure(f"no API key could be made: {made.stderr.strip()}")
    return made.stdout.strip()


def _submit(client: httpx.Client, path: Path) -> str:
    answer = client.post(
        f"/api/v1/courses/{_COURSE}/assignments/{_ASSIGNMENT}/submissions",
        files={"file": (path.name, path.read_bytes())},
        data={"userId": f"a-new-user-{path.stem}"},
    )
    answer.raise_for_status()
    return answer.headers["Location"]


def _watch(client: httpx.Client, locations: Mapping[str, str], console: Console) -> dict[str, dict[str, Any]]:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    with Live(console=console, refresh_per_second=4) as live:
        while time.monotonic() < deadline:
            documents = {title: client.get(at).raise_for_status().json() for title, at in locations.items()}
            live.update(_progress_table(documents))
            if all(document["gradingProgress"] != "Pending" for document in documents.values()):
                return documents
            time.sleep(0.5)
    raise OurFailure(f"the demonstration was not finished after {_PATIENCE_SECONDS:g} s")


def _progress_table(documents: Mapping[str, Mapping[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("notebook", "progress", "code cells so far"):
        table.add_column(heading)
    marks = {"ok": "[green]✓[/]", "error": "[red]✗[/]", "timeout": "[red]⏱[/]", "not_run": "[dim]·[/]"}
    for title, document in documents.items():
        cells = " ".join(marks.get(cell["state"], "…") for cell in document["cells"])
        table.add_row(printable(title), _STATUSES[document["gradingProgress"]], cells)
    return table


def print_report(title: str, document: Mapping[str, Any], console: Console) -> None:
    """Print one submission's report as the API tells it."""
    given, maximum = document["scoreGiven"], document["scoreMaximum"]
    score = None if given is None else {"given": given, "maximum": maximum}
    items = [item | {"max_points": item["maxPoints"]} for item in document["items"]]
    console.print(render_report(title, _STATUSES[document["gradingProgress"]], score, items))
