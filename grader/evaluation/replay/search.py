"""Inside the encoding jail: find how a rebuilt model is to be run, and where its code is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from grader.evaluation.conventions import SCALINGS
from grader.evaluation.replay.cut import (
    BATCH,
    PIXELS,
    Cut,
    Forward,
    Operation,
    chain,
    images_in,
    layouts,
    routes,
)
from grader.evaluation.replay.rebuild import Candidate, OutOfTime, Wanted, Workshop, at_most

_RUN_SECONDS = 8.0  # for one batch
_EXPLAINS = 0.1  # of the variance: then it is the right way to run it
_AS_GOOD = 0.02  # less explained than without a cut: then everything passes through it
_NEARLY_AS_GOOD = 0.05
_MOST_CUTS = 16
_CUTS_PER_WIDTH = 4


@dataclass(frozen=True, slots=True)
class Plan:
    """How to run one model, in numbers that mean the same in both jails."""

    candidates: tuple[int, ...]  # one, or two for an encoder and a decoder without a common class
    route: int
    layout: int
    scaling: str
    operation: int = 0
    shape: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """A plan without its cut, and how well the whole model did under it."""

    plan: Plan
    forward: Forward
    error: float
    certain: bool


class Unplayable(Exception):
    """The model cannot be run this way; the message says why."""


class TooWide(Unplayable):
    """More numbers reach its output than any width that is asked for."""


def run(forward: Forward, images: torch.Tensor, plan: Plan, cut: Cut | None = None) -> list[torch.Tensor]:
    """Run on BATCH×784 pixels in [0, 1]; the images that come out. Raises whatever student code raises."""
    factor, offset = SCALINGS[plan.scaling]
    laid_out = layouts()[plan.layout](images * factor + offset)
    torch.manual_seed(0)
    with at_most(_RUN_SECONDS), torch.no_grad():
        if cut is None:
            return images_in(forward(laid_out))
        with cut:
            result = forward(laid_out)
        return images_in(result)


def find_trial(workshop: Workshop, wanted: Wanted, probe: torch.Tensor) -> Trial:
    """The best way to run this model alone. Raises `Unplayable`."""
    variance = _variance(probe)
    best: Trial | None = None
    reason = f"no line of the notebook builds a {wanted.class_name[:40]} that takes these weights"
    for candidate in workshop.candidates(wanted):
        reason = "it does not lead from an image back to an image"
        for number, forward in enumerate(routes(candidate.module)):
            trial = _try_layouts(forward, (candidate,), number, probe)
            if trial is not None and (best is None or trial.error < best.error):
                best = trial
        if best is not None and candidate.as_made and best.error < (1 - _EXPLAINS) * variance:
            break
    if best is None:
        noted = f" ({workshop.failures[-1]})" if workshop.failures else ""
        raise Unplayable(reason + noted)
    return best


def pair_up(
    workshops: Sequence[tuple[Workshop, Wanted]], probe: torch.Tensor
) -> Iterator[tuple[tuple[int, int], Trial]]:
    """Encoders with decoders that rebuild images best with them; by their places in ``workshops``."""
    built = [next(workshop.candidates(wanted), None) for workshop, wanted in workshops]
    free = [place for place, candidate in enumerate(built) if candidate is not None]
    found: list[tuple[float, tuple[int, int], Trial]] = []
    for first in free:
        for second in free:
            one, two = built[first], built[second]
            if first == second or one is None or two is None:
                continue
            try:
                trial = _try_layouts(chain(one.module, two.module), (one, two), 0, probe)
            except OutOfTime:
                continue
            if trial is not None:
                found.append((trial.error, (first, second), trial))
    taken: set[int] = set()
    for _, places, trial in sorted(found, key=lambda one: (one[0], abs(one[1][0] - one[1][1]), one[1])):
        if not taken & set(places):
            taken |= set(places)
            yield places, trial


def find_cut(trial: Trial, probe: torch.Tensor, widest: int) -> Plan:
    """The narrowest cut through which as much passes as through any. Raises `Unplayable`."""
    watch = Cut()
    run(trial.forward, probe, trial.plan, watch)
    narrow = [one for one in watch.operations if 1 <= one.width <= widest]
    if not narrow:
        least = min((one.width for one in watch.operations if one.width), default=PIXELS)
        raise TooWide(f"its code is at least {least} numbers wide; the widest that is asked for is {widest}")
    errors: list[tuple[Operation, float]] = []
    for operation in _in_order(narrow):
        error = _error_through(trial, operation, probe)
        errors.append((operation, error))
        if error <= trial.error + _AS_GOOD * _variance(probe):
            break
    limit = min(error for _, error in errors) + _NEARLY_AS_GOOD * _variance(probe)
    chosen = next(operation for operation, error in errors if error <= limit)
    plan = trial.plan
    return Plan(plan.candidates, plan.route, plan.layout, plan.scaling, chosen.number, chosen.shape)


def encode(forward: Forward, plan: Plan, images: torch.Tensor) -> torch.Tensor:
    """Codes of N×784 pixels in [0, 1], with N a multiple of BATCH: N×width."""
    codes = []
    for batch in torch.split(images, BATCH):
        cut = Cut(keep=plan.operation)
        run(forward, batch, plan, cut)
        if cut.kept is None:
            raise Unplayable("it does not run the same way for every image")
        codes.append(cut.kept.reshape(BATCH, -1).float())
    return torch.cat(codes)


def decode(forward: Forward, plan: Plan, codes: torch.Tensor) -> list[torch.Tensor]:
    """What follows the cut makes of N×width codes: one or two sets of N×784 values."""
    nothing = torch.zeros(BATCH, PIXELS)
    outputs = [run(forward, nothing, plan, Cut(plan.operation, batch)) for batch in torch.split(codes, BATCH)]
    count = min(len(output) for output in outputs)
    if count == 0:
        raise Unplayable("nothing that looks like images came out of its decoder")
    return [torch.cat([output[place] for output in outputs]) for place in range(count)]


def forward_of(workshops: Sequence[tuple[Workshop, Wanted]], plan: Plan) -> Forward:
    """The model that a plan means, built anew. Raises `Unplayable`."""
    modules = []
    for (workshop, wanted), number in zip(workshops, plan.candidates, strict=True):
        found = next((one for one in workshop.candidates(wanted) if one.number == number), None)
        if found is None:
            raise Unplayable("it could not be built a second time")
        modules.append(found.module)
    ways = [chain(modules[0], modules[1])] if len(modules) == 2 else list(routes(modules[0]))
    if plan.route >= len(ways):
        raise Unplayable("it could not be run a second time")
    return ways[plan.route]


def _try_layouts(
    forward: Forward, candidates: Sequence[Candidate], route: int, probe: torch.Tensor
) -> Trial | None:
    numbers = tuple(candidate.number for candidate in candidates)
    certain = all(candidate.certain for candidate in candidates)
    for layout in range(len(layouts())):
        best: Trial | None = None
        for scaling in SCALINGS:
            plan = Plan(numbers, route, layout, scaling)
            outputs = _attempt(lambda plan=plan: run(forward, probe, plan))  # type: ignore[misc]
            if not outputs:
                break
            error = _error(outputs, probe)
            if best is None or error < best.error:
                best = Trial(plan, forward, error, certain)
        if best is not None:
            return best
    return None


def _in_order(operations: Sequence[Operation]) -> list[Operation]:
    """Narrow before wide, and of one width what comes last first: the code is what the decoder gets."""
    by_width: dict[int, list[Operation]] = {}
    for one in reversed(operations):
        by_width.setdefault(one.width, []).append(one)
    return [one for width in sorted(by_width) for one in by_width[width][:_CUTS_PER_WIDTH]][:_MOST_CUTS]


def _error_through(trial: Trial, operation: Operation, probe: torch.Tensor) -> float:
    plan = trial.plan
    cut = Cut(operation.number)
    _attempt(lambda: run(trial.forward, probe, plan, cut))
    if cut.kept is None:
        return 1.0
    codes = Cut(operation.number, cut.kept.half().float())
    return _error(_attempt(lambda: run(trial.forward, torch.zeros_like(probe), plan, codes)) or [], probe)


def _attempt(act: Callable[[], list[torch.Tensor]]) -> list[torch.Tensor] | None:
    """None where it fails; `OutOfTime` where it takes too long: that is worth no second try."""
    try:
        return act()
    except (Exception, SystemExit, KeyboardInterrupt):
        return None


def _error(outputs: Sequence[torch.Tensor], images: torch.Tensor) -> float:
    """The least MSE over outputs and their conventions. Only a guide: what counts is computed elsewhere."""
    readings: list[Any] = [torch.sigmoid(output) for output in outputs]
    readings += [(output - offset) / factor for output in outputs for factor, offset in SCALINGS.values()]
    errors = [(reading.clamp(0, 1) - images).square().nan_to_num(nan=1.0).mean() for reading in readings]
    return min((float(error) for error in errors), default=1.0)


def _variance(images: torch.Tensor) -> float:
    return float((images - images.mean(dim=0)).square().mean())
