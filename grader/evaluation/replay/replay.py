"""Measure models of other architectures: encoded in one fresh jail, decoded in another, compared here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from pydantic import ValidationError

from grader.domain.run import HarvestedModel
from grader.errors import OurFailure
from grader.evaluation.prepared import Dataset
from grader.evaluation.replay.answers import ANSWER, Decoded, Encoded, Failed, Ready
from grader.evaluation.replay.images import Errors, Mixed, compare, mix
from grader.evaluation.replay.program import Program
from grader.sandbox.jail import ExitReason, Frame, Jail, JailRequest, Limits, Sandbox

_ENCODE = "grader.evaluation.replay.encode"
_DECODE = "grader.evaluation.replay.decode"
_WALL_SECONDS = 150.0  # of one jail; no further one is started when so much is used up
_MOST_MODELS = 24
_MEMORY_BYTES = 3 << 30
_MOST_BYTES = 128 << 20  # of weights sent to one jail
_TOO_MANY = "the notebook's models used up the time, or ended the process, in which they are replayed"
_MOST_JAILS = 3  # of a kind, where models end them
# Nothing is compiled: a jail has no compiler, and a compiled model could not be looked into.
_ENVIRONMENT = {"TORCHDYNAMO_DISABLE": "1", "PYTORCH_JIT": "0"}


@dataclass(frozen=True, slots=True)
class Replayed:
    """One model, or an encoder and a decoder, through its code alone."""

    models: tuple[HarvestedModel, ...]
    width: int
    scaling: str
    errors: Errors
    whole_mse: float  # as the encoding jail claims
    certain: bool  # it was built as the notebook builds it, as far as names and shapes tell


@dataclass(frozen=True, slots=True)
class NotReplayed:
    """Why it could not be."""

    model: HarvestedModel
    reason: str


@dataclass(frozen=True, slots=True)
class _Codes:
    answer: Encoded
    values: np.typing.NDArray[np.float16]  # M×width, in the order of `Mixed.pixels`


def shapes_of_replay(dataset: Dataset) -> list[JailRequest]:
    """What is known of the two jails before there is a model. Raises `OurFailure` without the images."""
    pixels = _mix(dataset).pixels
    limits = Limits(_WALL_SECONDS, _MEMORY_BYTES, processes=64)
    openings = Frame({"kind": "encode"}, pixels.tobytes()), Frame({"kind": "decode"})
    return [
        JailRequest(entry, (), limits, environment=_ENVIRONMENT, opening=(opening,)).shape()
        for entry, opening in zip((_ENCODE, _DECODE), openings, strict=True)
    ]


def replay(
    models: Sequence[HarvestedModel],
    read: Callable[[str], bytes],
    program: Program,
    *,
    widths: Sequence[int],
    dataset: Dataset,
    sandbox: Sandbox,
    on_start: Callable[[Jail], None],
) -> tuple[list[Replayed], list[NotReplayed]]:
    """Replay these models of one notebook; each is in the one list or in the other.

    Raises `OurFailure` where a jail does not start or is killed by us: never for what student code does.
    """
    mixed = _mix(dataset)
    encoding, decoding = shapes_of_replay(dataset)
    stage = _Stage(models, read, program, widths, sandbox, on_start)
    codes, failed = stage.encode(encoding, mixed)
    replayed: list[Replayed] = []
    if codes:
        decoded, undecoded = stage.decode(decoding, mixed, codes)
        failed |= undecoded
        for one, outputs in decoded:
            parts = tuple(models[index] for index in one.answer.models)
            errors = compare(outputs, mixed)
            told = one.answer
            replayed.append(
                Replayed(parts, told.plan.width, told.plan.scaling, errors, told.whole_mse, told.certain)
            )
    return replayed, [NotReplayed(models[index], reason) for index, reason in sorted(failed.items())]


def _mix(dataset: Dataset) -> Mixed:
    try:
        return mix(dataset.held_out, dataset.sha256)
    except (OSError, ValueError) as error:
        raise OurFailure(f"models cannot be replayed: {error}. Restore that file") from error


class _Stage:
    """The two kinds of jail, each fed anew where a model ended it."""

    def __init__(
        self,
        models: Sequence[HarvestedModel],
        read: Callable[[str], bytes],
        program: Program,
        widths: Sequence[int],
        sandbox: Sandbox,
        on_start: Callable[[Jail], None],
    ) -> None:
        self._models = models
        self._read = read
        self._program = Frame({"kind": "program", "widths": list(widths)}, program.pack())
        self._widest = max(widths)
        self._sandbox = sandbox
        self._on_start = on_start

    def encode(self, shape: JailRequest, mixed: Mixed) -> tuple[list[_Codes], dict[int, str]]:
        """The codes of every model that has some, and why the others have none."""
        pending, failed = self._within_limits()
        codes: list[_Codes] = []
        began = time.monotonic()
        for _ in range(_MOST_JAILS):
            if not pending or time.monotonic() - began > _WALL_SECONDS:
                break
            answers, end = self._ask(shape, pending, [], mixed, len(pending))
            for answer, payload in answers:
                if not set(answer.models) <= set(pending):
                    continue
                if isinstance(answer, Encoded):
                    values = self._check_codes(answer, payload, mixed)
                    if values is not None:
                        codes.append(_Codes(answer, values))
                    else:
                        failed |= dict.fromkeys(
                            answer.models, "its codes are not one row of numbers per image"
                        )
                elif isinstance(answer, Failed):
                    failed |= dict.fromkeys(answer.models, answer.reason)
                pending = [index for index in pending if index not in answer.models]
            if pending:
                failed[pending.pop(0)] = f"running it ended the process that replays it ({end})"
        failed |= dict.fromkeys(pending, _TOO_MANY)
        return codes, failed

    def decode(
        self, shape: JailRequest, mixed: Mixed, codes: Sequence[_Codes]
    ) -> tuple[list[tuple[_Codes, np.typing.NDArray[np.float32]]], dict[int, str]]:
        """Images of all these codes, in the order of ``mixed``."""
        pending, failed = list(codes), dict[int, str]()
        done: list[tuple[_Codes, np.typing.NDArray[np.float32]]] = []
        began = time.monotonic()
        for _ in range(_MOST_JAILS):
            if not pending or time.monotonic() - began > _WALL_SECONDS:
                break
            indices = sorted({index for one in pending for index in one.answer.models})
            asked = [self._question(one, mixed) for one in pending]
            answers, end = self._ask(shape, indices, asked, mixed, len(asked))
            for answer, payload in answers:
                if not pending or answer.models != pending[0].answer.models:
                    break
                one = pending.pop(0)
                outputs = self._check_images(one, payload, mixed) if isinstance(answer, Decoded) else None
                if outputs is not None:
                    done.append((one, outputs))
                else:
                    reason = answer.reason if isinstance(answer, Failed) else "its decoder gave no images"
                    failed |= dict.fromkeys(one.answer.models, reason)
            if pending:
                failed |= dict.fromkeys(pending.pop(0).answer.models, f"decoding ended its process ({end})")
        for one in pending:
            failed |= dict.fromkeys(one.answer.models, _TOO_MANY)
        return done, failed

    def _within_limits(self) -> tuple[list[int], dict[int, str]]:
        pending: list[int] = []
        left = _MOST_BYTES
        failed: dict[int, str] = {}
        for index, model in enumerate(self._models):
            left -= 4 * model.parameters
            if left < 0 or len(pending) == _MOST_MODELS:
                failed[index] = "the notebook has more and larger models than are replayed"
            else:
                pending.append(index)
        return pending, failed

    def _ask(
        self, shape: JailRequest, indices: Sequence[int], more: Sequence[Frame], mixed: Mixed, answers: int
    ) -> tuple[list[tuple[Encoded | Decoded | Failed, bytes]], str]:
        """Run one jail; its answers up to the first that is none, and how it ended."""
        largest = max(4 * self._widest, 4 * mixed.pixels.shape[1]) * len(mixed.pixels) + (1 << 16)
        budgets = replace(
            shape.limits, frame_bytes=largest, total_bytes=largest * (answers + 1), frames=2 * answers + 2
        )
        frames = (self._program, *self._frames(indices), *more)
        found: list[tuple[Encoded | Decoded | Failed, bytes]] = []
        ready = False
        with self._sandbox.start(replace(shape, frames=frames, limits=budgets)) as jail:
            self._on_start(jail)
            for frame in jail.frames():
                try:
                    answer = ANSWER.validate_python(dict(frame.header))
                except ValidationError:
                    jail.kill()  # it speaks out of turn: student code does, and nothing after it counts
                    list(jail.frames())
                    return found, "it answered out of turn"
                if isinstance(answer, Ready):
                    ready = True
                elif ready:
                    found.append((answer, frame.payload))
            end = jail.exit()
        if end.reason is ExitReason.KILLED or not ready:
            raise OurFailure(f"a replaying jail did not do its work ({end.reason}): {end.detail}")
        return found, str(end.reason)

    def _frames(self, indices: Sequence[int]) -> Iterator[Frame]:
        for index in indices:
            model = self._models[index]
            header = {
                "kind": "model",
                "index": index,
                "cell": model.cell,
                "class_name": model.class_name,
                "arguments": model.arguments,
            }
            yield Frame(header, self._read(model.sha256))

    def _check_codes(
        self, answer: Encoded, payload: bytes, mixed: Mixed
    ) -> np.typing.NDArray[np.float16] | None:
        """Exactly M rows of the width it says, all finite: as float16, so that a number holds one number."""
        width, count = answer.plan.width, len(mixed.pixels)
        if not 1 <= width <= self._widest or len(payload) != 4 * width * count:
            return None
        values = np.frombuffer(payload, np.float32).reshape(count, width)
        with np.errstate(over="ignore"):
            rounded = values.astype(np.float16)
        return rounded if bool(np.isfinite(rounded).all()) else None

    @staticmethod
    def _question(one: _Codes, mixed: Mixed) -> Frame:
        """The codes in an order that only we know: neither place nor number tells which image one is of."""
        turn = one.answer.models[0]
        order = mixed.shuffle(turn)
        header = {
            "kind": "codes",
            "models": one.answer.models,
            "plan": one.answer.plan.model_dump(),
            "width": one.answer.plan.width,
        }
        return Frame(header, mixed.blur(one.values, turn)[order].tobytes())

    @staticmethod
    def _check_images(one: _Codes, payload: bytes, mixed: Mixed) -> np.typing.NDArray[np.float32] | None:
        count, pixels = mixed.pixels.shape
        if len(payload) not in (2 * count * pixels, 4 * count * pixels):
            return None
        outputs = np.frombuffer(payload, np.float16).reshape(-1, count, pixels).astype(np.float32)
        back = np.empty_like(outputs)
        back[:, mixed.shuffle(one.answer.models[0])] = outputs
        return back
