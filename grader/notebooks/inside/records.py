"""The models that a kernel keeps, and the file of each in the harvest's folder."""

from __future__ import annotations

import os
import weakref
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.notebooks.inside.modules import children, is_transparent, leaf_layers, parameters, signature
from grader.notebooks.inside.weights import digest, pack_tensors, write_weights

_MOST_LAYERS = 1000
_ALL_MODELS = 4  # all models together may weigh this many times what one may


@dataclass(slots=True, eq=False)
class ModelRecord:
    """What is known of one model."""

    reference: weakref.ref[Any]
    serial: int
    held: Any = None  # the module itself, once it was called: this keeps it alive
    size: int = 0  # bytes of its parameters, known once it is held
    trained: bool = False
    active: bool = False  # may have changed since it was last written
    called_itself: bool = False
    calls: int = 0
    inputs: dict[str, Any] | None = None
    input_size: int = 0
    written: bytes = b""
    arguments: str = ""

    @property
    def module(self) -> Any:
        """The module; None where it is not held and has died."""
        return self.held if self.held is not None else self.reference()


class ModelFiles:
    """Holds models up to a number and a size, and writes those that changed into ``folder``."""

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
        self._folder = folder
        self._keep = keep
        self._model_bytes = model_bytes
        self._all_bytes = _ALL_MODELS * model_bytes
        self._report = report
        self._held: list[ModelRecord] = []
        self._process = os.getpid()
        self._state_dict = torch.nn.Module.state_dict

    def hold(self, model: ModelRecord) -> None:
        """Keep it alive from now on, and let another go where there are too many."""
        module = model.module
        if model.held is not None or module is None:
            return
        size = sum(_bytes(value) for value in parameters(module))
        if size > self._model_bytes:
            self._report(type(module).__name__, MemoryError(f"{size} bytes are over the limit for one model"))
            return
        model.held = module
        model.size = size
        self._held.append(model)
        while len(self._held) > self._keep or sum(other.size for other in self._held) > self._all_bytes:
            self._release()

    def drop(self, model: ModelRecord) -> None:
        """Keep it no longer, nor its file."""
        if model.held is not None:
            self._held.remove(model)
            model.held = None
        model.written = b""
        self._path(model).unlink(missing_ok=True)

    def write(self, models: Iterable[ModelRecord]) -> None:
        """Write those that are held and have changed since they were last written."""
        if os.getpid() != self._process:  # a data loader's worker
            return
        for model in models:
            try:
                if model.held is not None:
                    self._write_one(model)
            except Exception as error:
                self._report(type(model.held).__name__, error)

    def _release(self) -> None:
        """Let one go: of the commonest architecture, untrained before trained, older before newer."""
        shapes = {model.serial: signature(model.held) for model in self._held}
        common = Counter(shapes.values())
        worst = min(
            self._held, key=lambda model: (-common[shapes[model.serial]], _is_trained(model), model.serial)
        )
        self.drop(worst)

    def _path(self, model: ModelRecord) -> Path:
        return self._folder / f"{model.serial:06d}.safetensors"

    def _write_one(self, model: ModelRecord) -> None:
        module = self._model_proper(model)
        table, numbers = pack_tensors(self._torch, self._state_dict(module))
        now = digest(table, numbers)
        if now == model.written or not table:
            return
        about = {
            "class_name": type(module).__name__[:100],
            "layers": leaf_layers(module, _MOST_LAYERS),
            "parameters": sum(value.numel() for value in parameters(module)),
            "serial": model.serial,
            "trained": _is_trained(model),
            "inputs": model.inputs,
            "arguments": model.arguments if module is model.held else "",
        }
        write_weights(self._path(model), table, numbers, about)
        model.written = now

    def _model_proper(self, model: ModelRecord) -> Any:
        """The model inside a trainer that is a module itself: never called, with one part that has all."""
        module = model.held
        while model.calls and not model.called_itself and not vars(module).get("_parameters"):
            parts = [part for part in children(module) if parameters(part)]
            if len(parts) != 1:
                break
            if type(parts[0]).__module__.startswith("torch.") and not is_transparent(parts[0]):
                break
            module = parts[0]
        return module


def _is_trained(model: ModelRecord) -> bool:
    return model.trained or any(value.grad is not None for value in parameters(model.module))


def _bytes(parameter: Any) -> int:
    try:
        return int(parameter.numel() * parameter.element_size())
    except ValueError:  # a lazy layer's, before the first call
        return 0
