"""The template's own words: what every part's prompt says, so that it can be told from a student's."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from grader.domain.notebook import Cell, CellKind, Notebook
from grader.domain.rubric import Part, PartKind
from grader.notebooks.alignment.code_words import normalise_code, read_code_words
from grader.notebooks.alignment.headings import Names, find_heading, name_parts
from grader.notebooks.alignment.labels import Label, find_label
from grader.notebooks.alignment.placeholders import Placeholders, make_placeholders
from grader.notebooks.alignment.words import Line, make_key, make_line, read_lines

Owner = str | None  # a part's key; None: the template's words outside every part
_BRACKETS = re.compile(r"\[([^\[\]\n]{10,200})\](?!\()")


@dataclass(frozen=True, slots=True)
class PromptLine:
    """One line of the template, by its words."""

    key: str
    counts: Mapping[Owner, int]  # how often each part prints it
    is_heading: bool
    is_question: bool  # a student may answer behind it on the same line

    @property
    def only_owner(self) -> tuple[Owner, ...]:
        """The one part that prints it, if it is one."""
        return tuple(self.counts) if len(self.counts) == 1 else ()


@dataclass(frozen=True, slots=True)
class Template:
    """A template, taken apart."""

    parts: tuple[Part, ...]  # in the template's order
    names: Names  # parts by their headings' words
    lines: Mapping[str, PromptLine]  # by key, and by key without a leading number
    openings: Mapping[str, tuple[PromptLine, ...]]  # by first word; longest first
    options: Mapping[str, Mapping[str, str]]  # part → option's key → letter
    labels: Mapping[str, Label]  # the template's own labels, by key
    placeholders: Placeholders
    owners_of_ids: Mapping[str, Owner]
    code: Mapping[str, frozenset[str]]  # exercise → its code's lines, those of other cells left out
    words: Mapping[str, frozenset[str]]  # part → the words of its prompt

    def part(self, key: str) -> Part:
        """The part with this key."""
        return next(part for part in self.parts if part.key == key)


def read_template(template: Notebook, parts: Sequence[Part]) -> Template:
    """Take a template apart. Where the prompt, the label and the placeholder stand, in one cell or several,
    makes no difference.
    """
    names = name_parts(parts)
    sections = list(_walk_sections(template, names))
    counts: dict[str, Counter[Owner]] = defaultdict(Counter)
    first: dict[str, Line] = {}
    labels: dict[str, Label] = {}
    phrases: list[str] = []
    previous: Line | None = None
    for owner, line, in_code in sections:
        found = _find_phrases(line) if owner is not None and not in_code else []
        if found:
            phrases.extend(phrase for phrase in found if phrase not in phrases)
            labels |= _label_before(line, previous)
            continue
        label = find_label(line, labels)
        if line.key and not (label and label.label is Label.ANSWER and not label.rest):
            counts[line.key][owner] += 1
            first.setdefault(line.key, line)
        previous = line if line.key else previous
    for key in labels:
        counts.pop(key, None)
    lines = {key: _make_prompt_line(first[key], owners, names) for key, owners in counts.items()}
    words: dict[str, set[str]] = {part.key: set(make_key(part.title).split()) for part in parts}
    for prompt in lines.values():
        for part_key in prompt.counts:
            if part_key is not None:
                words[part_key] |= set(prompt.key.split())
    order = list(dict.fromkeys(owner for owner, _, _ in sections if owner is not None))
    return Template(
        parts=tuple(
            sorted(parts, key=lambda part: order.index(part.key) if part.key in order else len(order))
        ),
        names=names,
        lines=_with_unnumbered(lines, first),
        openings=_by_first_word(lines),
        options={part.key: _read_options(part) for part in parts if part.kind is PartKind.CHOICE},
        labels=labels,
        placeholders=make_placeholders(phrases),
        owners_of_ids=_find_ids(template, sections),
        code=_find_code(template, sections, parts),
        words={key: frozenset(found) for key, found in words.items()},
    )


def _walk_sections(template: Notebook, names: Names) -> Iterator[tuple[Owner, Line, bool]]:
    """Every line with the part it belongs to; a heading that names no part ends the part before it."""
    owner: Owner = None
    level = 6
    for cell in template.cells:
        in_code = cell.kind is CellKind.CODE
        for line in read_lines(cell.index, read_code_words(cell.source).text if in_code else cell.source):
            if not in_code:
                heading = find_heading(line, names)
                hashes = len(line.text.lstrip()) - len(line.text.lstrip().lstrip("#"))
                if heading is not None and heading.part != owner:
                    owner, level = heading.part, hashes or 6
                elif heading is None and 0 < hashes <= level:
                    owner = None
            yield owner, line, in_code
        if in_code:
            yield owner, Line(cell.index, "", "", ""), True  # a code cell without words belongs too


def _find_phrases(line: Line) -> list[str]:
    return [phrase for phrase in _BRACKETS.findall(line.text) if len(phrase.split()) >= 3]


def _label_before(line: Line, previous: Line | None) -> dict[str, Label]:
    """What stands before a placeholder, on its line or above it, is its label."""
    before = make_key(line.text.partition("[")[0])
    key = before or (previous.key if previous else "")
    if not key or len(key.split()) > 4:
        return {}
    known = find_label(make_line(0, f"{key}:"), {})
    return {key: known.label if known else Label.ANSWER}


def _make_prompt_line(line: Line, owners: Counter[Owner], names: Names) -> PromptLine:
    heading = find_heading(line, names)
    return PromptLine(
        key=line.key,
        counts=dict(owners),
        is_heading=heading is not None or line.is_heading,
        is_question=line.text.rstrip("*_ )").endswith("?"),
    )


def _with_unnumbered(lines: Mapping[str, PromptLine], first: Mapping[str, Line]) -> dict[str, PromptLine]:
    unnumbered = {
        first[key].unnumbered_key: line
        for key, line in lines.items()
        if len(first[key].unnumbered_key.split()) >= 4
    }
    return unnumbered | dict(lines)


def _by_first_word(lines: Mapping[str, PromptLine]) -> dict[str, tuple[PromptLine, ...]]:
    found: dict[str, list[PromptLine]] = defaultdict(list)
    for line in sorted(lines.values(), key=lambda line: -len(line.key)):
        found[line.key.partition(" ")[0]].append(line)
    return {word: tuple(opened) for word, opened in found.items()}


def _read_options(part: Part) -> dict[str, str]:
    return {make_key(f"{letter} {text}"): letter for letter, text in part.options.items()}


def _find_ids(template: Notebook, sections: Sequence[tuple[Owner, Line, bool]]) -> dict[str, Owner]:
    owners: dict[int, set[Owner]] = defaultdict(set)
    for owner, line, _ in sections:
        if line.key:
            owners[line.cell].add(owner)
    return {
        cell.id: next(iter(owners[cell.index]))
        for cell in template.cells
        if cell.id and len(owners[cell.index]) == 1
    }


def _find_code(
    template: Notebook, sections: Sequence[tuple[Owner, Line, bool]], parts: Sequence[Part]
) -> dict[str, frozenset[str]]:
    owners = {line.cell: owner for owner, line, in_code in sections if in_code}
    code: list[Cell] = [cell for cell in template.cells if cell.index in owners]
    common = [line for cell in code if owners[cell.index] is None for line in normalise_code(cell.source)]
    return {
        part.key: frozenset(
            line for cell in code if owners[cell.index] == part.key for line in normalise_code(cell.source)
        ).difference(common)
        for part in parts
        if part.kind is PartKind.EXERCISE
    }
