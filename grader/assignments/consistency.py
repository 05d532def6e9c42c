"""What must fit together across a rubric, beyond the form of each field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from grader.checks.registry import JUDGES, TAKES_CONCEPTS

from .problems import did_you_mean
from .rubric_file import RubricFile
from .yaml_lines import Place

Found = tuple[Place, str]


def find_contradictions(rubric: RubricFile, stem: str) -> Iterator[Found]:
    """Every contradiction with its place. ``stem`` is the file's name without ``.yaml``."""
    if rubric.id != stem:
        yield ("id",), f"id must be the file's name, {stem} (found {rubric.id}); rename one of the two"
    yield from _check_parts(rubric)
    yield from _check_widths(("latent_dims",), rubric.latent_dims)
    yield from _repeated("key", (((("items", i, "key"), item.key)) for i, item in enumerate(rubric.items)))
    for position, item in enumerate(rubric.items):
        yield from _check_item(("items", position), item, rubric)


def _check_parts(rubric: RubricFile) -> Iterator[Found]:
    parts = list(enumerate(rubric.parts))
    yield from _repeated("key", ((("parts", i, "key"), part.key) for i, part in parts))
    yield from _repeated("heading", ((("parts", i, "heading"), part.heading) for i, part in parts))
    judged = {item.part for item in rubric.items}
    for position, part in parts:
        place = ("parts", position)
        if part.kind == "choice" and len(part.options) < 2:
            yield (*place, "options"), "a choice needs at least two options, e.g. A: yes and B: no"
        if part.kind != "choice" and part.options:
            yield (
                (*place, "options"),
                f"only a choice has options; remove them or write kind: choice for {part.key}",
            )
        yield from _check_budget((*place, "budget"), part, rubric)
        if part.key not in judged:
            yield (*place, "key"), f"no item is about {part.key}; add an item with part: {part.key}"


def _check_budget(place: Place, part: Any, rubric: RubricFile) -> Iterator[Found]:
    """A budget beyond the run's own limits would never be reached, and say what is not so."""
    budget, limits = part.budget, rubric.run_limits
    if budget is None:
        return
    if part.kind != "exercise":
        yield place, f"only an exercise has a budget; remove it from {part.key}"
    if budget.seconds is None and budget.memory_bytes is None:
        yield place, "budget is empty; write e.g. budget: {seconds: 600}, or remove it"
    for name, most, most_name in (
        ("seconds", limits.total_seconds, "total_seconds"),
        ("memory_bytes", limits.memory_bytes, "memory_bytes"),
    ):
        given = getattr(budget, name)
        if given is not None and given > most:
            yield (
                (*place, name),
                f"{name} must be at most run_limits.{most_name}, {most:.15g} (found {given:.15g})",
            )


def _check_item(place: Place, item: Any, rubric: RubricFile) -> Iterator[Found]:
    part = next((part for part in rubric.parts if part.key == item.part), None)
    if part is None:
        known = [part.key for part in rubric.parts]
        yield (*place, "part"), f"there is no part {item.part}; {did_you_mean(item.part, known)}"
    elif part.kind != JUDGES[item.check]:
        fitting = [check for check, kind in JUDGES.items() if kind == part.kind]
        yield (
            (*place, "check"),
            f"the check {item.check} is for parts of the kind {JUDGES[item.check].value}, and {part.key} is "
            f"of the kind {part.kind}; use one of: {', '.join(fitting)}",
        )
    elif item.check == "choice" and item.params.key not in part.options:
        options = ", ".join(part.options)
        yield (*place, "params", "key"), f"key must be one of the options of {part.key}: {options}"
    if item.check in TAKES_CONCEPTS:
        yield from _check_concepts(place, item)
    yield from _check_measured(place, item, rubric)


def _check_concepts(place: Place, item: Any) -> Iterator[Found]:
    if not item.concepts:
        if item.check == "short_answer":
            yield place, f"{item.key} needs concepts, which say what its {item.points:g} points are for"
        return
    ids = ((((*place, "concepts", i, "id")), concept.id) for i, concept in enumerate(item.concepts))
    yield from _repeated("id", ids)
    total = sum(concept.points for concept in item.concepts)
    if abs(total - item.points) > 1e-6:
        yield (
            (*place, "points"),
            f"the concepts of {item.key} add up to {total:g} points, but {item.key} has {item.points:g}; "
            "change one of them",
        )


def _check_measured(place: Place, item: Any, rubric: RubricFile) -> Iterator[Found]:
    known = ", ".join(str(width) for width in rubric.latent_dims)
    if item.check == "reconstruction" and item.params.latent_dim not in rubric.latent_dims:
        yield (
            (*place, "params", "latent_dim"),
            f"latent_dim must be one of the rubric's latent_dims: {known} (found {item.params.latent_dim})",
        )
    if item.check == "trend":
        here = (*place, "params", "latent_dims")
        yield from _check_widths(here, item.params.latent_dims)
        for position, width in enumerate(item.params.latent_dims):
            if width not in rubric.latent_dims:
                yield (*here, position), f"{width} is none of the rubric's latent_dims: {known}"


def _check_widths(place: Place, widths: Iterable[int]) -> Iterator[Found]:
    if any(after <= before for before, after in pairwise(widths)):
        yield place, f"latent_dims must rise, e.g. {sorted(set(widths))}"


def _repeated(name: str, named: Iterable[tuple[Place, str]]) -> Iterator[Found]:
    seen = set()
    for place, value in named:
        if value in seen:
            yield place, f"the {name} {value} is used twice; give one of them another {name}"
        seen.add(value)
