"""Last year's answers with their marks, from a CSV or JSON file."""

from __future__ import annotations

import csv
import difflib
import io
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.checks.registry import TAKES_CONCEPTS
from grader.domain.rubric import Item, Rubric
from grader.errors import RequestRefused

FIELDS = ("question", "answer", "points")
_OTHER_NAMES = {"q": "question", "text": "answer", "out_of": "maximum"}
_MOST_TOLD = 20  # wrong lines
_LONGEST_FIELD = 1_000_000  # characters


@dataclass(frozen=True, slots=True)
class Marked:
    """One answer with the points that a human gave it."""

    item: Item
    text: str
    points: float


class _Wrong(Exception):
    """One entry is wrong; the message ends with the mend."""


def read_marked(path: Path, rubric: Rubric) -> list[Marked]:
    """The answers of a file. Raises `RequestRefused` with file, line and mend for everything wrong in it.

    CSV with the columns question, answer, points, or JSON: a list of objects with these fields, alone or
    as ``answers``. A question is named by its part ("q1") or by its item ("q3.explanation"). Points are of
    the item's own maximum, or of ``maximum`` where an entry has one.
    """
    items = _name_items(rubric)
    marked: list[Marked] = []
    wrong: list[str] = []
    for line, entry in _read_entries(path):
        try:
            marked.append(_read_entry(entry, items))
        except _Wrong as error:
            wrong.append(f"{path}:{line}: {error}")
    if wrong:
        more = [f"… and {len(wrong) - _MOST_TOLD} more"] if len(wrong) > _MOST_TOLD else []
        raise RequestRefused("\n".join([*wrong[:_MOST_TOLD], *more]))
    if not marked:
        raise RequestRefused(f"{path}:1: there is no answer in the file; add lines of {', '.join(FIELDS)}")
    return marked


def _name_items(rubric: Rubric) -> Mapping[str, Item]:
    written = [item for item in rubric.items if item.check in TAKES_CONCEPTS and item.concepts]
    return {item.part: item for item in written} | {item.key: item for item in written}


def _read_entry(entry: Mapping[str, Any], items: Mapping[str, Item]) -> Marked:
    entry = _name_fields(entry)
    missing = [name for name in FIELDS if entry.get(name) is None]
    if missing:
        raise _Wrong(f"{', '.join(missing)} is missing; every answer needs {', '.join(FIELDS)}")
    name, text = str(entry["question"]).strip(), entry["answer"]
    item = items.get(name) or items.get(name.casefold())
    if item is None:
        near = difflib.get_close_matches(name.casefold(), items, n=1)
        mend = f"did you mean {near[0]}?" if near else f"use one of: {', '.join(sorted(items))}"
        raise _Wrong(f"there is no written question {name!r}; {mend}")
    if not isinstance(text, str):
        raise _Wrong("answer must be text; put it in quotes")
    given = entry.get("maximum")
    maximum = item.points if given in (None, "") else _read_number(given)
    if not 0 < maximum < math.inf:
        raise _Wrong(f"maximum must be a number above 0 (found {given!r})")
    points = _read_number(entry["points"])
    if not 0 <= points <= maximum:  # NaN neither
        raise _Wrong(f"points must be a number from 0 to {maximum:g} (found {entry['points']!r})")
    return Marked(item, text, points * item.points / maximum)


def _name_fields(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**{_OTHER_NAMES.get(name, name): value for name, value in entry.items()}, **entry}


def _read_number(given: Any) -> float:
    try:
        return float(str(given).strip().replace(",", "."))
    except ValueError:
        return math.nan


def _read_entries(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise RequestRefused(
            f"{path} cannot be read: {error.strerror}. Give the path of a CSV or JSON file."
        ) from None
    except UnicodeDecodeError:
        raise RequestRefused(f"{path}:1: the file is no UTF-8; save it as “CSV UTF-8”") from None
    return _read_json(path, text) if text.lstrip()[:1] in ("[", "{") else _read_csv(path, text)


def _read_csv(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    head = text.partition("\n")[0]
    csv.field_size_limit(_LONGEST_FIELD)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if ";" in head else ",")
    named = _name_fields(dict.fromkeys(reader.fieldnames or ()))
    missing = [name for name in FIELDS if name not in named]
    if missing:
        raise RequestRefused(
            f"{path}:1: the column {missing[0]} is missing; let the first line be {','.join(FIELDS)}"
        )
    line = reader.line_num + 1
    try:
        for row in reader:
            yield line, row
            line = reader.line_num + 1  # a quoted answer may have several lines
    except csv.Error as error:
        raise RequestRefused(f"{path}:{line}: this is no CSV ({error}); save the file anew") from None


def _read_json(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise RequestRefused(f"{path}:{error.lineno}: this is no JSON ({error.msg}); mend the line") from None
    except (RecursionError, ValueError) as error:  # nested too deep; a number of thousands of digits
        raise RequestRefused(f"{path}: this cannot be read ({error}); write it as the guide shows") from None
    entries = document.get("answers") if isinstance(document, dict) else document
    if not isinstance(entries, list):
        raise RequestRefused(f"{path}:1: there is no list of answers; write [ … ] or {{“answers”: [ … ]}}")
    decoder = json.JSONDecoder()
    at = text.index("[", text.index('"answers"') if isinstance(document, dict) else 0)
    for entry in entries:  # decoded once more, each where it stands, for its line
        at += 1
        while text[at] in " \t\r\n,":
            at += 1
        line = text.count("\n", 0, at) + 1
        if not isinstance(entry, dict):
            raise RequestRefused(f"{path}:{line}: an answer must be an object with {', '.join(FIELDS)}")
        _, at = decoder.raw_decode(text, at)
        yield line, entry
        at -= 1
