"""Fields of a rubric that are changed often, and what was filled into them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from starlette.datastructures import FormData

from grader.assignments import Edit
from grader.domain.rubric import Concept, Item, Rubric
from grader.errors import RequestRefused

_NUMBERS = ("threshold", "band")
_CALIBRATED = "calibrated"


@dataclass(frozen=True, slots=True)
class Field:
    """One field: ``name`` in the form, and what it changes."""

    name: str
    label: str
    value: float | str | tuple[str, ...]
    edit: Edit  # with the value as it is


@dataclass(frozen=True, slots=True)
class ItemFields:
    """An item's own fields, and those of its concepts."""

    item: Item
    fields: tuple[Field, ...]
    concepts: tuple[tuple[Concept, tuple[Field, ...]], ...]


def shown_fields(rubric: Rubric) -> list[ItemFields]:
    """The fields of every item, in the rubric's order."""
    return [
        ItemFields(
            item,
            tuple(_fields_of(item)),
            tuple((concept, tuple(_fields_of_concept(item, concept))) for concept in item.concepts),
        )
        for item in rubric.items
    ]


def read_edits(form: FormData, rubric: Rubric) -> list[Edit]:
    """What differs from the rubric. Raises `RequestRefused` for what is no number."""
    edits = []
    for field in _all_fields(shown_fields(rubric)):
        given = form.get(field.name)
        if isinstance(given, str) and (value := _read(field, given)) != field.value:
            edits.append(Edit(field.edit.item, field.edit.field, value, field.edit.concept))
    return edits


def _all_fields(items: Iterable[ItemFields]) -> Iterator[Field]:
    for item in items:
        yield from item.fields
        for _, fields in item.concepts:
            yield from fields


def _fields_of(item: Item) -> Iterator[Field]:
    yield _field("points", "Points", item.points, item.key)
    for name in _NUMBERS:
        if isinstance(value := item.params.get(name), int | float | str):
            yield _field(f"params.{name}", name.capitalize(), value, item.key)
    if isinstance(key := item.params.get("key"), str):
        yield _field("params.key", "Right letter", key, item.key)


def _fields_of_concept(item: Item, concept: Concept) -> Iterator[Field]:
    yield _field("points", "Points", concept.points, item.key, concept.id)
    yield _field("statements", "Statements, one a line", concept.statements, item.key, concept.id)
    yield _field("misconceptions", "Misconceptions, one a line", concept.misconceptions, item.key, concept.id)


def _field(
    field: str, label: str, value: float | str | tuple[str, ...], item: str, concept: str = ""
) -> Field:
    name = ":".join(filter(None, (item, concept, field)))
    return Field(name, label, value, Edit(item, field, value, concept))


def _read(field: Field, given: str) -> float | str | tuple[str, ...]:
    text = given.replace("\r\n", "\n").strip()
    if isinstance(field.value, tuple):
        return tuple(line.strip() for line in text.split("\n") if line.strip())
    if field.edit.field == "params.key" or text == _CALIBRATED:
        return text
    try:
        return float(text.replace(",", "."))
    except ValueError:
        raise RequestRefused(
            f"{field.edit.item}: {field.label} must be a number, not {text[:20]!r}."
        ) from None
