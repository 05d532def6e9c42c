"""`reference/<id>/calibration.json`: what the reference reaches, by data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from grader.domain.calibration import ReferenceFigures

FORMAT = 2
NAME = "calibration.json"
_Share = Annotated[float, Field(le=1, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the reference reached on one data set."""

    dataset: str  # its name
    solution_sha256: str  # of the notebook that was run
    figures: Mapping[int, ReferenceFigures]  # by latent width


class _Open(BaseModel):
    """The fields that grading needs; the others are for people."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)


class _Figures(_Open):
    by_seed: dict[str, _Share] = Field(min_length=1)
    mean: _Share
    spread: Annotated[float, Field(ge=0, le=1)]
    threshold: Annotated[float, Field(gt=0, le=1)]
    band: Annotated[float, Field(ge=0, lt=1)]


class _Entry(_Open):
    name: str
    solution_sha256: str
    explained_variance: dict[Annotated[str, Field(pattern=r"^[1-9][0-9]{0,5}$")], _Figures]


class _File(_Open):
    format: Literal[2]
    data_sets: dict[str, _Entry]


def read_calibration(folder: Path) -> Mapping[str, Calibration]:
    """By the sha256 of held-out images; empty where nothing was calibrated yet. ``ValueError`` if wrong."""
    path = folder / NAME
    if not path.exists():
        return {}
    try:
        file = _File.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise ValueError(f"{where}: {first['msg'].lower()}") from None
    return {sha256: _calibration(entry) for sha256, entry in file.data_sets.items()}


def join_calibration(before: Mapping[str, Any], sha256: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """The file's content with one data set's entry put in; those of other data sets stay."""
    others = before.get("data_sets", {}) if before.get("format") == FORMAT else {}
    return {"format": FORMAT, "data_sets": {**others, sha256: dict(entry)}}


def _calibration(entry: _Entry) -> Calibration:
    figures = {
        int(width): ReferenceFigures(len(f.by_seed), f.mean, f.spread, f.threshold, f.band)
        for width, f in entry.explained_variance.items()
    }
    return Calibration(entry.name, entry.solution_sha256, figures)
