"""Runs the harvest's cases in one process of its own, which alone pays for importing torch."""

from __future__ import annotations

import json
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

from grader.notebooks.inside.harvest import Harvest
from tests.unit.harvest_cases import CASES, SETUP


class Watched:
    """A harvest with a folder of its own, and what it reports."""

    def __init__(self, **limits: int) -> None:
        import torch

        torch.set_num_threads(1)
        self.folder = Path(tempfile.mkdtemp())
        self.reports: list[str] = []
        self.harvest = Harvest(
            torch,
            self.folder,
            report=lambda what, error: self.reports.append(f"{what}: {error!r}"),
            **{"keep": 200, "model_bytes": 8 << 20, **limits},
        )
        self.harvest.install()

    def take(self) -> list[str]:
        files = sorted(self.folder.glob("*.safetensors"))
        found = [file.read_bytes().hex() for file in files]
        for file in files:
            file.unlink()
        return found


def run_cases() -> dict[str, Any]:
    watched = Watched()
    found: dict[str, Any] = {}
    for name, (source, _) in CASES.items():
        names = space()
        sys.modules["__main__"].__dict__.update(names)  # pickle looks classes up there
        error = ""
        try:
            exec(source, names)
        except Exception:
            error = traceback.format_exc(limit=-1)
        watched.harvest.after_cell()
        found[name] = {"files": watched.take(), "error": error}
        names.clear()
    return {"found": found, "reports": watched.reports}


def space() -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(SETUP, names)
    return names


def run_scenarios() -> dict[str, Any]:
    names = space()
    model, fit = names["AE"], names["fit"]
    outcome: dict[str, Any] = {}

    watched = Watched()
    fit(model(2)), fit(model(3)), fit(model(5))
    outcome["before the cell has ended"] = watched.take()

    watched = Watched()
    kept = fit(model(2))
    watched.harvest.after_cell()
    rounds = [watched.take()]
    kept(names["x"])
    watched.harvest.after_cell()
    rounds.append(watched.take())
    fit(kept)
    watched.harvest.after_cell()
    rounds.append(watched.take())
    outcome["cell after cell"] = rounds

    watched = Watched(keep=3)
    rare = fit(model(3))
    for _ in range(6):
        fit(model(2))
    untrained = [model(2) for _ in range(4)]
    watched.harvest.after_cell()
    outcome["too many"] = watched.take()
    del rare, untrained

    watched = Watched(model_bytes=1000)
    fit(model(2))
    watched.harvest.after_cell()
    outcome["too large"] = {"files": watched.take(), "reports": watched.reports}

    watched = Watched()
    watched.folder.rmdir()
    fit(model(2))
    watched.harvest.after_cell()
    outcome["the folder is gone"] = watched.reports
    outcome["as it was"] = compare_with_plain(names)
    return outcome


def compare_with_plain(names: dict[str, Any]) -> dict[str, bool]:
    import copy
    import pickle

    sys.modules["__main__"].__dict__.update(names)
    model = names["fit"](names["AE"](2))
    copied = copy.deepcopy(model)
    return {
        "no hook stands on it": not model._forward_pre_hooks and not model.encoder._forward_hooks,
        "nothing of ours is in its pickle": b"grader" not in pickle.dumps(model),
        "its copy has the same keys": list(copied.state_dict()) == list(model.state_dict()),
        "its text is unchanged": repr(copied) == repr(model) and "grader" not in repr(model),
    }


def main() -> None:
    outcome = {**run_cases(), **run_scenarios()}
    json.dump(outcome, sys.stdout)


if __name__ == "__main__":
    main()
