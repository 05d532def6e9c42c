"""What two notebooks have in common that is rare in their class: passages as hashes, compared."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice


class Kind(StrEnum):
    """In what two submissions are alike."""

    TEXT = "text"
    CODE = "code"
    WEIGHTS = "weights"


LEAST_PASSAGES = 6  # fewer in common may be chance
LEAST_SHARE = 0.6  # of what is rare in either
_LENGTH = {Kind.TEXT: 4, Kind.CODE: 8}  # words, or signs of code
_MOST = 48  # passages kept of one submission and kind: those with the least hashes
_WORDS = re.compile(r"\w+")
_SIGNS = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much two submissions have in common of what is rare."""

    share: float  # 0..1
    passages: int


def cut_text(texts: Iterable[str]) -> set[str]:
    """Every four words in a row, whatever their case."""
    return {gram for text in texts for gram in _grams(_WORDS.findall(text.casefold()), _LENGTH[Kind.TEXT])}


def cut_code(cells: Iterable[str]) -> set[str]:
    """Every eight signs in a row of each cell: comments and layout aside, names as they were written."""
    grams: set[str] = set()
    for cell in cells:
        code = "\n".join(line.split("#", 1)[0] for line in cell.splitlines())
        grams.update(_grams(_SIGNS.findall(code), _LENGTH[Kind.CODE]))
    return grams


def sketch(passages: Iterable[str], place: str) -> frozenset[int]:
    """A fair sample of passages as hashes of 63 bits: the least ones. ``place`` keeps classes apart."""
    return frozenset(islice(sorted({_hash(place, passage) for passage in passages}), _MOST))


def usual_above(students: int) -> int:
    """What more students than this share is the class's own: a lecture's loop, a phrase of everybody's."""
    return max(2, min(8, students // 10))


def compare(one: Collection[int], other: Collection[int], rare: Collection[int]) -> Likeness:
    """The share of rare passages that both have, by the least hashes of the two together."""
    both = sorted({*one, *other})[: max(len(one), len(other))]
    seen = [passage for passage in both if passage in rare]
    shared = sum(passage in one and passage in other for passage in seen)
    return Likeness(shared / len(seen) if seen else 0.0, shared)


def _grams(words: list[str], length: int) -> Iterable[str]:
    return (" ".join(words[start : start + length]) for start in range(len(words) - length + 1))


def _hash(place: str, passage: str) -> int:
    digest = hashlib.blake2b(f"{place}\0{passage}".encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
