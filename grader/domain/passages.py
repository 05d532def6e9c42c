"""What two notebooks have in common that is rare in their class: passages as hashes, compared."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice


class Kind(StrEnum):
    """In what two submissions are alike."""

    TEXT = "text"
    CODE = "code"
    WEIGHTS = "weights"


LEAST_PASSAGES = 6  # fewer in common may be chance
MOST_RARE = 8  # students with the same passage, in classes of ten times as many and more
LEAST_SHARE = 0.6  # of what is rare in either
_LENGTH = {Kind.TEXT: 4, Kind.CODE: 8}  # words, or signs of code
_MOST = 48  # passages kept of one submission and kind: those with the least hashes
_WORDS = re.compile(r"\w+")
_COMMENT = re.compile(r"#[^\n]*")
_SIGNS = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much two submissions have in common of what is rare."""

    share: float  # 0..1
    passages: int


def cut(kind: Kind, texts: Iterable[str]) -> set[str]:
    """Every four words in a row, whatever their case; of code every eight signs, comments aside."""
    return {passage for text in texts for passage, _, _ in _passages(kind, text)}


def find_spans(kind: Kind, text: str, wanted: Collection[str]) -> list[tuple[int, int]]:
    """Where these passages stand in the text: start and end, in order, none touching another."""
    spans: list[tuple[int, int]] = []
    for passage, start, end in _passages(kind, text):
        if passage not in wanted:
            continue
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


def sketch(passages: Iterable[str], place: str) -> frozenset[int]:
    """A fair sample of passages as hashes of 63 bits: the least ones. ``place`` keeps classes apart."""
    return frozenset(islice(sorted({_hash(place, passage) for passage in passages}), _MOST))


def usual_above(students: int) -> int:
    """What more students than this share is the class's own: a lecture's loop, a phrase of everybody's."""
    return max(2, min(MOST_RARE, students // 10))


def compare(one: Collection[int], other: Collection[int], rare: Collection[int]) -> Likeness:
    """The share of rare passages that both have, by the least hashes of the two together."""
    both = sorted({*one, *other})[: max(len(one), len(other))]
    seen = [passage for passage in both if passage in rare]
    shared = sum(passage in one and passage in other for passage in seen)
    return Likeness(shared / len(seen) if seen else 0.0, shared)


def _passages(kind: Kind, text: str) -> Iterator[tuple[str, int, int]]:
    if kind is Kind.CODE:
        text = _COMMENT.sub(lambda comment: " " * len(comment[0]), text)
    words = list((_SIGNS if kind is Kind.CODE else _WORDS).finditer(text))
    length = _LENGTH[kind]
    for start in range(len(words) - length + 1):
        some = words[start : start + length]
        passage = " ".join(word[0] if kind is Kind.CODE else word[0].casefold() for word in some)
        yield passage, some[0].start(), some[-1].end()


def _hash(place: str, passage: str) -> int:
    digest = hashlib.blake2b(f"{place}\0{passage}".encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
