"""Builds a golden case's upload from its `case.yaml`: a base, what a student wrote, how they laid it out."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nbformat

HERE = Path(__file__).parent
REFERENCES = HERE.parents[1] / "reference"
REFERENCE = REFERENCES / "homework_05"
SHORT_PLACEHOLDER = "[Write your answer here in 2-4 sentences]"
CHOICE_PLACEHOLDER = "[Write your answer here - e.g., 'B']"
EXPLANATION_PLACEHOLDER = "[Explain why this is correct]"
LABEL = "**Your Answer**:"

Cell = dict[str, Any]


def build(case: Mapping[str, Any], folder: Path) -> bytes:
    """The bytes to upload."""
    if "file" in case:
        return (folder / case["file"]).read_bytes()
    if "text" in case:
        return str(case["text"]).encode(case.get("encoding", "utf-8"))
    reference = REFERENCES / case.get("assignment", "homework_05")
    notebook = json.loads((reference / f"{case.get('base', 'template')}.ipynb").read_text("utf-8"))
    cells: list[Cell] = notebook["cells"]
    _set_code(cells, case)
    for part, written in case.get("answers", {}).items():
        _write_answer(cells, part, written)
    for part, written in case.get("choices", {}).items():
        _write_choice(cells, part, written)
    for step in case.get("layout", []):
        name, argument = next(iter(step.items())) if isinstance(step, dict) else (step, None)
        LAYOUTS[name](cells, argument)
    return _encode(notebook, case)


def _cell(kind: str, source: str) -> Cell:
    cell: Cell = {"cell_type": kind, "metadata": {}, "source": source}
    if kind == "code":
        cell |= {"outputs": [], "execution_count": None}
    return cell


def _source(cell: Cell) -> str:
    source = cell["source"]
    return "".join(source) if isinstance(source, list) else source


def _find(cells: list[Cell], part: str) -> int:
    number = int(part[1:])
    return next(i for i, c in enumerate(cells) if f"### Question {number} (" in _source(c))


def _set_code(cells: list[Cell], case: Mapping[str, Any]) -> None:
    code = [i for i, c in enumerate(cells) if c["cell_type"] == "code"]
    if "exercise" in case:
        wanted = case["exercise"]
        sources = [wanted] if isinstance(wanted, str) else list(wanted)
        if "prelude" in case:
            sources.insert(0, (HERE / case["prelude"]).read_text("utf-8"))
        cells[code[1] : code[-1] + 1] = [_cell("code", source) for source in sources]
    if "setup" in case:
        cells[code[0] : code[0] + 1] = [_cell("code", case["setup"])] if case["setup"] else []


def _write_answer(cells: list[Cell], part: str, written: str | Mapping[str, str]) -> None:
    text, place = (written, "in_place") if isinstance(written, str) else (written["text"], written["place"])
    at = _find(cells, part)
    source = _source(cells[at])
    assert SHORT_PLACEHOLDER in source, part
    in_cell: dict[str, str] = {
        "in_place": source.replace(SHORT_PLACEHOLDER, text),
        "brackets": source.replace(SHORT_PLACEHOLDER, f"[{text}]"),
        "below_placeholder": f"{source}\n\n{text}",
        "same_line": source.replace(f"{LABEL}\n\n{SHORT_PLACEHOLDER}", f"{LABEL} {text}"),
        "before_label": source.replace(LABEL, f"{text}\n\n{LABEL}").replace(SHORT_PLACEHOLDER, ""),
        "html": source.replace(SHORT_PLACEHOLDER, f"<p><b>{text}</b><br></p>"),
    }
    in_own_cell = {
        "own_cell": _cell("markdown", text),
        "own_raw_cell": _cell("raw", text),
        "code_comment": _cell("code", "\n".join(f"# {line}" for line in text.splitlines())),
        "code_string": _cell("code", f'"""{text}"""'),
    }
    if place in in_cell:
        cells[at]["source"] = in_cell[place]
        return
    cells[at]["source"] = source.replace(SHORT_PLACEHOLDER, "").rstrip()
    cells.insert(at + 1, in_own_cell[place])


def _write_choice(cells: list[Cell], part: str, written: str | Mapping[str, str]) -> None:
    given = {"text": written} if isinstance(written, str) else written
    at = _find(cells, part)
    source = _source(cells[at])
    assert CHOICE_PLACEHOLDER in source, part
    if given.get("place") == "own_cell":
        cells[at]["source"] = source.split(LABEL)[0].rstrip()
        cells.insert(at + 1, _cell("markdown", given["text"]))
        return
    source = source.replace(CHOICE_PLACEHOLDER, given["text"])
    if "explanation" in given:
        source = source.replace(EXPLANATION_PLACEHOLDER, given["explanation"])
    cells[at]["source"] = source


def _question_cells(cells: list[Cell]) -> list[int]:
    return [_find(cells, f"q{n}") for n in range(1, 11)]


def _reverse_questions(cells: list[Cell], _argument: Any) -> None:
    places = _question_cells(cells)
    for place, cell in zip(places, [cells[i] for i in reversed(places)], strict=True):
        cells[place] = cell


def _drop_headings(cells: list[Cell], parts: list[str]) -> None:
    for part in parts:
        cell = cells[_find(cells, part)]
        cell["source"] = "\n".join(x for x in _source(cell).split("\n") if not x.startswith("###"))


def _rename_headings(cells: list[Cell], names: Mapping[str, str]) -> None:
    for part, name in names.items():
        cell = cells[_find(cells, part)]
        cell["source"] = "\n".join(name if x.startswith("###") else x for x in _source(cell).split("\n"))


def _split(cells: list[Cell], parts: list[str]) -> None:
    for part in parts:
        at = _find(cells, part)
        blocks = [b for b in _source(cells[at]).split("\n\n") if b.strip()]
        cells[at : at + 1] = [_cell("markdown", block) for block in blocks]


def _merge(cells: list[Cell], parts: list[str]) -> None:
    places = sorted(_find(cells, part) for part in parts)
    cells[places[0]]["source"] = "\n\n".join(_source(cells[i]) for i in places)
    for place in reversed(places[1:]):
        del cells[place]


def _duplicate(cells: list[Cell], copies: Mapping[str, str]) -> None:
    """A copy of the part's cell at the end, with other words where its template's placeholder stood."""
    template = json.loads((REFERENCE / "template.ipynb").read_text("utf-8"))["cells"]
    for part, text in copies.items():
        pristine = _source(template[_find(template, part)])
        cells.append(_cell("markdown", pristine.replace(SHORT_PLACEHOLDER, text)))


def _stray(cells: list[Cell], text: str) -> None:
    cells.insert(0, _cell("markdown", text))


def _flood(cells: list[Cell], flood: Mapping[str, Any]) -> None:
    cells.append(_cell(flood["kind"], flood["text"] * flood["times"]))


def _tag(cells: list[Cell], tags: list[str]) -> None:
    for cell in cells:
        cell["metadata"] = {"tags": list(tags)}


LAYOUTS: dict[str, Callable[[list[Cell], Any], None]] = {
    "reverse_questions": _reverse_questions,
    "drop_headings": _drop_headings,
    "rename_headings": _rename_headings,
    "split": _split,
    "merge": _merge,
    "duplicate": _duplicate,
    "stray": _stray,
    "flood": _flood,
    "tag": _tag,
}


def _encode(notebook: dict[str, Any], case: Mapping[str, Any]) -> bytes:
    minor = case.get("minor", 5)
    notebook["nbformat_minor"] = minor
    notebook["metadata"] |= copy.deepcopy(case.get("metadata", {}))
    for number, cell in enumerate(notebook["cells"]):
        if minor >= 5:
            cell["id"] = f"c{number}"
        else:
            cell.pop("id", None)
        cell["metadata"] |= copy.deepcopy(case.get("cell_metadata", {}))
    if case.get("major") == 3:
        old = nbformat.convert(nbformat.from_dict(notebook | {"nbformat_minor": 4}), 3)  # type: ignore[no-untyped-call]
        return nbformat.writes(old, version=3).encode()  # type: ignore[no-untyped-call, no-any-return]
    text = json.dumps(notebook, ensure_ascii=False)
    return text.encode(case.get("encoding", "utf-8"), case.get("errors", "strict"))
