"""How quick pages are over a course of ten thousand submissions.

    python -m benchmarks.pages [--students 2500] [--attempts 4] [--rounds 20] [--keep FOLDER]

Asks the real application on SQLite for each page in turns, in this process, and prints milliseconds of
wall clock and of CPU for a whole request, the session's look-up included. The CPU's figures hold on a
busy machine too. ``--keep`` leaves the class in a folder, and takes it from there the next time.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import sqlalchemy as sa
from fastapi.testclient import TestClient

from benchmarks.big_class import ASSIGNMENT, ASSISTANT, COURSE, INSTRUCTOR, PASSWORD, make_big_class
from grader.assignments import load_assignments
from grader.jobs import Jobs
from grader.services.migrate import migrate
from grader.storage import Blobs, Database, make_engine
from grader.storage.tables.figures import resemblance
from grader.storage.tables.review import standing
from grader.web import Deps, create_app

REPOSITORY = Path(__file__).resolve().parents[1]
GOAL = 200.0  # milliseconds, for 95 of 100 requests
_HERE = f"/courses/{COURSE}/assignments/{ASSIGNMENT}"
_DASHBOARD = f"{_HERE}/dashboard"
_TABLE = f"{_DASHBOARD}/submissions"
_BOOK = f"{_HERE}/gradebook"

# Pages by name. "{one}" is a submission of somebody, "{pair}" two that are alike.
PAGES: Mapping[str, str] = {
    "dashboard": _DASHBOARD,
    "dashboard, one section": f"{_DASHBOARD}?section=section+07",
    "submissions": _TABLE,
    "submissions, page 150": f"{_TABLE}?page=150",
    "submissions by name": f"{_TABLE}?sort=name&up=1&names=1",
    "submissions by points, page 100": f"{_TABLE}?sort=points&page=100",
    "submissions by length of run": f"{_TABLE}?sort=seconds",
    "submissions by state": f"{_TABLE}?sort=state",
    "submissions that wait": f"{_TABLE}?attention=waiting&counted=1&sort=waiting",
    "submissions of a section by points": f"{_TABLE}?section=section+07&sort=points",
    "search": f"POST {_TABLE}?names=1",
    "gradebook, names hidden": _BOOK,
    "gradebook by name": f"{_BOOK}?names=true",
    "gradebook by name, last page": f"{_BOOK}?names=true&page=50",
    "gradebook by points": f"{_BOOK}?names=true&sort=final&descending=true",
    "gradebook by state": f"{_BOOK}?names=true&sort=state",
    "gradebook of a section by days late": f"{_BOOK}?names=true&section=section+07&sort=late",
    "gradebook that waits, by item": f"{_BOOK}?names=true&state=waiting&items=true",
    "student": f"{_DASHBOARD}/students/{{one}}",
    "pair": f"{_DASHBOARD}/pairs/{{pair}}",
}
AS_ASSISTANT = ("dashboard", "submissions by points, page 100")


@dataclass(slots=True)
class Times:
    """Milliseconds of each request."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        wall, cpu = sorted(self.wall), sorted(self.cpu)
        middle, late = len(wall) // 2, min(len(wall) - 1, int(0.95 * len(wall)))
        verdict = "" if wall[late] <= GOAL else "  MISSED"
        return f"{wall[middle]:8.1f} {wall[late]:8.1f} {cpu[middle]:8.1f} {cpu[late]:8.1f}{verdict}"


def main() -> None:
    """Make the class, ask for pages, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--students", type=int, default=2500)
    parser.add_argument("--attempts", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    with _folder(asked.keep) as home:
        deps = _open(home, asked.students, asked.attempts)
        with TestClient(create_app(deps), follow_redirects=False) as client:
            pages = _fill_in(deps)
            asks = _as(client, INSTRUCTOR, pages)
            asks |= {
                f"{name} (assistant)": ask
                for name, ask in _as(client, ASSISTANT, pages).items()
                if name in AS_ASSISTANT
            }
            times = _take_turns(asks, asked.rounds)
    print(f"{asked.students} students, {asked.attempts} attempts each, {asked.rounds} rounds; milliseconds")
    print(f"{'':42}{'p50':>8} {'p95':>8} {'CPU p50':>8} {'CPU p95':>8}")
    for name, taken in times.items():
        print(f"{name:42}{taken}")


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with TemporaryDirectory(prefix="grader-pages-") as folder:
        yield Path(folder)


def _open(home: Path, students: int, attempts: int) -> Deps:
    is_new = not (home / "grader.db").exists()
    engine = make_engine(f"sqlite:///{home / 'grader.db'}")
    database, blobs, assignments = Database(engine), Blobs(home / "blobs"), load_assignments(REPOSITORY)
    migrate(engine)
    if is_new:
        make_big_class(database, blobs, assignments[ASSIGNMENT], students, attempts)
    return Deps(database, blobs, Jobs(engine), assignments)


def _fill_in(deps: Deps) -> dict[str, str]:
    with deps.database.read() as unit:
        one = unit.connection.execute(sa.select(standing.c.submission_id).limit(1)).scalar_one()
        two = unit.connection.execute(
            sa.select(resemblance.c.submission_id, resemblance.c.other_id).limit(1)
        ).one()
    return {name: path.format(one=one, pair="/".join(two)) for name, path in PAGES.items()}


def _as(client: TestClient, login: str, pages: Mapping[str, str]) -> dict[str, Callable[[], httpx.Response]]:
    """Requests of somebody who signed in."""
    client.cookies.clear()
    answer = client.post("/login", data={"login": login, "password": PASSWORD})
    cookie = answer.headers["set-cookie"].split(";")[0]
    client.cookies.clear()
    headers = {"Cookie": cookie, "Accept": "text/html"}
    csrf = client.get("/", headers=headers).text.partition('name="csrf" value="')[2].partition('"')[0]

    def ask(path: str) -> Callable[[], httpx.Response]:
        method, _, address = path.rpartition(" ")
        if method == "POST":
            words = {"words": "ada 12", "csrf": csrf}
            return lambda: client.post(address, data=words, headers=headers)
        return lambda: client.get(address, headers=headers)

    return {name: ask(path) for name, path in pages.items()}


def _take_turns(asks: Mapping[str, Callable[[], httpx.Response]], rounds: int) -> dict[str, Times]:
    """Every page once to warm up, then in turns."""
    gc.freeze()  # as `grader serve` does
    times = {name: Times() for name in asks}
    for number in range(rounds + 1):
        for name, ask in asks.items():
            began, began_cpu = time.perf_counter(), time.process_time()
            answer = ask()
            wall, cpu = time.perf_counter() - began, time.process_time() - began_cpu
            assert answer.status_code == 200, f"{name}: {answer.status_code} {answer.text[:300]}"
            if number:
                times[name].wall.append(1000 * wall)
                times[name].cpu.append(1000 * cpu)
    return times


if __name__ == "__main__":
    main()
