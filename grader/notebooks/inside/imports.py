"""Act just before or after a library is imported, so that a notebook without it pays nothing."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

Report = Callable[[str, BaseException], None]


@contextmanager
def uncollected() -> Iterator[None]:
    """Import without the garbage collector: it finds none, and looks for it a fifth of torch's import."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


class ImportWatch(MetaPathFinder):
    """A finder that wraps the body of the modules it is told about. An action that fails is only reported."""

    def __init__(
        self,
        before: Mapping[str, Callable[[], object]],
        after: Mapping[str, Callable[[ModuleType], object]],
        report: Report,
    ) -> None:
        self._before = before
        self._after = after
        self._report = report

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Let the other finders find it, and have our actions run around its body."""
        if fullname not in self._before and fullname not in self._after:
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                self._wrap(fullname, spec)
                return spec
        return None

    def _wrap(self, name: str, spec: ModuleSpec) -> None:
        loader = spec.loader
        if loader is None:
            return
        execute = loader.exec_module

        def execute_between(module: ModuleType) -> None:
            vars(loader).pop("exec_module", None)  # the loader is its plain self again
            if name in self._before:
                self._try(name, self._before[name])
            with uncollected():
                execute(module)
            if name in self._after:
                self._try(name, lambda: self._after[name](module))

        try:
            vars(loader)["exec_module"] = execute_between
        except TypeError as error:
            self._report(name, error)

    def _try(self, name: str, action: Callable[[], object]) -> None:
        try:
            action()
        except Exception as error:
            self._report(name, error)
