"""Keep every trained model alive, also one whose variable the loop overwrites; write out what changed.

Runs in the student's kernel. It sees modules when they are made (`Module.__init__`), copied or
unpickled (`Module.__setstate__`), called, and stepped by an optimizer. Nothing is put on a module
itself, so copies, pickles, ``state_dict`` and ``repr`` are what they would have been. A student who
breaks the hook only loses evidence: no error of ours ever reaches a cell.
"""

from __future__ import annotations

import functools
import gc
import math
import sys
import time
import weakref
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from grader.notebooks.inside.arguments import read_arguments
from grader.notebooks.inside.modules import find_roots, inside, parameters
from grader.notebooks.inside.records import ModelFiles, ModelRecord

_WATCHED_CALLS = 256  # module calls looked at after something new; then the hook is off and costs nothing
_SNAPSHOT_SECONDS = 30.0  # how much training a killed cell can lose at most
_BETWEEN_MODELS_SECONDS = 0.2  # where a new model is made: it may be the one that there is no memory for
_LEAST_INPUT = 16  # numbers per sample; less is no image


class Harvest:
    """The models of one kernel. ``folder`` receives one file per model, replaced when it changes."""

    def __init__(
        self,
        torch: Any,
        folder: Path,
        *,
        keep: int,
        model_bytes: int,
        report: Callable[[str, BaseException], None],
    ) -> None:
        self._torch = torch
        self._report = report
        self._files = ModelFiles(torch, folder, keep=keep, model_bytes=model_bytes, report=report)
        self._known: dict[int, weakref.ref[Any]] = {}
        self._arguments: dict[int, str] = {}  # by id of a module: what its class was made with
        self._models: dict[int, ModelRecord] = {}  # by id of the root module
        self._owners: dict[int, ModelRecord | None] = {}  # by id of any module; emptied when a module appears
        self._adopted: list[Any] = []  # what stands for tensors of no module
        self._optimizers: weakref.WeakSet[Any] = weakref.WeakSet()
        self._handle: Any = None
        self._calls_left = 0
        self._serial = 0
        self._last_write = time.monotonic()

    def install(self) -> None:
        """Start watching."""
        for name in ("__init__", "__setstate__"):
            self._watch_method(name)
        optimizer = import_module("torch.optim.optimizer")  # torch.optim hides it as an attribute
        optimizer.register_optimizer_step_post_hook(self._after_step)
        self._watch_calls()

    def after_cell(self) -> None:
        """Write every model that changed. Never raises an `Exception`."""
        try:
            self._find_owners()
            for model in list(self._models.values()):
                self._files.hold(model)
            self._write(list(self._models.values()))
            self._watch_calls()
        except Exception as error:
            self._report("models", error)

    def _watch_method(self, name: str) -> None:
        original = getattr(self._torch.nn.Module, name)

        @functools.wraps(original)
        def watched(module: Any, *args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True  # IPython leaves this frame out of a student's traceback
            self._meet(module)
            if name == "__init__":
                self._arguments[id(module)] = read_arguments(module, sys._getframe(1))
            return original(module, *args, **kwargs)

        setattr(self._torch.nn.Module, name, watched)

    def _meet(self, module: Any) -> None:
        try:
            key = id(module)
            known = self._known.get(key)
            if known is None or known() is not module:
                self._known[key] = weakref.ref(module, lambda _: self._forget(key))
                self._models.pop(key, None)
            self._owners.clear()
            self._watch_calls()
            if time.monotonic() - self._last_write > _BETWEEN_MODELS_SECONDS:
                self._write([model for model in list(self._models.values()) if model.active])
        except Exception as error:
            self._report("a new module", error)

    def _forget(self, key: int) -> None:
        self._known.pop(key, None)
        self._arguments.pop(key, None)
        self._models.pop(key, None)
        self._owners.pop(key, None)

    def _watch_calls(self) -> None:
        self._calls_left = _WATCHED_CALLS
        if self._handle is None:
            register = self._torch.nn.modules.module.register_module_forward_pre_hook
            self._handle = register(self._before_forward)

    def _before_forward(self, module: Any, args: tuple[Any, ...]) -> None:
        if self._torch.compiler.is_compiling() or self._torch.jit.is_tracing():
            return  # what we do to tensors would become a part of the graph
        try:
            self._calls_left -= 1
            if self._calls_left <= 0 and self._handle is not None:
                self._handle.remove()
                self._handle = None
            key = id(module)
            if key not in self._known:
                self._meet(module)
            if key not in self._owners:
                self._find_owners()
            model = self._owners.get(key)
            if model is not None:
                self._see_call(model, module, args)
        except Exception as error:
            self._report("a call", error)

    def _see_call(self, model: ModelRecord, module: Any, args: tuple[Any, ...]) -> None:
        if module is model.module:
            model.called_itself = True
        elif model.called_itself:
            return
        model.calls += 1
        if model.calls == 1:
            self._files.hold(model)
            self._begin([model])
        if model.calls & (model.calls - 1) == 0:
            self._see_input(model, args)

    def _see_input(self, model: ModelRecord, args: tuple[Any, ...]) -> None:
        values = args[0] if args else None
        if not isinstance(values, self._torch.Tensor) or not values.is_floating_point() or not values.ndim:
            return
        size = values[0].numel() if values.ndim > 1 else values.numel()
        if size < max(_LEAST_INPUT, model.input_size):
            return
        sample = values.detach()[:64]
        found = {"minimum": sample.min().item(), "maximum": sample.max().item(), "mean": sample.mean().item()}
        if all(math.isfinite(value) for value in found.values()):
            model.inputs = {"shape": [int(side) for side in values.shape[:8]], **found}
            model.input_size = size

    def _after_step(self, optimizer: Any, _args: Any, _kwargs: Any) -> None:
        try:
            if optimizer not in self._optimizers:
                self._optimizers.add(optimizer)
                self._meet_optimizer(optimizer)
            elif time.monotonic() - self._last_write > _SNAPSHOT_SECONDS:
                self._write(list(self._models.values()))
        except Exception as error:
            self._report("an optimizer", error)

    def _meet_optimizer(self, optimizer: Any) -> None:
        trained = {id(value) for group in optimizer.param_groups for value in group["params"]}
        owners = self._owners_of(trained)
        if not owners:  # made in a way that we did not see: look at everything that lives
            for thing in gc.get_objects():
                if issubclass(type(thing), self._torch.nn.Module) and id(thing) not in self._known:
                    self._meet(thing)
            owners = self._owners_of(trained) or self._adopt(optimizer)
        for model in owners:
            model.trained = True
            self._files.hold(model)
        self._begin(owners)

    def _adopt(self, optimizer: Any) -> list[ModelRecord]:
        """Take tensors that are trained and belong to no module for a model, so that somebody looks at it."""
        holder = self._torch.nn.Module()
        for number, tensor in enumerate(
            value for group in optimizer.param_groups for value in group["params"]
        ):
            # Of the same storage: it follows the training.
            shared = self._torch.nn.Parameter(tensor.detach(), requires_grad=False)
            holder.register_parameter(f"tensor_{number}", shared)
        self._adopted.append(holder)
        self._find_owners()
        model = self._models.get(id(holder))
        return [] if model is None else [model]

    def _owners_of(self, wanted: set[int]) -> list[ModelRecord]:
        self._find_owners()
        return [
            model
            for model in list(self._models.values())
            if (module := model.module) is not None
            and any(id(value) in wanted for value in parameters(module))
        ]

    def _begin(self, models: list[ModelRecord]) -> None:
        """These are being trained now, so what was trained before them is finished: save it at once."""
        alive = list(self._models.values())
        self._write([model for model in alive if model.active and model not in models])
        for model in alive:
            model.active = model in models

    def _find_owners(self) -> None:
        alive = [module for reference in list(self._known.values()) if (module := reference()) is not None]
        self._owners = {id(module): None for module in alive}
        roots = find_roots(alive)
        for key in set(self._models) - {id(root) for root in roots}:
            self._files.drop(self._models.pop(key))  # it became a part of something larger
        for root in roots:
            model = self._models.get(id(root))
            if model is None:
                self._serial += 1
                model = self._models[id(root)] = ModelRecord(
                    self._known[id(root)], self._serial, arguments=self._arguments.get(id(root), "")
                )
            for part in (root, *inside(root)):
                self._owners[id(part)] = model

    def _write(self, models: list[ModelRecord]) -> None:
        if models:
            self._last_write = time.monotonic()
            self._files.write(models)
