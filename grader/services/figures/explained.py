"""What the models of a class explain, by latent size: for the curve of one student and for teachers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from grader.domain.statistics import Quartiles, take_quartiles
from grader.storage.classes.figures import ClassRow, unpack_shares


def gather_explained(rows: Iterable[ClassRow]) -> dict[str, dict[int, list[float]]]:
    """Every student's explained variance, by the sha256 of the images, by latent size."""
    alike: dict[tuple[str, str], list[bytes]] = defaultdict(list)
    for row in rows:
        if row.sizes:
            alike[row.images, row.sizes].append(row.explained)
    found: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for (images, sizes), packed in alike.items():
        widths, shares = [int(size) for size in sizes.split()], unpack_shares(packed)
        for column, width in enumerate(widths):
            found[images][width] += shares[column :: len(widths)]
    return found


def describe_explained(explained: Mapping[int, Sequence[float]], least: int = 1) -> dict[int, Quartiles]:
    """Quartiles by latent size, of the sizes that at least ``least`` students have a model of."""
    return {
        width: take_quartiles(shares) for width, shares in sorted(explained.items()) if len(shares) >= least
    }
