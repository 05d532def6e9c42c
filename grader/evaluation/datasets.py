"""Which images a student trains on, and which only the measurement sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from grader.errors import ContentInvalid, SetupIncomplete
from grader.evaluation.digits import build_digits, digits_path
from grader.evaluation.embedded import build_embedded, source_path
from grader.evaluation.prepared import Dataset, load_dataset, prepare

__all__ = ["Dataset", "hidden_paths", "open_dataset", "source_path"]

# Sets that come with a package. A new one is a line here and a name in `grader.domain.rubric.DatasetName`.
_BUILDERS: Mapping[str, Callable[[Path], None]] = {
    "mnist-embedded": build_embedded,
    "digits_8x8": build_digits,
}


def hidden_paths() -> tuple[Path, ...]:
    """What of the Python environment no jail may see: it holds the held-out images among others."""
    return source_path(), digits_path()


def open_dataset(root: Path, name: str) -> Dataset:
    """Open a data set below ``root``; one that comes with a package is prepared where it is not there yet.

    ``mnist`` is the real set once `grader data fetch` got it, and the embedded one until then;
    ``mnist-embedded`` is always the embedded one. Safe when several processes do it at once.

    Raises `ContentInvalid` for another name and `SetupIncomplete` where a folder is damaged or
    cannot be written.
    """
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
    name = "mnist-embedded" if name == "mnist" else name
    if name not in _BUILDERS:
        known = ", ".join(f"`{known}`" for known in ("mnist", *_BUILDERS))
        raise ContentInvalid(f"there is no data set {name!r}: write `mnist` in the rubric, or one of {known}")
    return load_dataset(root / name) or prepare(root / name, _BUILDERS[name])
