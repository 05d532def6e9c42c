"""What each line of a submission is by itself: the template's words, a heading, a label, a student's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from rapidfuzz import fuzz, process

from grader.domain.notebook import Cell, CellKind, Notebook
from grader.notebooks.alignment.code_words import normalise_code, read_code_words
from grader.notebooks.alignment.headings import Heading, find_heading, first_words_of_headings
from grader.notebooks.alignment.labels import Labelled, find_label, first_words_of_labels
from grader.notebooks.alignment.prompts import Owner, PromptLine, Template
from grader.notebooks.alignment.words import Line, after_words, make_line, read_lines

_ALIKE = 90  # of 100: an edited prompt line is still the prompt
_FUZZY_LINES = 10_000  # in one notebook; beyond that only exact matches count
_MOST_LINES = 200_000  # in one notebook; what follows is kept as one line a cell
_LONGEST_JOIN = 3  # lines that one line of the template may have been broken into
_SHARE_OF_EXERCISE_CODE = 0.4


@dataclass(frozen=True, slots=True)
class Match:
    """One line and what it is by itself."""

    line: Line
    prompt: PromptLine | None = None
    heading: Heading | None = None
    label: Labelled | None = None
    rest: str = ""  # the student's own words behind the prompt's
    continues: bool = False  # the rest of a prompt line that was broken in two
    owners: tuple[
        Owner, ...
    ] = ()  # one, where the line can belong to one part only (or to None: outside all)

    @property
    def is_own(self) -> bool:
        """Whether nothing in it is the template's."""
        return bool(self.line.key) and not (self.prompt or self.heading or self.label)


@dataclass(frozen=True)
class ReadCell:
    """One submitted cell, read."""

    cell: Cell
    is_text: bool  # also a code cell that is used for text
    matches: tuple[Match, ...]  # is_text: its lines; otherwise its comments and strings that are prose
    exercise: str | None = None  # code cells: the exercise whose template code stands in it

    @cached_property
    def is_code(self) -> bool:
        """Whether it runs: a code cell of comments alone does not, and is as much a text as any."""
        lines = (line.lstrip() for line in self.cell.source.splitlines())
        return self.cell.kind is CellKind.CODE and any(line and line[0] != "#" for line in lines)

    @cached_property
    def owners(self) -> frozenset[Owner]:
        """All parts that its lines give evidence of."""
        return frozenset(owner for match in self.matches for owner in match.owners)


def read_cells(notebook: Notebook, template: Template) -> list[ReadCell]:
    """Every cell's lines, matched against the template. Linear in the notebook's length."""
    cells: list[tuple[Cell, bool, list[Line]]] = []
    left = _MOST_LINES
    for cell in notebook.cells:
        text, is_text = cell.source, True
        if cell.kind is CellKind.CODE:
            words = read_code_words(cell.source)
            text, is_text = words.text, words.only_words
        lines = read_lines(cell.index, text)
        if len(lines) > left:
            lines[left:] = [make_line(cell.index, " ".join(line.raw for line in lines[left:]))]
        left = max(0, left - len(lines))
        cells.append((cell, is_text, lines))
    joined = _join_broken_lines([line for _, is_text, lines in cells if is_text for line in lines], template)
    found = {line.key for _, _, lines in cells for line in lines}
    matcher = _Matcher(template, joined, found)
    return [
        ReadCell(
            cell,
            is_text,
            tuple(matcher.match(line) for line in lines),
            _find_exercise(cell, template) if cell.kind is CellKind.CODE and not is_text else None,
        )
        for cell, is_text, lines in cells
    ]


