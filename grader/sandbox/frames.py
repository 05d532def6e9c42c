"""The wire: two big-endian 32-bit lengths, a JSON object, raw bytes. Spoken on both sides of the border."""

from __future__ import annotations

import io
import json
import struct
from typing import Any, BinaryIO

from grader.sandbox.jail import Frame

_LENGTHS = struct.Struct(">II")
MAX_HEADER_BYTES = 1 << 20
_MAX_NUMBER_DIGITS = 32


class FrameInvalid(Exception):
    """These bytes are no frame. The reader must stop: what follows cannot be trusted either."""


class FrameTooLarge(FrameInvalid):
    """A frame over its budget."""


def write_frame(stream: BinaryIO, frame: Frame) -> None:
    """Write one frame and flush. ``ValueError`` where the header holds NaN or is no JSON."""
    header = json.dumps(frame.header, allow_nan=False).encode("ascii")
    stream.write(_LENGTHS.pack(len(header), len(frame.payload)) + header)
    stream.write(frame.payload)
    stream.flush()


def read_frame(stream: BinaryIO, max_bytes: int) -> Frame | None:
    """Read one frame; None at a clean end.

    Raises `FrameTooLarge` before anything over ``max_bytes`` (header and payload) is read, and
    `FrameInvalid` for a frame that is cut short or whose header is no JSON object.
    """
    lengths = _read_exactly(stream, _LENGTHS.size)
    if not lengths:
        return None
    if len(lengths) < _LENGTHS.size:
        raise FrameInvalid("the stream ended inside a frame's lengths")
    header_bytes, payload_bytes = _LENGTHS.unpack(lengths)
    if header_bytes > MAX_HEADER_BYTES:
        raise FrameInvalid(f"a header of {header_bytes} bytes")
    if header_bytes + payload_bytes > max_bytes:
        raise FrameTooLarge(f"a frame of {header_bytes} + {payload_bytes} bytes")
    header = _read_exactly(stream, header_bytes)
    payload = _read_exactly(stream, payload_bytes)
    if len(header) < header_bytes or len(payload) < payload_bytes:
        raise FrameInvalid("the stream ended inside a frame")
    return Frame(_parse(header), payload)


def _parse(header: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(header, parse_constant=_refuse_constant, parse_int=_short_integer)
    except (ValueError, RecursionError) as error:
        raise FrameInvalid(f"a header that is no JSON: {error}") from None
    if not isinstance(parsed, dict):
        raise FrameInvalid("a header that is no JSON object")
    return parsed


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _short_integer(digits: str) -> int:
    if len(digits) > _MAX_NUMBER_DIGITS:
        raise ValueError("a number with too many digits")
    return int(digits)


def _read_exactly(stream: BinaryIO, count: int) -> bytes:
    whole = io.BytesIO()  # gives its contents away without a copy, unlike a list that is joined
    while count > 0:
        part = stream.read(min(count, 1 << 20))
        if not part:
            break
        whole.write(part)
        count -= len(part)
    return whole.getvalue()
