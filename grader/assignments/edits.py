"""Single changes to a rubric's text that leave comments, order and notation of all else as they are."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.util import load_yaml_guess_indent

from grader.errors import RequestRefused

from .yaml_lines import find_bomb

_ITEM = ("points", "title")
_CONCEPT = ("points", "name", "statements", "misconceptions")


@dataclass(frozen=True, slots=True)
class Edit:
    """A new value of one field of an item, or of one of its concepts.

    ``field`` is "points", "title" or a setting ("params.threshold", "params.key"); of a concept "points",
    "name", "statements" or "misconceptions".
    """

    item: str
    field: str
    value: float | str | tuple[str, ...]
    concept: str = ""


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """The text with these changes. Whether the result is a sound rubric is for `parse_rubric` to say.

    Raises `RequestRefused` where an item, concept or field is not there, or the text is no YAML.
    """
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 1 << 20  # no line is broken that was not
    try:
        if bomb := find_bomb(text):
            raise RequestRefused(f"Line {bomb.line} of the rubric: {bomb.message}.")
        tree = yaml.load(text)
        _, indent, offset = load_yaml_guess_indent(text)
    except YAMLError:
        raise RequestRefused("The rubric's text is no YAML: mend it by hand first.") from None
    yaml.indent(mapping=2, sequence=indent or 4, offset=2 if offset is None else offset)
    for edit in edits:
        _apply(tree, edit)
    written = io.StringIO()
    yaml.dump(tree, written)
    return written.getvalue()


def _apply(tree: Any, edit: Edit) -> None:
    items = tree.get("items") if isinstance(tree, CommentedMap) else None
    owner, field = _find(items, "key", edit.item, "item"), edit.field
    known: tuple[str, ...] = _ITEM
    if edit.concept:
        owner, known = _find(owner.get("concepts"), "id", edit.concept, "concept"), _CONCEPT
    elif edit.field.startswith("params."):
        field = edit.field.removeprefix("params.")
        params = owner.get("params")
        if not isinstance(params, CommentedMap):
            raise RequestRefused(f"{edit.item} has no params; its check takes none.")
        owner, known = params, (field,)
    if field not in known:
        raise RequestRefused(f"{field} cannot be changed like this; these can: {', '.join(known)}.")
    owner[field] = _as_written(owner.get(field), edit.value)


def _find(entries: Any, name: str, wanted: str, what: str) -> Any:
    for entry in entries if isinstance(entries, CommentedSeq) else ():
        if isinstance(entry, CommentedMap) and entry.get(name) == wanted:
            return entry
    raise RequestRefused(f"There is no {what} {wanted} in this rubric.")


def _as_written(before: Any, value: float | str | tuple[str, ...]) -> Any:
    """The value in the notation of what it takes the place of."""
    if isinstance(value, tuple):
        if isinstance(before, CommentedSeq) and len(before) == len(value):
            for position, entry in enumerate(value):  # comments between the entries stay
                if before[position] != entry:
                    before[position] = _as_written(before[position], entry)
            return before
        return CommentedSeq(value)
    if before == value:
        return before
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return type(before)(value) if isinstance(value, str) and isinstance(before, str) else value
