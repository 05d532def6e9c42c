"""The class in figures: what was handed in, how grades are spread, what each item tells."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from grader.domain.calibration import ReferenceFigures
from grader.domain.statistics import Distribution, ItemFigures, Quartiles, describe, describe_items
from grader.errors import EvidenceMissing
from grader.services.dashboard.scope import Scope
from grader.services.figures.explained import describe_explained, gather_explained
from grader.storage.classes.figures import ClassRow, unpack_points
from grader.storage.classes.lists import Counts
from grader.storage.unit_of_work import Database, UnitOfWork

_PERCENT = 10_000  # all of a maximum, in hundredths of a percent


@dataclass(frozen=True, slots=True)
class ItemLine:
    """One item with what most of those chose who chose wrong."""

    title: str
    figures: ItemFigures
    wrong_choice: str = ""  # the letter; "": nobody chose wrong, or there is nothing to choose
    wrong_share: float = 0.0  # of the students


@dataclass(frozen=True, slots=True)
class SizeLine:
    """One latent size: the class beside PCA and the reference. All are shares of the variance."""

    latent_dim: int
    students: int
    quartiles: Quartiles
    pca: float | None
    reference: ReferenceFigures | None


@dataclass(frozen=True, slots=True)
class Overview:
    """What the dashboard's head shows."""

    counts: Counts
    maxima: tuple[float, ...]  # points that grades are out of: several under several rubric versions
    # Of the attempts that count, after lateness: in points, or in percent of each one's own maximum.
    distribution: Distribution | None
    waiting: int  # students whose attempt that counts has items for a human
    expected_mean: float | None  # in the same, if all that is proposed were given
    items: tuple[ItemLine, ...]
    sizes: tuple[SizeLine, ...]


def read_overview(database: Database, scope: Scope) -> Overview:
    """Reckon the figures of the attempts that count, in scope."""
    with database.read() as unit:
        counts = unit.class_lists.count(scope.course, scope.id, scope.sections)
        rows = unit.class_figures.attempts(scope.course, scope.id, scope.sections)
        items = _items(unit, scope, rows)
        sizes = _sizes(unit, scope, rows)
    maxima = sorted({row.maximum for row in rows})
    finals, expected = [row.final for row in rows], [row.expected for row in rows]
    if len(maxima) > 1:
        finals, expected = _percents(rows, finals), _percents(rows, expected)
    return Overview(
        counts,
        tuple(maximum / 100 for maximum in maxima),
        describe(finals, maxima[0] if len(maxima) == 1 else _PERCENT),
        sum(row.waiting > 0 for row in rows),
        sum(expected) / 100 / len(rows) if rows else None,
        items,
        sizes,
    )


def _percents(rows: list[ClassRow], points: list[int]) -> list[int]:
    """Of each one's own maximum, in hundredths as points are."""
    return [
        round(_PERCENT * some / row.maximum) if row.maximum else 0
        for row, some in zip(rows, points, strict=True)
    ]


def _items(unit: UnitOfWork, scope: Scope, rows: list[ClassRow]) -> tuple[ItemLine, ...]:
    """Of the rubric version that most students are graded under: others have other items."""
    by_shape: dict[str, list[ClassRow]] = defaultdict(list)
    for row in rows:
        by_shape[row.shape].append(row)
    if not by_shape:
        return ()
    shape, alike = max(by_shape.items(), key=lambda entry: (len(entry[1]), entry[0]))
    known = unit.class_figures.items_of(scope.course, scope.id, shape)
    figures = describe_items(
        known, [row.expected for row in alike], unpack_points(row.points for row in alike)
    )
    by_key = {one.key: one for one in figures}
    rubric = {item.key: item for item in scope.assignment.rubric.items}
    keys = {key: str(item.params["key"]) for key, item in rubric.items() if item.check == "choice"}
    wrong = _count_wrong(alike, keys)
    order = [key for key in rubric if key in by_key] + [key for key in by_key if key not in rubric]
    return tuple(
        _line(rubric[key].title if key in rubric else key, by_key[key], wrong.get(key, {})) for key in order
    )


def _line(title: str, figures: ItemFigures, wrong: dict[str, int]) -> ItemLine:
    if not wrong:
        return ItemLine(title, figures)
    choice = min(wrong, key=lambda letter: (-wrong[letter], letter))
    return ItemLine(title, figures, choice, wrong[choice] / figures.students)


def _count_wrong(rows: list[ClassRow], keys: dict[str, str]) -> dict[str, dict[str, int]]:
    """How many chose what, by item; without those who chose right."""
    wrong: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for choices, count in Counter(row.choices for row in rows).items():
        for choice in choices.split():
            item, _, letter = choice.rpartition("=")
            if letter != keys.get(item, letter):
                wrong[item][letter] += count
    return wrong


def _sizes(unit: UnitOfWork, scope: Scope, rows: list[ClassRow]) -> tuple[SizeLine, ...]:
    """On the images on which most of the class was measured."""
    by_images = gather_explained(rows)
    if not by_images:
        return ()
    images = max(by_images, key=lambda name: (max(map(len, by_images[name].values())), name))
    reference = scope.assignment.reference_on(images)
    pca = _explained_by_pca(unit, scope, images)
    explained = by_images[images]
    return tuple(
        SizeLine(width, len(explained[width]), quartiles, pca.get(width), reference.get(width))
        for width, quartiles in describe_explained(explained).items()
    )


def _explained_by_pca(unit: UnitOfWork, scope: Scope, images: str) -> dict[int, float]:
    """It stands in the evidence of whoever was measured on these images."""
    one = unit.class_figures.measured_on(scope.course, scope.id, images)
    try:
        stored = unit.evidence.newest(one)
    except EvidenceMissing:
        return {}
    if stored is None:
        return {}
    models = stored.evidence.models
    return {width: 1 - error / models.mean_image_mse for width, error in models.pca_mse.items()}
