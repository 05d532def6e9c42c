"""Malformed and hostile uploads: each is refused in plain words or graded; no 500, no stuck job."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.notebooks import without_code
from tests.acceptance.service import Service, wait_for

UPLOADS = 300
JUNK: list[Any] = [
    None,
    True,
    -1,
    1e308,
    10**30,
    "",
    "\ud800",
    "\0",
    [],
    {},
    [[]],
    {"a": {}},
    "x" * 5000,
    ["a", 1],
]


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def _flip(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 30)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _repeat_a_piece(data: bytes, chance: random.Random) -> bytes:
    start, end = sorted(chance.randrange(len(data)) for _ in range(2))
    return data[:end] + data[start:]


def _put_junk(data: bytes, chance: random.Random) -> bytes:
    """Replace values anywhere in the JSON tree by junk, or drop them."""
    document = json.loads(data)
    for _ in range(chance.randint(1, 4)):
        place: Any = document
        while isinstance(place, dict | list) and place:
            keys = list(place) if isinstance(place, dict) else range(len(place))
            key = chance.choice(list(keys))
            if chance.random() < 0.4 or not isinstance(place[key], dict | list):
                if isinstance(place, dict) and chance.random() < 0.3:
                    del place[key]
                else:
                    place[key] = chance.choice(JUNK)
                break
            place = place[key]
    return json.dumps(document).encode("utf-8", "surrogatepass")


def _random_bytes(_data: bytes, chance: random.Random) -> bytes:
    return chance.randbytes(chance.randint(0, 2000))


def _other_encoding(data: bytes, chance: random.Random) -> bytes:
    return data.decode().encode(chance.choice(["utf-16", "utf-32", "utf-7", "cp500"]), "ignore")


MUTATIONS: list[Callable[[bytes, random.Random], bytes]] = [
    _cut,
    _flip,
    _repeat_a_piece,
    _put_junk,
    _put_junk,
    _random_bytes,
    _other_encoding,
]


@pytest.mark.timeout(900)
def test_each_malformed_upload_is_refused_or_graded(tmp_path: Path, data_folder: Path) -> None:
    chance = random.Random(11)
    valid = json.dumps(without_code(choices={"q3": "B"})).encode()
    accepted = []
    with Service(tmp_path / "home", data_folder) as service:
        for number in range(UPLOADS):
            upload = MUTATIONS[number % len(MUTATIONS)](valid, chance)
            answer = service.upload(upload, f"user-{number}")
            assert answer.status_code in (202, 413, 422), (answer.status_code, answer.text)
            if answer.status_code == 202:
                accepted.append(answer.headers["Location"])
            else:
                problem = answer.json()
                assert answer.headers["content-type"] == "application/problem+json"
                assert len(problem["detail"]) > 20
        final = [wait_for(lambda at=at: service.finished(at), at) for at in accepted]
        assert "Traceback" not in service.log()
    assert len(accepted) > 20
    assert len(accepted) < UPLOADS - 100
    assert {document["gradingProgress"] for document in final} <= {"FullyGraded", "PendingManual"}


def _beside_cells(value: str) -> bytes:
    return f'{{"more": {value}, {json.dumps(without_code())[1:]}'.encode()


def _with_cells(kind: str, *sources: str) -> bytes:
    whole = without_code(choices={"q3": "B"})
    whole["cells"] += [{"cell_type": kind, "metadata": {}, "source": source} for source in sources]
    return json.dumps(whole, ensure_ascii=False).encode()


# Each is below the limit in bytes, and would take seconds, or gigabytes, of whatever read it to its end.
REFUSED = {
    "lists within lists": (lambda: _beside_cells(f"[{','.join(['[' * 50 + ']' * 50] * 80_000)}]"), "pieces"),
    "millions of numbers": (lambda: _beside_cells(f"[{'1,' * 4_000_000}1]"), "pieces"),
    "millions of keys": (lambda: _beside_cells("{" + 1_500_000 * '"":1,' + '"":1}'), "pieces"),
    "millions of cells": (lambda: b'{"nbformat": 4, "cells": [' + b"{}," * 3_000_000 + b"{}]}", "pieces"),
    "millions of lines": (lambda: _with_cells("markdown", "a\n" * 3_000_000), "characters"),
    "millions of statements": (lambda: _with_cells("code", "a;" * 4_500_000), "characters"),
    "a picture of words": (lambda: _with_cells("raw", "data:image/png;base64,A " * 400_000), "characters"),
}
# As much as is let through.
GRADED = {
    "a hundred thousand lists": lambda: _beside_cells(f"[{','.join(['[' * 50 + ']' * 50] * 9_000)}]"),
    "a number of millions of digits": lambda: _beside_cells("9" * 9_000_000),
    "lines of one letter": lambda: _with_cells("markdown", "a\n" * 240_000),
    "headings": lambda: _with_cells("markdown", "Q1: a\nQ2: b\nQ3: c\n" * 26_000),
    "letters that are eighteen": lambda: _with_cells("markdown", *["\ufdfa" * 960] * 470),
    "statements": lambda: _with_cells("code", "a;" * 240_000),
    "a picture": lambda: _with_cells("markdown", f"![x](data:image/png;base64,{'A' * 9_000_000})"),
}


@pytest.mark.timeout(900)
def test_each_hostile_upload_is_refused_or_graded(tmp_path: Path, data_folder: Path) -> None:
    with Service(tmp_path / "home", data_folder) as service:
        for name, (make, words) in REFUSED.items():
            answer = service.upload(make(), "mallory")
            assert (answer.status_code, answer.json()["title"]) == (422, "The notebook is too large"), name
            assert words in answer.json()["detail"], name
        places = {
            name: service.upload(make(), "mallory").headers["Location"] for name, make in GRADED.items()
        }
        for name, place in places.items():
            document = wait_for(lambda at=place: service.finished(at), name)
            assert document["gradingProgress"] in ("FullyGraded", "PendingManual"), name
        assert "Traceback" not in service.log()
