"""torchvision beside a CPU-only torch: define the operators that its compiled half would have brought."""

from __future__ import annotations

from importlib import import_module
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_kept_alive: list[Any] = []


def define_missing_operators() -> bool:
    """Make ``import torchvision`` work where its compiled operators cannot load; True if it was needed.

    Imports torch, never torchvision. Calling it again does nothing. Only the schemas are defined:
    datasets and transforms work, and calling ``torchvision.ops.nms`` still fails with torch's own words.
    """
    torch = import_module("torch")
    _load_compiled_operators(torch)
    if hasattr(torch.ops.torchvision, "nms"):
        return False
    library = torch.library.Library("torchvision", "FRAGMENT")
    for schema in _SCHEMAS:
        library.define(schema)
    _kept_alive.append(library)  # the schemas die with the object that defined them
    return True


def _load_compiled_operators(torch: Any) -> None:
    spec = PathFinder.find_spec("torchvision")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for compiled in Path(folder).glob("_C*.so"):
            try:
                torch.ops.load_library(str(compiled))
            except (ImportError, OSError):
                return
