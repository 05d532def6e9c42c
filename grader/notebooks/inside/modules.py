"""How torch modules contain each other: which of them is a model, and which only part of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

_WRAPPERS = frozenset({"DataParallel", "DistributedDataParallel", "OptimizedModule", "AveragedModel"})
_CONTAINERS = frozenset({"ModuleList", "ModuleDict"})


def children(module: Any) -> list[Any]:
    """The direct children. Reads the table itself: a student may have overridden ``children``."""
    return [child for child in vars(module).get("_modules", {}).values() if child is not None]


def inside(module: Any) -> Iterator[Any]:
    """Every module below this one, each once."""
    seen = {id(module)}
    waiting = children(module)
    while waiting:
        child = waiting.pop()
        if id(child) not in seen:
            seen.add(id(child))
            yield child
            waiting.extend(children(child))


def parameters(module: Any) -> list[Any]:
    """All parameters of the module and those below it."""
    tables = [vars(part).get("_parameters", {}) for part in (module, *inside(module))]
    return [value for table in tables for value in table.values() if value is not None]


def is_transparent(module: Any) -> bool:
    """Whether a module only holds models: a list or dict of them, or a wrapper like ``torch.compile``'s."""
    return type(module).__name__ in _WRAPPERS | _CONTAINERS and type(module).__module__.startswith("torch.")


def find_roots(modules: Iterable[Any]) -> list[Any]:
    """Those with parameters that are part of no other model, in the order given."""
    solid = [module for module in modules if not is_transparent(module)]
    parts = {id(part) for module in solid for part in inside(module)}
    return [module for module in solid if id(module) not in parts and parameters(module)]


def leaf_layers(module: Any, limit: int) -> list[tuple[str, str]]:
    """Name and type of the modules without children, as ``state_dict`` would name them."""
    found: list[tuple[str, str]] = []
    seen = {id(module)}

    def walk(part: Any, prefix: str) -> None:
        for name, child in vars(part).get("_modules", {}).items():
            if child is None or id(child) in seen or len(found) >= limit:
                continue
            seen.add(id(child))
            if children(child):
                walk(child, f"{prefix}{name}.")
            else:
                found.append((f"{prefix}{name}"[:200], type(child).__name__[:100]))

    walk(module, "")
    return found or [("", type(module).__name__[:100])]


def signature(module: Any) -> tuple[tuple[int, ...], ...]:
    """The shapes of all parameters: equal for models of the same architecture and widths."""
    return tuple(tuple(value.shape) for value in parameters(module))
