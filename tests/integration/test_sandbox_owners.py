"""A service that is killed at any moment leaves nothing on the machine."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.sandbox.bubblewrap import open_sandbox
from grader.sandbox.cgroups import Cgroup, find_parents
from grader.sandbox.owners import Records, name_owner, owner_is_alive
from tests.integration.sandbox_runs import request, run

SERVICE = """
import sys
from pathlib import Path
from grader.sandbox.bubblewrap import open_sandbox
from grader.sandbox.jail import Frame, JailRequest, Limits, Mount

scratch, probes, entry = sys.argv[1:]
sandbox = open_sandbox(scratch=Path(scratch))
asked = JailRequest(
    entry,
    (Frame({"code": "import os, time; tell({}); os.fork(); time.sleep(600)"}),),
    Limits(wall_seconds=600, memory_bytes=256 << 20),
    mounts=(Mount(Path(probes), "/probes"),),
    environment={"PYTHONPATH": "/probes"},
)
print("ready", flush=True)
with sandbox.start(asked) as one, sandbox.start(asked) as other:
    for jail in (one, other):
        next(jail.frames())
    print("running", flush=True)
    list(one.frames())
"""


@pytest.fixture
def service(tmp_path: Path) -> Callable[[], subprocess.Popen[str]]:
    """Starts a service with two jails whose processes all carry a name that is found nowhere else."""
    probes = tmp_path / "probes"
    probes.mkdir()
    told = Path(__file__).parent / "probes" / "told.py"
    (probes / f"{_mark(tmp_path)}.py").write_text(told.read_text())

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", SERVICE, str(tmp_path / "scratch"), str(probes), _mark(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": os.environ["PATH"]},
        )

    return start


def test_killed_while_jails_run_it_leaves_nothing(
    service: Callable[[], subprocess.Popen[str]], tmp_path: Path
) -> None:
    with service() as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == ["ready\n", "running\n"]
        assert len(_marked(tmp_path)) >= 4
        process.kill()
    _wait_until(lambda: not _marked(tmp_path))
    _wait_until(lambda: not _groups_of(process.pid))
    _wait_until(lambda: not _records(tmp_path))


def test_the_next_start_removes_what_a_dead_owner_left(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as dead:
        dead.wait()
    namespace, _, started = name_owner().split("-")
    records = Records(tmp_path)
    name = f"{namespace}-{dead.pid}-{started}-test-1"
    with _straggler(records, name) as left:
        assert records.clean() == 1
        assert left.wait() == -signal.SIGKILL
    assert not any(folder.exists() for folder in _group(name).folders)
    assert list(tmp_path.iterdir()) == []


def test_the_next_start_leaves_a_living_owner_alone(tmp_path: Path) -> None:
    records = Records(tmp_path)
    name = f"{name_owner()}-test-1"
    with _straggler(records, name) as running:
        assert records.clean() == 0
        assert running.poll() is None
        _group(name).kill()
    assert _group(name).remove()


def test_a_sandbox_that_is_dropped_leaves_the_jails_of_another_alone(tmp_path: Path) -> None:
    kept = open_sandbox(scratch=tmp_path / "kept")
    with kept.start(request('tell({"n": 1}); import time; time.sleep(600)')) as running:
        frames = running.frames()
        next(frames)
        dropped = open_sandbox(scratch=tmp_path / "dropped")
        run(dropped, "tell({})")
        assert _watchdogs(tmp_path / "dropped")
        del dropped
        _wait_until(lambda: _collected() and not _watchdogs(tmp_path / "dropped"))
        assert running.processes()


def test_an_owner_is_known_by_its_start_and_not_by_its_number_alone() -> None:
    namespace, process, started = name_owner().split("-")
    assert owner_is_alive(f"{namespace}-{process}-{started}")
    assert not owner_is_alive(f"{namespace}-{process}-{int(started) + 1}")
    assert owner_is_alive(f"{int(namespace) + 1}-{process}-{int(started) + 1}")


def _mark(folder: Path) -> str:
    return f"told_{os.getpid()}_{abs(hash(folder)) % 10**9}"


def _marked(folder: Path) -> list[int]:
    """Return every process of the jails, from their first step to the last: each names its entry."""
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                words = (place / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if _mark(folder).encode() in words and SERVICE.encode() not in words:
                found.append(int(place.name))
    return found


def _watchdogs(scratch: Path) -> list[Path]:
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes()
        except OSError:
            continue
        if b"cgroup.kill" in words and os.fsencode(scratch) in words:
            found.append(place)
    return found


def _collected() -> bool:
    gc.collect()  # a thread of the jail may have held it until now
    return True


def _groups_of(process: int) -> list[Path]:
    namespace = name_owner().split("-")[0]
    return [
        group for parent in find_parents() for group in parent.glob(f"notebook-jail-{namespace}-{process}-*")
    ]


def _records(folder: Path) -> list[Path]:
    return list((folder / "scratch" / "jails").iterdir())


def _group(name: str) -> Cgroup:
    return Cgroup(tuple(parent / f"notebook-jail-{name}" for parent in find_parents()))


def _straggler(records: Records, name: str) -> subprocess.Popen[bytes]:
    group = _group(name)
    records.write(name, group)
    group.make(memory_bytes=64 << 20, processes=8, cpus=1.0)
    left = subprocess.Popen(["sleep", "600"])
    for folder in group.folders:
        (folder / "cgroup.procs").write_text(str(left.pid))
    assert group.processes() == [left.pid]
    return left


def _wait_until(true: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 60
    while not true():
        assert time.monotonic() < give_up
        time.sleep(0.02)
