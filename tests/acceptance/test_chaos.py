"""`kill -9` of the web process and of workers at random moments loses nothing and repeats nothing."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.acceptance.notebooks import tiny
from tests.acceptance.service import Service, wait_for

UPLOADS = 200
YOUNG_SECONDS = 15.0
SPARED_SECONDS = 25.0


@pytest.mark.timeout(900)
def test_every_accepted_upload_ends_in_exactly_one_grade(tmp_path: Path, data_folder: Path) -> None:
    chance = random.Random(5)
    with Service(tmp_path / "home", data_folder) as service:
        done = threading.Event()
        killed: list[str] = []
        killer = threading.Thread(target=_kill_now_and_then, args=(service, chance, done, killed))
        killer.start()
        accepted = [_upload_until_accepted(service, number) for number in range(UPLOADS)]
        wait_for(lambda: len(killed) >= 8, "eight kills")
        done.set()
        killer.join()
        for location in accepted:
            final = wait_for(lambda location=location: service.finished(location), location, 300)
            assert final["gradingProgress"] in {"FullyGraded", "PendingManual"}, final
        with sqlite3.connect(service.home / "grader.db") as database:
            grades = dict(
                database.execute("SELECT submission_id, count(*) FROM grade GROUP BY submission_id")
            )
    assert {"web", "work"} <= set(killed)
    assert len(set(accepted)) == UPLOADS
    assert grades == {location.rsplit("/", 1)[1]: 1 for location in accepted}


def _upload_until_accepted(service: Service, number: int) -> str:
    """As an LMS would: when the connection breaks or the service is away, send the same again."""

    def send() -> str | None:
        try:
            answer = service.upload(tiny(number), f"user-{number}", **{"Idempotency-Key": f"upload-{number}"})
        except httpx.TransportError:
            return None
        return answer.headers["Location"] if answer.status_code == 202 else None

    return wait_for(send, f"upload {number}")


def _kill_now_and_then(
    service: Service, chance: random.Random, done: threading.Event, killed: list[str]
) -> None:
    """At random moments, also while a process starts.

    A job that loses its worker three times in a row is given up, on purpose. So that chance alone does
    not do that, a young process is spared for a while after another young one was killed.
    """
    born: dict[int, float] = {}
    spare_until = 0.0
    while not done.wait(chance.uniform(1, 6)):
        now, children = time.monotonic(), service.children()
        born = {pid: born.get(pid, now) for pid in children}
        young = {pid for pid in children if now - born[pid] < YOUNG_SECONDS}
        targets = [pid for pid in children if pid not in young or now > spare_until]
        web = [pid for pid in targets if children[pid] == "web"]
        if targets:
            pid = chance.choice(web if web and chance.random() < 0.4 else targets)
            service.kill(pid)
            killed.append(children[pid])
            if pid in young:
                spare_until = now + SPARED_SECONDS
