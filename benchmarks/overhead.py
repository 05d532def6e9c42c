"""What grading costs beyond the bare script: light and heavy notebooks, alone and six at once, in turns.

    python benchmarks/overhead.py [--runs 5] [--sandbox warm|cold] [--only light-alone …] [--json]

All ways take turns (A B C A B C …), so that each run's ratios compare neighbours in time.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

if not __package__:  # started as a file: what stands beside `benchmarks` is not on the path yet
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.accounting import how_counted
from benchmarks.ratios import Spread, ratios, spread
from benchmarks.ways import ALONE, CORES, SIX, Sample, Scene, Way, measure, open_scene, ours

PARTS = ("light-alone", "heavy-alone", "light-six", "heavy-six")
_MEASURES = ("wall_seconds", "cpu_seconds", "cpu_seconds_without_warming")
_LIBRARIES = ("torch", "torchvision", "numpy", "matplotlib", "nbclient", "ipykernel", "ipython")


@dataclass(frozen=True, slots=True)
class Goal:
    """One promise, and what was found. It holds where the median does."""

    text: str
    limit: float
    found: Spread

    def __str__(self) -> str:
        verdict = "holds" if self.found.median <= self.limit else "MISSED"
        return f"{self.text}: at most {self.limit:g}; found {self.found}  {verdict}"


Samples = Mapping[str, Sequence[Sample]]
Summary = Mapping[str, Mapping[str, Any]]


def take_turns(ways: Sequence[Way], notebook: str, scene: Scene, runs: int) -> Samples:
    """Measure every way ``runs`` times, one after the other."""
    samples: dict[str, list[Sample]] = {way.name: [] for way in ways}
    for run in range(runs):
        for way in ways:
            sample = measure(way, notebook, scene)
            samples[way.name].append(sample)
            said = f"{notebook}, run {run + 1}/{runs}: {way.name}: {sample.wall_seconds:.2f} s"
            print(f"{said}, {sample.cpu_seconds:.2f} s CPU", file=sys.stderr, flush=True)
    return samples


def summarise(samples: Samples, baselines: Sequence[str]) -> Summary:
    """Per way and measure: the spread in seconds, and those of the ratios to each baseline, pair by pair."""
    found: dict[str, dict[str, Any]] = {}
    for name, taken in samples.items():
        found[name] = {"runs": len(taken)}
        for field in _MEASURES:
            values = [getattr(sample, field) for sample in taken]
            found[name][field] = {"seconds": spread(values)} | {
                f"to {baseline}": ratios(values, [getattr(sample, field) for sample in samples[baseline]])
                for baseline in baselines
            }
        if starts := [start for sample in taken for start in sample.start_seconds]:
            found[name]["start_seconds"] = {"seconds": spread(starts)}
    return found


def find_goals(part: str, mine: Mapping[str, Any], baselines: Sequence[str]) -> list[Goal]:
    """What was promised of this part, against what was found for ours."""
    goals = []
    for baseline in baselines:
        to = f"to {baseline}"
        if part == "light-alone":
            cpu, without = mine["cpu_seconds"][to], mine["cpu_seconds_without_warming"][to]
            goals.append(Goal(f"CPU with warming, {to}", 1.15, cpu))
            goals.append(Goal(f"CPU without warming, {to}", 1.15, without))
        if part.endswith("-six"):
            goals.append(Goal(f"wall time, {to}", 0.6, mine["wall_seconds"][to]))
    if part.startswith("light"):
        goals.append(Goal("seconds from claim to first cell", 0.1, mine["start_seconds"]["seconds"]))
    return goals


def show(part: str, summary: Summary, baselines: Sequence[str], goals: Sequence[Goal]) -> None:
    """Print one part's table."""
    print(f"\n{part}: least, median, most")
    print(f"  {'':55}{'seconds':24}" + "".join(f"{f'× {name}':27}" for name in baselines))
    for name, found in summary.items():
        for field in (*_MEASURES, "start_seconds"):
            if field not in found or (field == _MEASURES[2] and "start_seconds" not in found):
                continue  # what is never warm has nothing to leave out
            spreads = "   ".join(map(str, found[field].values()))
            print(f"  {name:26} {field:27} {spreads}")
    for goal in goals:
        print(f"  {goal}")


def describe_machine() -> dict[str, Any]:
    """What the figures hang on."""
    versions = {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}}
    processor = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": CORES,
        "processor": processor[0].partition(":")[2].strip() if processor else platform.processor(),
        "kernel": platform.release(),
        "load": Path("/proc/loadavg").read_text().split()[0],
        "cpu_counted_by": how_counted(),
        "versions": versions,
    }


def main() -> None:
    """Measure, then print tables or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="turns per part; heavy parts take at most 3")
    parser.add_argument("--sandbox", choices=("cold", "warm"), default="cold")
    parser.add_argument(
        "--only", choices=PARTS, nargs="+", default=PARTS, metavar="PART", help=", ".join(PARTS)
    )
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    machine = describe_machine()
    if not asked.json:
        print("\n".join(f"{name}: {value}" for name, value in machine.items()))
    parts: dict[str, Any] = {}
    with open_scene() as scene:
        measure(ALONE[0], "light", scene)  # fills caches that a machine in use has filled
        for part in asked.only:
            notebook, _, kind = part.partition("-")
            mine = ours(asked.sandbox, 6 if kind == "six" else 1)
            ways = (*(SIX if kind == "six" else ALONE), mine)
            runs = min(asked.runs, 3) if notebook == "heavy" else asked.runs
            samples = take_turns(ways, notebook, scene, runs)
            baselines = [way.name for way in ways if way.kind == "bare"]
            summary = summarise(samples, baselines)
            goals = find_goals(part, summary[mine.name], baselines)
            parts[part] = {"ways": summary, "goals": goals, "samples": samples}
            if not asked.json:
                show(part, summary, baselines, goals)
    if asked.json:
        print(json.dumps({"machine": machine, "parts": parts}, default=asdict, indent=1))


if __name__ == "__main__":
    main()
