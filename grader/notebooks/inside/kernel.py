"""The student's kernel: an IPython kernel with seeds, the data's mirror and the harvest.

A kernel that is made ahead of need has also imported what most notebooks import; any other has no torch yet.
"""

from __future__ import annotations

import gc
import os
import random
import shutil
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from grader.notebooks.inside.harvest import Harvest
from grader.notebooks.inside.imports import ImportWatch, uncollected
from grader.notebooks.inside.memory import MemoryAllowance
from grader.notebooks.inside.mnist import serve_mnist
from grader.notebooks.inside.torchvision_schemas import define_missing_operators
from grader.sandbox.jail import AHEAD_OF_NEED
from grader.sandbox.nested import MAY_NEST

NOTES = "notes.txt"
_NOTES_BYTES = 2000
_HOMEWORK_FOLDER = "course/homework"  # below the home folder: "../data" and "../../data" can be written
# torch imports the last two only when the first optimizer is made, and that takes as long as torch itself.
_IMPORTED_AHEAD = ("numpy", "torch", "torchvision", "matplotlib.pyplot", "torch.optim", "torch._dynamo")


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
        self.memory = MemoryAllowance(folder)

    def begin(self, *, ahead_of_need: bool) -> None:
        """Seed, and watch for the libraries that need more; or import them now."""
        random.seed(self._seed)
        before = {"torchvision": define_missing_operators}
        after = {
            "numpy.random": lambda module: module.seed(self._seed),
            "torch": self._prepare_torch,
            "torchvision.datasets.mnist": lambda module: serve_mnist(module, self._data),
        }
        sys.meta_path.insert(0, ImportWatch(before, after, self.report))
        if ahead_of_need:
            self._import_ahead()

    def _import_ahead(self) -> None:
        with uncollected():
            for name in _IMPORTED_AHEAD:
                try:
                    import_module(name)
                except Exception as error:  # the notebook that imports it will be told
                    self.report(name, error)
        # Imports may draw random numbers: begin where a kernel begins that imports as it goes.
        random.seed(self._seed)
        for name, seed in (("numpy.random", "seed"), ("torch", "manual_seed")):
            if name in sys.modules:
                getattr(sys.modules[name], seed)(self._seed)
        gc.collect()
        gc.freeze()  # what is here now stays: the collector need not look at it again

    def after_cell(self, *_: Any) -> None:
        """IPython's ``post_run_cell``: it comes after errors and interrupts, too."""
        self.memory.end()
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
    ahead_of_need = AHEAD_OF_NEED in os.environ
    _settle_down()
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
    app.shell.system = app.shell.system_raw  # "!" without a terminal: there are none here
    preparation.begin(ahead_of_need=ahead_of_need)
    # As in Jupyter: modules that a notebook writes beside itself can be imported. Only from here on, so that
    # nothing of ours is ever looked for there.
    sys.path.insert(0, "")
    app.shell.events.register("pre_run_cell", preparation.memory.begin)
    app.shell.events.register("post_run_cell", preparation.after_cell)
    app.start()


def _settle_down() -> None:
    """Lead a process group, which interrupts are for, in a folder of the student's own."""
    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)
    # The first is a number outside this jail, and the kernel would miss its parent; the others are ours.
    for name in ("JPY_PARENT_PID", AHEAD_OF_NEED, MAY_NEST):
        os.environ.pop(name, None)
    work = Path.home() / _HOMEWORK_FOLDER
    work.mkdir(parents=True, exist_ok=True)
    os.chdir(work)
    _take_font_list()


def _take_font_list() -> None:
    """Spare matplotlib the search for fonts, where the set-up has searched for them before."""
    for known in (Path(sys.prefix) / "share" / "grader" / "matplotlib").glob("fontlist-*.json"):
        folder = Path(os.environ["MPLCONFIGDIR"])
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(known, folder / known.name)


if __name__ == "__main__":
    main()
