"""Fields of a rubric that are changed often, and what was filled into them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from starlette.datastructures import FormData

from grader.assignments import Edit, Place, Problem
from grader.domain.rubric import Concept, Item, Rubric

_NUMBERS = ("threshold", "band")
_CALIBRATED = "calibrated"


@dataclass(frozen=True, slots=True)
class Field:
    """One field: ``name`` in the form, and what it changes."""

    name: str
    label: str
    value: float | str | tuple[str, ...]
    edit: Edit  # with the value as it is

    @property
    def text(self) -> str:
        """The value as the field shows it."""
        return "\n".join(self.value) if isinstance(self.value, tuple) else str(self.value).removesuffix(".0")

    @property
    def title(self) -> str:
        """What it is of, and its label."""
        return f"{self.edit.concept or self.edit.item} · {self.label.partition(',')[0]}"


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


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field."""

    field: Field
    message: str


@dataclass(frozen=True, slots=True)
class Filled:
    """What was filled in: ``typed`` as it was, by field, and what of it differs from the rubric."""

    typed: dict[str, str]
    edits: list[Edit]
    faults: list[Fault]


def read_fields(form: FormData, rubric: Rubric) -> Filled:
    """All that was filled in, with what is no number."""
    filled = Filled({}, [], [])
    for field in _all_fields(shown_fields(rubric)):
        given = form.get(field.name)
        if not isinstance(given, str):
            continue
        filled.typed[field.name] = given
        try:
            value = _read(field, given)
        except ValueError:
            message = f"{field.edit.item}: {field.label} must be a number, not {given.strip()[:20]!r}."
            filled.faults.append(Fault(field, message))
            continue
        if value != field.value:
            filled.edits.append(Edit(field.edit.item, field.edit.field, value, field.edit.concept))
    return filled


def place_problems(problems: Iterable[Problem], rubric: Rubric) -> Iterator[Fault]:
    """Those of a text's problems that are about a field of the form."""
    fields = {field.name: field for field in _all_fields(shown_fields(rubric))}
    for problem in problems:
        if field := fields.get(_name_field(problem.place, rubric)):
            yield Fault(field, problem.message)


def _name_field(place: Place, rubric: Rubric) -> str:
    """The field that holds the value at this place of a rubric's text; "" where there is none."""
    match place:
        case ("items", int(at), "concepts", int(of), str(name), *_) if at < len(rubric.items):
            concepts = rubric.items[at].concepts
            return f"{rubric.items[at].key}:{concepts[of].id}:{name}" if of < len(concepts) else ""
        case ("items", int(at), "params", str(name), *_) if at < len(rubric.items):
            return f"{rubric.items[at].key}:params.{name}"
        case ("items", int(at), str(name)) if at < len(rubric.items):
            return f"{rubric.items[at].key}:{name}"
    return ""


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
    return float(text.replace(",", "."))
