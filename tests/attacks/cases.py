"""The attacks as data: one YAML file per family, read strictly.

A file has ``about``, ``helpers`` (code that its cells may use), ``prints`` and ``never`` (for all of its
cases) and ``cases``. A case has:

- ``name``: what must hold, as a sentence;
- ``cells``: code. A first cell with the helpers and a last one that prints "after" are put around them.
  ``{tcp_port}`` and the other names of `canaries.Canaries.places` are filled in;
- ``verdict``: of the whole run; several are joined by "or" where the kernel or the machine decides;
- ``states``: of each cell, likewise. Default: ok;
- ``after``: the state of the last, honest cell. Default: ok;
- ``prints``, ``never``: what the cells' outputs must hold, and must not;
- ``limits``: fields of `RunLimits` that differ from `LIMITS`;
- ``needs: cgroup`` with ``weaker``: does not hold where there are no control groups, and what then;
- ``needs: x86_64``: speaks that machine's own numbers;
- ``claims``: what the uploaded file says besides: ``cell`` of each of the cells, ``notebook`` of itself;
- ``testimony``: the forgery itself may succeed; nothing but the student's own testimony is harmed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from grader.domain.rubric import RunLimits
from grader.domain.run import CellState, Verdict

FOLDER = Path(__file__).parent
# Those of a real homework where they weigh on the parent; short and small where they cost only time.
LIMITS = RunLimits(
    cell_seconds=15,
    total_seconds=40,
    memory_bytes=400 << 20,
    processes=48,
    output_bytes_per_cell=1_000_000,
    output_bytes=20_000_000,
    models=64,
    model_bytes=64_000_000,
)
_FAMILY_KEYS = {"about", "helpers", "prints", "never", "cases"}
_CASE_KEYS = {
    *("name", "cells", "verdict", "states", "after", "prints", "never", "limits", "needs", "weaker"),
    *("testimony", "claims"),
}


@dataclass(frozen=True, slots=True)
class Case:
    """One attack and what must hold."""

    family: str
    name: str
    helpers: str
    cells: tuple[str, ...]
    verdicts: frozenset[Verdict]
    states: tuple[frozenset[CellState], ...]  # of the cells, and of the honest one after them
    prints: tuple[str, ...]
    never: tuple[str, ...]
    limits: RunLimits
    needs: str = ""  # "cgroup", "x86_64"
    weaker: str = ""  # what holds without it
    testimony: bool = False
    cell_claims: Mapping[str, Any] = field(default_factory=dict)
    notebook_claims: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.family}: {self.name}"


def load_cases() -> list[Case]:
    """Every case of every family; ``ValueError`` names what is wrong with one."""
    cases = [case for path in sorted(FOLDER.glob("*.yaml")) for case in _load_family(path)]
    names = [str(case) for case in cases]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"more than one case is called {sorted(twice)}")
    return cases


def _load_family(path: Path) -> Iterator[Case]:
    family = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    _require_known(family, _FAMILY_KEYS, path.name)
    for case in family["cases"]:
        where = f"{path.name}: {case.get('name')}"
        _require_known(case, _CASE_KEYS, where)
        try:
            yield _read_case(path.stem, family, case)
        except (KeyError, ValueError, TypeError) as error:
            raise ValueError(f"{where}: {error!r}") from error


def _read_case(family: str, shared: Mapping[str, Any], case: Mapping[str, Any]) -> Case:
    cells = tuple(case["cells"])
    states = [_states(state) for state in case.get("states", ["ok"] * len(cells))]
    if len(states) != len(cells):
        raise ValueError(f"{len(states)} states for {len(cells)} cells")
    limits = dict(case.get("limits", {}))
    if "memory_mb" in limits:
        limits["memory_bytes"] = limits.pop("memory_mb") << 20
    return Case(
        family=family,
        name=case["name"],
        helpers=shared.get("helpers", ""),
        cells=cells,
        verdicts=frozenset(map(Verdict, case["verdict"].split(" or "))),
        states=(*states, _states(case.get("after", "ok"))),
        prints=_texts(shared, case, "prints"),
        never=_texts(shared, case, "never"),
        limits=replace(LIMITS, **limits),
        needs=case.get("needs", ""),
        weaker=case.get("weaker", ""),
        testimony=case.get("testimony", False),
        cell_claims=case.get("claims", {}).get("cell", {}),
        notebook_claims=case.get("claims", {}).get("notebook", {}),
    )


def _texts(shared: Mapping[str, Any], case: Mapping[str, Any], key: str) -> tuple[str, ...]:
    texts = (*shared.get(key, ()), *case.get(key, ()))
    if wrong := [text for text in texts if not isinstance(text, str)]:
        raise ValueError(f"{wrong} in {key} are no texts: they need quotes")
    return texts


def _states(text: str) -> frozenset[CellState]:
    return frozenset(map(CellState, text.split(" or ")))


def _require_known(given: Mapping[str, Any], known: set[str], where: str) -> None:
    if unknown := given.keys() - known:
        raise ValueError(f"{where}: unknown {sorted(unknown)}; known are {sorted(known)}")
