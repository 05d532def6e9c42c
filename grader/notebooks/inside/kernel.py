"""The student's kernel: an IPython kernel with seeds, the data's mirror and the harvest, and no torch yet."""

from __future__ import annotations

import contextlib
import os
import random
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from grader.notebooks.inside.harvest import Harvest
from grader.notebooks.inside.imports import ImportWatch
from grader.notebooks.inside.mnist import serve_mnist
from grader.notebooks.inside.torchvision_schemas import define_missing_operators

NOTES = "notes.txt"
_NOTES_BYTES = 2000


class Preparation:
    """What is done to the kernel before the first cell and as libraries are imported."""

    def __init__(self, folder: Path, data: Path, seed: int, keep: int, model_bytes: int) -> None:
        self._folder = folder
        self._data = data
        self._seed = seed
        self._keep = keep
        self._model_bytes = model_bytes
        self._harvest: Harvest | None = None
        self._notes = 0

    def begin(self) -> None:
        """Seed, and watch for the libraries that need more."""
        random.seed(self._seed)
        before = {"torchvision": define_missing_operators}
        after = {
            "numpy.random": lambda module: module.seed(self._seed),
            "torch": self._prepare_torch,
            "torchvision.datasets.mnist": lambda module: serve_mnist(module, self._data),
        }
        sys.meta_path.insert(0, ImportWatch(before, after, self.report))

    def after_cell(self, *_: Any) -> None:
        """IPython's ``post_run_cell``: it comes after errors and interrupts, too."""
        if self._harvest is not None:
            self._harvest.after_cell()

    def report(self, what: str, error: BaseException) -> None:
        """Note why evidence may be missing."""
        try:
            line = f"{what}: {type(error).__name__}: {error}"[:300] + "\n"
            self._notes += len(line)
            if self._notes <= _NOTES_BYTES:
                with (self._folder / NOTES).open("a", encoding="utf-8", errors="replace") as notes:
                    notes.write(line)
        except Exception:  # noqa: S110 - there is nobody left to tell
            pass

    def _prepare_torch(self, torch: ModuleType) -> None:
        torch.manual_seed(self._seed)
        torch.set_num_threads(1)
        if self._harvest is None:
            self._harvest = Harvest(
                torch, self._folder, keep=self._keep, model_bytes=self._model_bytes, report=self.report
            )
            self._harvest.install()


def main() -> None:
    """Serve one notebook; the settings come from `kernel_process` by the environment."""
    _offer_to_the_oom_killer()
    settings = os.environ
    preparation = Preparation(
        Path(settings["GRADER_HARVEST"]),
        Path(settings["GRADER_DATA"]),
        int(settings["GRADER_SEED"]),
        int(settings["GRADER_MODELS"]),
        int(settings["GRADER_MODEL_BYTES"]),
    )
    from ipykernel.kernelapp import IPKernelApp  # noqa: PLC0415 - after it, nothing of ours is imported

    app: Any = IPKernelApp.instance()
    app.initialize(sys.argv[1:])
    # The tip of the day draws from `random`, each time that somebody asks what kernel this is.
    app.shell.enable_tip = False
    preparation.begin()
    # As in Jupyter: modules that a notebook writes beside itself can be imported. Only from here on, so that
    # nothing of ours is ever looked for there.
    sys.path.insert(0, "")
    app.shell.events.register("post_run_cell", preparation.after_cell)
    app.start()


def _offer_to_the_oom_killer() -> None:
    """When memory runs out let it be this process, not the one that still has the results to hand over."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("800")


if __name__ == "__main__":
    main()
