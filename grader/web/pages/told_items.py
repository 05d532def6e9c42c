"""An item's record as a report tells it: what was measured beside what was wanted, and the answer as read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grader.domain.grade import ItemGrade


@dataclass(frozen=True, slots=True)
class Measured:
    """Shares of the variance of images that the model never saw, 0..1; None where unknown."""

    explained: float | None
    wanted: float | None
    pca: float | None
    reference: float | None
    reference_band: float | None
    mse: float | None
    mean_image_mse: float | None
    latent_dim: int


@dataclass(frozen=True, slots=True)
class ToldItem:
    """What stands below an item's points."""

    feedback: str
    answer: str  # the student's words as they were read
    cells: tuple[int, ...]  # where they were found, from 1
    letter: str
    measured: Measured | None


def tell_item(item: ItemGrade, *, is_unread: bool = False) -> ToldItem:
    """Read one item's record; what is not understood is left out.

    ``is_unread``: no teacher comes to this one, so none is promised.
    """
    seen = item.evidence
    return ToldItem(
        feedback=_without_teacher(item.feedback) if is_unread else item.feedback,
        answer=str(seen.get("text") or ""),
        cells=tuple(cell + 1 for cell in seen.get("cells") or () if isinstance(cell, int))
        if isinstance(seen.get("cells"), list | tuple)
        else (),
        letter=str(seen.get("letter") or ""),
        measured=_measured(seen),
    )


def _without_teacher(feedback: str) -> str:
    sentences = re.split(r"(?<=[.!?])\s+", feedback)
    return " ".join(one for one in sentences if "a teacher will" not in one.lower())


def _measured(seen: Mapping[str, Any]) -> Measured | None:
    width, reference = seen.get("latent_dim"), seen.get("reference")
    if not isinstance(width, int):
        return None
    figures = reference if isinstance(reference, Mapping) else {}
    return Measured(
        explained=_number(seen.get("explained_variance")),
        wanted=_number(seen.get("threshold")),
        pca=_number(seen.get("pca_explained_variance")),
        reference=_number(figures.get("mean")),
        reference_band=_number(figures.get("band")),
        mse=_number(seen.get("mse")),
        mean_image_mse=_number(seen.get("mean_image_mse")),
        latent_dim=width,
    )


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
