"""An executed notebook as HTML in which nothing is active. What a student wrote and printed is text to us.

Only what is built here from known pieces reaches the page: markup of theirs passes an allow-list, pictures
are data of checked kinds, everything else is escaped or left out with a note. All of it is counted.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from grader.web.pages.notebook_pieces import (
    clean_html,
    clean_terminal,
    highlight_code,
    picture_address,
    render_markdown,
)

MOST_BYTES = 40 << 20  # of the file
MOST_CELLS = 1000
_MOST_OUTPUT = 100_000  # characters of one output
_MOST_PAGE = 12 << 20  # characters of the whole page
_MOST_SECONDS = 5.0  # then the rest is plain text
_PICTURES = ("image/png", "image/jpeg")


@dataclass(frozen=True, slots=True)
class ShownCell:
    """One cell: its number from 1, its kind, its words, and its outputs. All HTML is safe."""

    number: int
    kind: str  # "code", "markdown", "raw"
    count: int | None  # of a code cell that ran
    state: str  # "ok", "error", "timeout", "not_run"; "" for text
    source: Markup
    outputs: tuple[Markup, ...] = ()


def show_notebook(data: bytes, clock: Callable[[], float] = time.monotonic) -> list[ShownCell]:
    """The cells to show. ``ValueError`` where the file is none, or too large to be shown."""
    if len(data) > MOST_BYTES:
        raise ValueError("the notebook is too large to be shown")
    try:
        document = json.loads(data)
    except RecursionError:
        raise ValueError("the notebook is nested too deeply to be shown") from None
    cells = document.get("cells") if isinstance(document, dict) else None
    if not isinstance(cells, list):
        raise ValueError("the notebook has no cells")
    return list(_Shower(clock).show(cells[:MOST_CELLS]))


class _Shower:
    """Counts what it shows: characters and time."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until = clock() + _MOST_SECONDS
        self._left = _MOST_PAGE

    def show(self, cells: list[Any]) -> Iterator[ShownCell]:
        for number, cell in enumerate(cells, 1):
            if not isinstance(cell, dict):
                continue
            kind = cell.get("cell_type")
            source = _text(cell.get("source"))
            if kind == "code":
                count, grader = (
                    cell.get("execution_count"),
                    _mapping(_mapping(cell.get("metadata")).get("grader")),
                )
                yield ShownCell(
                    number,
                    "code",
                    count if isinstance(count, int) else None,
                    _text(grader.get("state")),
                    self._spend(highlight_code(source) if self._has_time() else escape(source)),
                    tuple(self._outputs(cell.get("outputs"))),
                )
            elif kind == "markdown" and self._has_time():
                yield ShownCell(number, "markdown", None, "", self._spend(render_markdown(source)))
            else:
                yield ShownCell(number, "raw", None, "", self._spend(escape(source)))

    def _has_time(self) -> bool:
        return self._clock() < self._until

    def _spend(self, html: Markup) -> Markup:
        self._left -= len(html)
        return html if self._left >= 0 else _note("The page is full: this is left out.")

    def _outputs(self, outputs: Any) -> Iterator[Markup]:
        for output in outputs if isinstance(outputs, list) else []:
            if isinstance(output, dict):
                yield self._spend(self._output(output))
            if self._left < 0:
                return

    def _output(self, output: Mapping[str, Any]) -> Markup:
        kind = output.get("output_type")
        if kind == "stream":
            name = "stderr" if output.get("name") == "stderr" else "stdout"
            return _printed(_text(output.get("text")), name)
        if kind == "error":
            trace = output.get("traceback")
            lines = [_text(line) for line in trace] if isinstance(trace, list) else []
            told = "\n".join(lines) or f"{_text(output.get('ename'))}: {_text(output.get('evalue'))}"
            return _printed(told, "error")
        if kind in ("display_data", "execute_result"):
            return self._displayed(_mapping(output.get("data")))
        return _note("An output of an unknown kind is not shown.")

    def _displayed(self, data: Mapping[str, Any]) -> Markup:
        """The richest form that is safe to show; forms that are not are told of."""
        for mime in _PICTURES:
            address = picture_address(mime, _text(data.get(mime)))
            if address:
                return Markup('<img class="output" alt="Output of the cell above" src="{}">').format(address)
        html, plain = _text(data.get("text/html")), _text(data.get("text/plain"))
        if html and len(html) <= _MOST_OUTPUT and self._has_time():
            cleaned = clean_html(html)
            if cleaned.striptags().strip():
                return Markup('<div class="output html">{}</div>').format(cleaned)
        if plain:
            return _printed(plain, "result")
        kinds = ", ".join(sorted(str(mime) for mime in data)[:5])
        return _note(f"Not shown, since it could run or load something: {kinds[:200] or 'an empty output'}.")


def _printed(text: str, name: str) -> Markup:
    cut = len(text) > _MOST_OUTPUT
    shown = clean_terminal(text[:_MOST_OUTPUT])
    more = _note(f"{len(text) - _MOST_OUTPUT} more characters are not shown.") if cut else Markup()
    return Markup('<pre class="output {}" tabindex="0">{}</pre>{}').format(name, shown, more)


def _note(text: str) -> Markup:
    return Markup('<p class="note">{}</p>').format(text)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
