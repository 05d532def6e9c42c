"""What the measuring child may answer; anything else is refused."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

_Number = Annotated[float, Field(allow_inf_nan=False)]
_Convention = Literal["[0, 1]", "[-1, 1]", "normalised", "[0, 255]"]


class _Answer(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Ready(_Answer):
    """The agreed architecture and the images are loaded."""

    kind: Literal["ready"]
    images: int


class Broken(_Answer):
    """``model.py`` itself fails."""

    kind: Literal["broken"]
    reason: Annotated[str, Field(max_length=400)]


class _Model(_Answer):
    index: int
    fingerprint: Annotated[str, Field(max_length=64)] = ""  # see `child_marks.Mark`
    sketch: Annotated[tuple[_Number, ...], Field(max_length=256, strict=False)] = ()
    holds_images: Annotated[int, Field(ge=0)] = 0  # images that stand in its weights


class Measured(_Model):
    """One model's reconstruction error; the payload has each image's error, then the samples."""

    kind: Literal["measured"]
    latent_dim: Annotated[int, Field(ge=1, le=1 << 16)]
    mse: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
    input_convention: _Convention
    output_convention: _Convention
    certain: bool
    finite: bool


class Unmeasured(_Model):
    """One model that is not of the agreed architecture, or whose weights cannot be read."""

    kind: Literal["unmeasured"]
    reason: Annotated[str, Field(max_length=500)]
    latent_dim: Annotated[int, Field(ge=0)] | None


Answer = Ready | Broken | Measured | Unmeasured
ANSWER: TypeAdapter[Answer] = TypeAdapter(Annotated[Answer, Field(discriminator="kind")])
