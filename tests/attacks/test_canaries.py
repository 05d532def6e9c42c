"""The canaries sing: whatever reaches one is told, else the attacks would prove nothing."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.attacks.canaries import Canaries


@pytest.fixture
def canaries(tmp_path: Path) -> Iterator[Canaries]:
    with Canaries(tmp_path / "host") as canaries:
        yield canaries


def connect(family: int, address: object) -> None:
    with socket.socket(family) as client:
        client.connect(address)  # type: ignore[arg-type]


def send(family: int, address: object) -> None:
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.sendto(b"x", address)  # type: ignore[arg-type]


REACH: dict[str, Callable[[dict[str, str]], object]] = {
    "tcp listener": lambda at: connect(socket.AF_INET, ("127.0.0.1", int(at["tcp_port"]))),
    "udp listener": lambda at: send(socket.AF_INET, ("127.0.0.1", int(at["udp_port"]))),
    "path socket": lambda at: connect(socket.AF_UNIX, at["path_socket"]),
    "abstract socket": lambda at: connect(socket.AF_UNIX, "\0" + at["abstract_name"]),
    "abstract datagram socket": lambda at: send(socket.AF_UNIX, f"\0{at['abstract_name']}-datagrams"),
    "homework.yaml": lambda at: Path(at["rubric"]).write_text("all points"),
    "grader.sqlite": lambda at: Path(at["database"]).unlink(),
    "appeared": lambda at: Path(at["folder"], "pwned").touch(),
}


@pytest.mark.parametrize("name", REACH)
def test_what_is_touched_is_told_once(canaries: Canaries, name: str) -> None:
    assert canaries.complaints() == []
    REACH[name](canaries.places)
    (complaint,) = canaries.complaints()
    assert name in complaint
    assert canaries.complaints() == []


def test_a_process_that_was_ended_is_told(canaries: Canaries) -> None:
    process = int(canaries.places["host_process"])
    os.kill(process, signal.SIGKILL)
    os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)
    assert "ended with status -9" in canaries.complaints()[0]


def test_a_secret_is_found_in_bytes(canaries: Canaries) -> None:
    for name in ("other_submission", "rubric", "held_out", "settings", "database"):
        assert canaries.is_in(Path(canaries.places[name]).read_bytes())
    assert canaries.is_in(Path(f"/proc/{canaries.places['host_process']}/environ").read_bytes())
    assert not canaries.is_in(b"nothing")