class _Matcher:
    def __init__(
        self, template: Template, joined: Mapping[int, tuple[PromptLine, bool]], found: set[str]
    ) -> None:
        self._template = template
        self._joined = joined
        self._absent = [
            key
            for key, line in template.lines.items()
            if key == line.key and key not in found and len(key) >= 12 and not self._is_option(key)
        ]
        self._first_words = set(template.openings) | first_words_of_labels(template.labels)
        self._first_words |= first_words_of_headings(template.names)
        self._fuzzy_left = _FUZZY_LINES

    def match(self, line: Line) -> Match:
        if not line.key:
            return Match(line)
        if id(line) in self._joined:
            prompt, continues = self._joined[id(line)]
            return Match(line, prompt=prompt, continues=continues, owners=_owners(prompt, line))
        found = self._find_prompt(line)
        if found:
            return Match(line, prompt=found, owners=_owners(found, line))
        opening = self._match_opening(line) if line.key.partition(" ")[0] in self._first_words else None
        return opening or self._match_alike(line) or Match(line)

    def _match_opening(self, line: Line) -> Match | None:
        heading = find_heading(line, self._template.names)
        if heading:
            return Match(line, heading=heading, owners=() if heading.is_plain else (heading.part,))
        label = find_label(line, self._template.labels)
        return Match(line, label=label) if label else self._match_beginning(line)

    def _is_option(self, key: str) -> bool:
        return any(key in options for options in self._template.options.values())

    def _find_prompt(self, line: Line) -> PromptLine | None:
        return self._template.lines.get(line.key) or self._template.lines.get(line.unnumbered_key)

    def _match_beginning(self, line: Line) -> Match | None:
        """Prompt lines with the student's words behind them, or several prompt lines run into one."""
        text, consumed = line.text, list[PromptLine]()
        rest = line
        while len(consumed) < 20:
            opened = self._template.openings.get(rest.key.partition(" ")[0], ())
            prompt = next((p for p in opened if (rest.key + " ").startswith(p.key + " ")), None)
            if prompt is None:
                break
            text = after_words(text, len(prompt.key.split()))
            if text[:1].isalnum() or text.startswith(("-", "'", "’")):
                break
            consumed.append(prompt)
            rest = replace(make_line(line.cell, text[:4000]), text=text)
        if not consumed or (rest.key and len(consumed) == 1 and not _may_be_followed(consumed[0], text)):
            return None
        if len(consumed[0].key.split()) < 3 and len(consumed) == 1:
            return None
        own = text.strip().lstrip("?.:!)*_ ").lstrip("-–—> ").strip() if rest.key else ""
        return Match(line, prompt=consumed[0], rest=own, owners=_owners(consumed[0], line))

    def _match_alike(self, line: Line) -> Match | None:
        if self._fuzzy_left <= 0 or len(line.key) < 12 or len(line.key) > 1000:
            return None
        self._fuzzy_left -= 1
        best = process.extractOne(line.key, self._absent, scorer=fuzz.ratio, score_cutoff=_ALIKE)
        if best is None:
            return None
        prompt = self._template.lines[best[0]]
        return Match(line, prompt=prompt, owners=_owners(prompt, line))


def _owners(prompt: PromptLine, line: Line) -> tuple[Owner, ...]:
    """A line of one or two words tells nothing, unless it is printed as a heading."""
    if len(prompt.key.split()) < 3 and not (prompt.is_heading and line.is_heading):
        return ()
    return prompt.only_owner


def _may_be_followed(prompt: PromptLine, rest: str) -> bool:
    return (prompt.is_question or prompt.is_heading) and rest.lstrip("*_ )")[:1] in (
        "?",
        ":",
        ".",
        "!",
        "-",
        "–",
        "",
    )


def _join_broken_lines(lines: Sequence[Line], template: Template) -> dict[int, tuple[PromptLine, bool]]:
    """Lines that only together are one line of the template: a cell was split, or the text was wrapped."""
    filled = [line for line in lines if line.key]
    joined: dict[int, tuple[PromptLine, bool]] = {}
    for start, line in enumerate(filled):
        opened = template.openings.get(line.key.partition(" ")[0], ())
        if not any(prompt.key.startswith(line.key + " ") for prompt in opened):
            continue
        key, prompt = line.key, None
        for end in range(start + 1, min(start + _LONGEST_JOIN, len(filled))):
            key = f"{key} {filled[end].key}"
            prompt = template.lines.get(key)
            if prompt:
                joined |= {id(part): (prompt, part is not line) for part in filled[start : end + 1]}
                break
    return joined


def _find_exercise(cell: Cell, template: Template) -> str | None:
    lines = normalise_code(cell.source)
    for part, wanted in template.code.items():
        if wanted and len(lines & wanted) >= _SHARE_OF_EXERCISE_CODE * len(wanted):
            return part
    return None
