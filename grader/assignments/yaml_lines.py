"""YAML as plain values, with the line of every key and entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.tokens import (
    AliasToken,
    AnchorToken,
    BlockEndToken,
    BlockMappingStartToken,
    BlockSequenceStartToken,
    FlowMappingEndToken,
    FlowMappingStartToken,
    FlowSequenceEndToken,
    FlowSequenceStartToken,
)

_BEGINS = (
    BlockMappingStartToken,
    BlockSequenceStartToken,
    FlowMappingStartToken,
    FlowSequenceStartToken,
)
_ENDS = (BlockEndToken, FlowMappingEndToken, FlowSequenceEndToken)
_DEEPEST = 50
_NO_ALIASES = (
    "anchors and aliases (&name, *name) are not read here: write the value out at each place, "
    "and quote text that begins with & or *"
)

Place = tuple[int | str, ...]  # keys and positions on the way down: ("items", 3, "points")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong at one line (from 1), and what to write instead."""

    line: int
    message: str
    place: Place = ()  # of the value that it is about; () where the text is no YAML


@dataclass(frozen=True, slots=True)
class YamlFile:
    """A file's values, and where they stand."""

    values: Any
    lines: dict[Place, int]

    def line(self, place: Place) -> int:
        """The line of ``place``, or of the nearest thing around it."""
        while place not in self.lines and place:
            place = place[:-1]
        return self.lines.get(place, 1)


def read_yaml(data: bytes) -> YamlFile | Problem:
    """Parse one YAML document; what is no YAML comes back as the problem that it is."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return Problem(line, "this is not UTF-8 text; save the file with the encoding UTF-8")
    try:
        if problem := find_bomb(text):
            return problem
        tree = YAML(typ="rt").load(text)
        lines: dict[Place, int] = {(): 1}
        _note_lines(tree, (), lines)
        return YamlFile(_plain(tree), lines)
    except DuplicateKeyError as error:
        what, begun = _first_line(error.problem).partition(" with value")[0], error.context_mark.line + 1
        return Problem(
            _line_of(error), f"{what} in what begins in line {begun}; remove or rename one of the two"
        )
    except MarkedYAMLError as error:
        what = " ".join(filter(None, (error.context, error.problem)))
        mend = "check the indentation, and quote text that contains “: ” or begins with a special character"
        return Problem(_line_of(error), f"this is no YAML: {what}; {mend}")
    except YAMLError as error:
        return Problem(1, f"this is no YAML: {_first_line(str(error))}; save the file as plain text")


def find_bomb(text: str) -> Problem | None:
    """What a few lines make endless: aliases of aliases stand for more values than any memory holds, and
    the parser takes ever longer the deeper it is.
    """
    depth = 0
    for token in YAML(typ="rt").scan(text):
        line = token.start_mark.line + 1
        if isinstance(token, AnchorToken | AliasToken):
            return Problem(line, _NO_ALIASES)
        depth += isinstance(token, _BEGINS) - isinstance(token, _ENDS)
        if depth > _DEEPEST:
            return Problem(line, "lists and mappings are nested too deeply; a rubric needs six levels")
    return None


def _note_lines(node: Any, place: Place, lines: dict[Place, int]) -> None:
    if isinstance(node, CommentedMap):
        for key, value in node.items():
            here = (*place, key)
            # A key that was merged in from elsewhere (`<<`) has no line of its own.
            lines[here] = node.lc.key(key)[0] + 1 if key in (node.lc.data or {}) else lines[place]
            _note_lines(value, here, lines)
    elif isinstance(node, CommentedSeq):
        for position, value in enumerate(node):
            here = (*place, position)
            known = node.lc.data or {}  # none, where the list has a tag of its own
            lines[here] = node.lc.item(position)[0] + 1 if position in known else lines[place]
            _note_lines(value, here, lines)


def _plain(node: Any) -> Any:
    """Built-in types instead of ruamel's, which also carry comments and notations."""
    if isinstance(node, CommentedMap):
        return {key: _plain(value) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        return [_plain(value) for value in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


def _line_of(error: MarkedYAMLError) -> int:
    mark = error.problem_mark or error.context_mark
    return 1 if mark is None else int(mark.line) + 1


def _first_line(text: str | None) -> str:
    return (text or "unreadable").strip().split("\n")[0]
