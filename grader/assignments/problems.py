"""From pydantic's errors to lines and words that an instructor can act on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from .rubric_file import FORMS, NUMBER, WORD, RubricFile, item_model
from .yaml_lines import Place, Problem, YamlFile

_KINDS = {
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "finite_number": "a number",
    "string_type": "text",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
_NO_FIELDS = ("[key]", NUMBER, WORD)
_BOUNDS = {
    "greater_than": ("gt", "greater than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}


def translate(error: ValidationError, file: YamlFile) -> list[Problem]:
    """Every error of one file, each with the line where something has to be written."""
    return [_translate(dict(one), file) for one in error.errors(include_url=False, include_input=True)]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The nearest known name as a question, or all known names."""
    known = list(known)
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"


def _translate(error: Mapping[str, Any], file: YamlFile) -> Problem:
    location: Place = tuple(step for step in error["loc"] if step not in _NO_FIELDS)
    is_item = location[:1] == ("items",) and len(location) > 2
    place = location[:2] + location[3:] if is_item else location  # without the check's name in between
    at = (*place, "check") if error["type"] == "union_tag_invalid" else place
    return Problem(file.line(at), _describe(error, location, place), at)


def _describe(error: Mapping[str, Any], location: Place, place: Place) -> str:
    kind, context = error["type"], error.get("ctx", {})
    owner, field = _find_field(location)
    if kind == "missing":
        return f"{_name(place)} is missing; add {_example_line(_name(place), field)}"
    if kind == "extra_forbidden":
        return _describe_unknown(str(place[-1]), location, owner)
    if kind == "union_tag_invalid":
        known = [tag.strip("' ") for tag in context["expected_tags"].split(",")]
        return f"there is no check {context['tag']}; {did_you_mean(context['tag'], known)}"
    if kind == "union_tag_not_found":
        return "check is missing; add e.g. check: short_answer"
    if error["loc"][-1:] == (WORD,):
        words = context["expected"].replace("'", "")
        return f"{_name(place)} must be a number or {words}{_example(field)}{_found(error['input'])}"
    example = "" if error["loc"][-1:] == ("[key]",) else _example(field)
    return f"{_name(place)} must {_demand(kind, context, error['msg'])}{example}{_found(error.get('input'))}"


def _demand(kind: str, context: Mapping[str, Any], otherwise: str) -> str:
    if kind in _KINDS:
        return f"be {_KINDS[kind]}"
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        return f"be {words} {context[key]:g}"
    if kind == "literal_error":
        return f"be {context['expected'].replace(chr(39), '')}"
    if kind == "string_pattern_mismatch":
        return FORMS[context["pattern"]]
    if kind in {"too_short", "string_too_short"}:
        return (
            "not be empty"
            if context.get("min_length") == 1
            else f"have {context['min_length']} entries or more"
        )
    return f"be right: {otherwise}"


def _describe_unknown(name: str, location: Place, owner: type[BaseModel]) -> str:
    if name in {"params", "concepts"} and location[0] == "items":
        return f"the check {location[2]} takes no {name}; remove {name}"
    return f"there is no field {name}; {did_you_mean(name, owner.model_fields)}"


def _find_field(location: Place) -> tuple[type[BaseModel], FieldInfo | None]:
    """The model that holds the last named field of ``location``, and the field itself."""
    model: type[BaseModel] = RubricFile
    if location[:1] == ("items",) and len(location) > 2:
        model, location = item_model(str(location[2])), location[3:]
    field: FieldInfo | None = None
    for step in location:
        if isinstance(step, int):
            continue
        if field is not None:
            inner = _inner_model(field.annotation)
            if inner is None:
                break
            model = inner
        field = model.model_fields.get(step)
        if field is None:
            break
    return model, field


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_inner_model, get_args(annotation))), None)


def _name(place: Place) -> str:
    if not place:
        return "the file"
    if isinstance(place[-1], int):
        return f"entry {place[-1] + 1} of {_name(place[:-1])}"
    return str(place[-1])


def _example(field: FieldInfo | None) -> str:
    examples = field.examples if field is not None else None
    return f", e.g. {_written(examples[0])}" if examples else ""


def _example_line(name: str, field: FieldInfo | None) -> str:
    """What to write for a missing field."""
    examples = field.examples if field is not None else None
    if examples:
        return f"e.g. {name}: {_written(examples[0])}"
    inner = _inner_model(field.annotation) if field is not None else None
    if inner is None or not all(one.examples for one in inner.model_fields.values()):
        return f"{name}: …"
    fields = (f"{key}: {_written((one.examples or [''])[0])}" for key, one in inner.model_fields.items())
    return f"e.g. {name}: {{{', '.join(fields)}}}"


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _found(value: Any) -> str:
    if value is None:
        return " (found nothing)"
    if isinstance(value, str | int | float):
        text = json.dumps(value, ensure_ascii=False)
        return f" (found {text[:60]})"
    return ""
