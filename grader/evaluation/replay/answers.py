"""What the replaying jails may answer. Student code runs in them, so all of it is testimony."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

_Small = Annotated[int, Field(ge=0, le=63)]
_Models = Annotated[list[Annotated[int, Field(ge=0, le=999)]], Field(min_length=1, max_length=2)]
_Reason = Annotated[str, Field(max_length=400)]


class _Answer(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class PlanTold(_Answer):
    """How the decoding jail is to run a model: a few small numbers, too few to carry images."""

    candidates: Annotated[list[_Small], Field(min_length=1, max_length=2)]
    route: _Small
    layout: Annotated[int, Field(ge=0, le=3)]
    scaling: Literal["[0, 1]", "[-1, 1]", "normalised", "[0, 255]"]
    operation: Annotated[int, Field(ge=0, le=20_000)]
    shape: Annotated[list[Annotated[int, Field(ge=1, le=4096)]], Field(max_length=4)]

    @property
    def width(self) -> int:
        """Numbers per image."""
        return math.prod(self.shape)


class Ready(_Answer):
    """All questions were read; from here on student code runs."""

    kind: Literal["ready"]


class Encoded(_Answer):
    """Codes of all images, in the payload."""

    kind: Literal["encoded"]
    models: _Models
    plan: PlanTold
    whole_mse: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]  # without a cut, as the jail claims
    certain: bool


class Decoded(_Answer):
    """Images of all codes, in the payload."""

    kind: Literal["decoded"]
    models: _Models


class Failed(_Answer):
    """It could not be done."""

    kind: Literal["failed"]
    models: _Models
    reason: _Reason


Answer = Ready | Encoded | Decoded | Failed
ANSWER: TypeAdapter[Answer] = TypeAdapter(Annotated[Answer, Field(discriminator="kind")])
