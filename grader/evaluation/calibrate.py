"""What the reference measures over several seeds, and the thresholds that follow from it. Pure."""

from __future__ import annotations

import json
import math
import re
import statistics
from collections.abc import Mapping
from typing import Any

from grader.domain.models import ModelReport

_LEAST_BAND = 0.01
_BAND_SPREADS = 2
_THRESHOLD_SHARE = 0.8  # of what the reference explains: an honest short training earns full marks
RULE = {  # stands in the file beside the figures that it made
    "threshold": f"{_THRESHOLD_SHARE:g} of the least of all seeds, rounded down to 0.01",
    "band": f"{_BAND_SPREADS} standard deviations over the seeds, at least {_LEAST_BAND:g}",
}
_SEED_CALL = re.compile(r"(\b(?:manual_seed|random\.seed)\(\s{0,8})\d{1,10}(?=\s{0,8}\))")


def reseed(notebook: bytes, seed: int) -> bytes:
    """Return an .ipynb file with another number in each ``manual_seed(42)`` and ``random.seed(42)``.

    Raises ``ValueError`` where it is no JSON of nbformat 4.
    """
    try:
        content = json.loads(notebook)
        for cell in content["cells"]:
            if cell["cell_type"] == "code":
                source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
                cell["source"] = _SEED_CALL.sub(rf"\g<1>{seed}", source)
    except (KeyError, TypeError) as error:
        raise ValueError(f"no notebook of nbformat 4: {error!r}") from error
    return json.dumps(content, ensure_ascii=False).encode()


def summarise(measured: Mapping[int, Mapping[int, float]]) -> dict[str, Any]:
    """Sum up explained variances, one per seed, for each latent width.

    Gives per width: each seed's figure, mean, standard deviation, minimum, maximum, the threshold for full
    marks and the noise band below it, in which a human decides; by `RULE`. Raises ``ValueError`` for a width
    without a figure.
    """
    return {str(width): _figures(width, by_seed) for width, by_seed in sorted(measured.items())}


def calibration(reports: Mapping[int, ModelReport], *, hash_seed: int) -> dict[str, Any]:
    """Build one data set's entry of ``calibration.json`` from the solution's reports, one per seed.

    Raises ``ValueError`` where there is no report or the reports are of different images.
    """
    if len({report.dataset for report in reports.values()}) != 1:
        raise ValueError("calibrating needs at least one report, and all of the same data set")
    first = next(iter(reports.values()))
    measured: dict[int, dict[int, float]] = {width: {} for width in first.pca_mse}
    for seed, report in reports.items():
        for width, by_seed in measured.items():
            best = report.best(width)
            if best is None:
                raise ValueError(f"with seed {seed} the solution has no model of width {width}")
            by_seed[seed] = best.explained_variance
    return {
        "name": first.dataset.name,
        "held_out_images": first.dataset.held_out_images,
        "versions": dict(first.versions),
        "threads": first.threads,
        "hash_seed": hash_seed,
        "seeds": list(reports),
        "mean_image_mse": first.mean_image_mse,
        "pca_explained_variance": {
            str(width): round(1 - mse / first.mean_image_mse, 4) for width, mse in first.pca_mse.items()
        },
        "rule": dict(RULE),
        "explained_variance": summarise(measured),
    }


def _figures(width: int, by_seed: Mapping[int, float]) -> dict[str, Any]:
    if not by_seed:
        raise ValueError(f"no figure for latent width {width}")
    values = list(by_seed.values())
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return {
        "by_seed": {str(seed): round(value, 6) for seed, value in by_seed.items()},
        "mean": round(statistics.fmean(values), 4),
        "spread": round(deviation, 4),
        "min": round(min(values), 4),
        "max": round(max(values), 4),
        "threshold": math.floor(min(values) * _THRESHOLD_SHARE * 100) / 100,
        "band": round(max(_LEAST_BAND, _BAND_SPREADS * deviation), 4),
    }
