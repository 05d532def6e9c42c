"""Inside the jail: run a notebook's definitions and make its models again. Student code runs here."""

from __future__ import annotations

import itertools
import json
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
from torch import nn

_STATEMENT_SECONDS = 5.0
_BUILD_SECONDS = 5.0
_MOST_TRIALS = 400  # calls per model
_MOST_CHOICES = 64  # of values for the free names of one call
_MOST_CANDIDATES = 4  # that fit the weights

State = Mapping[str, torch.Tensor]


class OutOfTime(BaseException):
    """Student code took longer than it may; no ``except Exception`` of theirs catches it."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """End what runs within after so long, as soon as it is in Python again."""

    def end(*_: object) -> None:
        raise OutOfTime

    previous = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One harvested model: its weights, and what the kernel told of it."""

    index: int
    cell: int
    class_name: str
    arguments: str  # JSON of what its class was made with; empty where that is not known
    state: State


@dataclass(frozen=True, slots=True)
class Candidate:
    """A module that took the weights."""

    number: int  # its place among all that took them
    module: nn.Module
    certain: bool  # names and shapes are the same, and so is the class
    as_made: bool  # and it was made with what the notebook made it with


class Workshop:
    """The notebook's namespace, up to one of its cells."""

    def __init__(self, program: Mapping[str, Any], widths: Sequence[int]) -> None:
        self._definitions = list(program["definitions"])
        self._builds = program["builds"]
        self._values: Mapping[str, Sequence[str]] = program["values"]
        self._widths = widths
        module = ModuleType("__main__")
        sys.modules["notebook"] = module
        self._names: dict[str, Any] = module.__dict__
        self.failures: list[str] = []

    @property
    def names(self) -> dict[str, Any]:
        """What is bound now."""
        return self._names

    def go_to(self, cell: int) -> None:
        """Run the definitions up to this cell; one that fails is noted and left out."""
        while self._definitions and self._definitions[0]["cell"] <= cell:
            source = self._definitions.pop(0)["source"]
            try:
                with at_most(_STATEMENT_SECONDS):
                    exec(compile(source, "<notebook>", "exec"), self._names)  # noqa: S102  that is what the jail is for
            except BaseException as error:
                self.failures.append(
                    f"{source.split(chr(10))[0][:60]}: {type(error).__name__}: {error}"[:160]
                )

    def candidates(self, wanted: Wanted) -> Iterator[Candidate]:
        """Every way to make it that takes the weights, the likeliest first; always in the same order."""
        number, known = 0, False
        for make, as_made in itertools.islice(self._ways(wanted), _MOST_TRIALS):
            for module in _modules_in(_try(make)):
                fits = _take(module, wanted.state)
                if not fits:
                    continue
                named = fits == "by name" and type(module).__name__ == wanted.class_name
                if known and not named:  # another class that happens to take the same weights
                    continue
                known = known or named
                yield Candidate(number, module.eval(), certain=named, as_made=named and as_made)
                number += 1
                break
            if number >= _MOST_CANDIDATES:
                return

    def _ways(self, wanted: Wanted) -> Iterator[tuple[Callable[[], Any], bool]]:
        own = self._names.get(wanted.class_name)
        if wanted.arguments and isinstance(own, type):
            arguments = json.loads(wanted.arguments)
            yield (lambda: own(**arguments)), True
        builds = [build for build in self._builds if build["cell"] <= wanted.cell]
        named = [build for build in builds if build["makes"].rpartition(".")[2] == wanted.class_name]
        for build in named + [build for build in reversed(builds) if build not in named]:
            code = compile(build["source"], "<notebook>", "eval")
            for chosen in self._choices(build["free"], wanted):
                yield (lambda code=code, chosen=chosen: eval(code, self._names | chosen)), not build["free"]  # type: ignore[misc]  # noqa: S307
        if isinstance(own, type):
            yield own, True
            for width in self._numbers(wanted):
                yield (lambda width=width: own(width)), False  # type: ignore[misc]

    def _choices(self, free: Sequence[str], wanted: Wanted) -> Iterator[dict[str, Any]]:
        options = [self._options(name, wanted) for name in free]
        for row in itertools.islice(itertools.product(*options), _MOST_CHOICES):
            yield dict(zip(free, row, strict=True))

    def _options(self, name: str, wanted: Wanted, depth: int = 0) -> list[Any]:
        """What a name may stand for: what some line gives it, else any size that the weights have."""
        options: list[Any] = []
        for source in self._values.get(name, ()):
            try:
                options.append(eval(source, dict(self._names)))  # noqa: S307
            except NameError:
                if depth < 3 and source.isidentifier() and source != name:
                    options += self._options(source, wanted, depth + 1)
            except Exception:  # noqa: S112
                continue
        if not options and name not in ("self", "cls"):
            options = self._numbers(wanted)
        sizes = {size for tensor in wanted.state.values() for size in tensor.shape}
        # What the weights show comes first: the product of all may be cut short.
        return sorted(_distinct(options), key=lambda one: not (isinstance(one, int) and one in sizes))[:24]

    def _numbers(self, wanted: Wanted) -> list[Any]:
        sizes = sorted({size for tensor in wanted.state.values() for size in tensor.shape if size > 1})
        return _distinct([*(width for width in self._widths if width in sizes), *sizes])[:12]


def _distinct(options: Sequence[Any]) -> list[Any]:
    found: dict[str, Any] = {}
    for one in options:
        found.setdefault(repr(one)[:400], one)
    return list(found.values())


def _try(make: Callable[[], Any]) -> Any:
    torch.manual_seed(0)
    try:
        with at_most(_BUILD_SECONDS):
            return make()
    except BaseException:
        return None


def _modules_in(made: Any) -> list[nn.Module]:
    """The modules that a call gave: itself, or those in what it gave."""
    if isinstance(made, nn.Module):
        return [made, *made.children()]
    if isinstance(made, list | tuple):
        parts = list(made)
    elif isinstance(made, dict):
        parts = list(made.values())
    else:
        parts = list(getattr(made, "__dict__", {}).values())
    return [part for part in parts[:32] if isinstance(part, nn.Module)]


def _take(module: nn.Module, state: State) -> str:
    """Load the weights: "by name" where names and shapes agree, "in order" where shapes do, else ""."""
    try:
        own = {_plain(key): key for key in module.state_dict()}
        theirs = {_plain(key): tensor for key, tensor in state.items()}
        how = "by name"
        if own.keys() != theirs.keys():
            if len(own) != len(theirs):
                return ""
            how, theirs = "in order", dict(zip(own, theirs.values(), strict=True))
        module.load_state_dict({own[key]: tensor for key, tensor in theirs.items()})
    except Exception:
        return ""
    return how


def _plain(key: str) -> str:
    for prefix in ("module.", "_orig_mod."):
        key = key.replace(prefix, "") if key.startswith(prefix) else key
    return key
