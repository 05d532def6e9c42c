"""Which images a student trains on, and which only the measurement sees."""

from __future__ import annotations

from pathlib import Path

from grader.errors import ContentInvalid, SetupIncomplete
from grader.evaluation.embedded import build_embedded, source_path
from grader.evaluation.prepared import Dataset, load_dataset, prepare

__all__ = ["Dataset", "open_dataset", "source_path"]


def open_dataset(root: Path, name: str) -> Dataset:
    """Open a data set below ``root``; the embedded one is prepared where it is not there yet.

    ``mnist`` is the real set once `grader data fetch` got it, and the embedded one until then;
    ``mnist-embedded`` is always the embedded one. Safe when several processes do it at once.

    Raises `ContentInvalid` for another name and `SetupIncomplete` where a folder is damaged or
    cannot be written.
    """
    if name not in ("mnist", "mnist-embedded"):
        raise ContentInvalid(
            f"there is no data set {name!r}: write `mnist` (or `mnist-embedded`) in the rubric"
        )
    root = root.absolute()  # a jail's mount needs it
    real = root / "mnist"
    if name == "mnist" and real.exists():
        dataset = load_dataset(real)
        if dataset is None:
            # Falling back would silently grade one half of a course on other images than the other.
            raise SetupIncomplete(
                f"the data set in {real} is damaged or of an older version: run `grader data fetch`, "
                "or remove the folder to use the embedded digits"
            )
        return dataset
    embedded = root / "mnist-embedded"
    return load_dataset(embedded) or prepare(embedded, build_embedded)
