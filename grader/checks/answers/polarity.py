"""Which way round the words of a sentence are meant: negation, opposites, and of what they are said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from .lexicon import POLAR, word_set
from .words import Word, groups_of, stem

_FORWARD = word_set(
    """not no never without neither nor hardly unable lack lacks fail fails failed prevent prevents avoid
    avoids stop stops nothing nobody none"""
)
_WHOLE = word_set("impossible useless pointless unnecessary unneeded")  # of their clause
_ENDS = word_set(
    "but so because since while whereas although though and if when which that who as therefore then"
)
_MERELY = word_set("just merely simply")
_REACH = 7  # words behind a negation
_LESS_REACH = 2
_NOUN_REACH = 3  # "without a bottleneck", "with no compression": what follows is not denied
_INSTEAD_REACH = 4
_REFUSED = word_set("can could")  # "cannot just copy" is a negation
_INSTEAD = frozenset({("rather", "than"), ("instead", "of")})
_RULED = word_set("is are ruled")
_JOINING = word_set("with and but by")

# What is contrasted in such a course: what is said of one, the other is not.
_ENTITIES = {
    "pca": "pca", "svd": "pca", "eigenvectors": "pca", "neural": "ae",
    "autoencoder": "ae", "autoencoders": "ae", "ae": "ae", "aes": "ae",
    "vae": "vae", "vaes": "vae", "variational": "vae",
    "standard": "ae", "plain": "ae", "ordinary": "ae", "vanilla": "ae", "normal": "ae", "regular": "ae",
    "pixel": "pixel", "pixels": "pixel", "raw": "pixel",
    "latent": "latent", "embedding": "latent", "embeddings": "latent",
}  # fmt: skip
_ASIDE = word_set("than of to from over like unlike as")  # "faster than PCA" says nothing of PCA
_ADJECTIVES = frozenset({"variational", "denoising"})
_REFERS = word_set("it they this these its their")  # to what the sentence before is about
_PAIRS = (("ae", "pca"), ("ae", "vae"), ("latent", "pixel"))
_CONTRASTS = frozenset(_PAIRS) | frozenset((b, a) for a, b in _PAIRS)


@dataclass(frozen=True, slots=True)
class Signed:
    """A word with its sign: -1 where it stands in a negation. ``entity`` is what it is said of."""

    word: Word
    sign: int
    entity: str = ""


def sign_words(words: Sequence[Word], about: str = "") -> list[Signed]:
    """Every word of one sentence with its sign. ``about``: what the sentence before is about."""
    signs = [1] * len(words)
    for at, word in enumerate(words):
        for position in _negated_by(words, at, word):
            signs[position] *= -1
    entities = _bind(words, about if words and words[0].text in _REFERS else "")
    return [Signed(w, s, e) for w, s, e in zip(words, signs, entities, strict=True)]


def agree(said: Signed, wanted: Signed) -> bool | None:
    """Whether a word is meant as a statement's word is; None where its direction does not matter."""
    direction = _relate(said.word.stem, wanted.word.stem)
    if direction is None:
        return None
    same = said.sign * wanted.sign * direction
    return (same < 0) if (said.entity, wanted.entity) in _CONTRASTS else (same > 0)


@lru_cache(maxsize=100_000)
def _relate(said: str, wanted: str) -> int | None:
    """+1 where two stems mean the same, -1 where the opposite; None where direction does not matter."""
    here, there = groups_of(said), groups_of(wanted)
    if said == wanted:
        return 1 if here.keys() & POLAR or said in _polar_stems() else None
    shared = min(here.keys() & there.keys(), key=lambda group: (group not in POLAR, group), default=None)
    if shared is None or (shared not in POLAR and here[shared] == there[shared]):
        return None
    return here[shared] * there[shared]


@cache
def _polar_stems() -> frozenset[str]:
    return frozenset(stem(word) for word in POLAR)


def _negated_by(words: Sequence[Word], at: int, word: Word) -> list[int]:
    """The positions that a word turns round."""
    following = words[at + 1].text if at + 1 < len(words) else ""
    before = words[at - 1].text if at else ""
    found: list[int] = []
    if word.text in _FORWARD:
        is_only = following == "only" or (following in _MERELY and before not in _REFUSED)  # "but also"
        is_of_noun = word.text == "without" or (word.text == "no" and before in _JOINING)
        found = [] if is_only else _forward(words, at, _NOUN_REACH if is_of_noun else _REACH)
    elif (word.text, following) in _INSTEAD:
        found = _forward(words, at + 1, _INSTEAD_REACH)
    elif word.text == "less" and following != "than":
        found = _forward(words, at, _LESS_REACH)
    elif word.text == "too":
        to = next((i for i in range(at + 2, min(at + 5, len(words))) if words[i].text == "to"), None)
        found = [] if to is None else _forward(words, to, _REACH)  # "too small to store all"
    elif word.text in _WHOLE or (word.text == "out" and before in _RULED):
        found = [position for position in _clause(words, at) if position != at]
    return found


def _forward(words: Sequence[Word], at: int, reach: int) -> list[int]:
    found = []
    for position in range(at + 1, min(at + 1 + reach, len(words))):
        if words[position].text in _ENDS and position > at + 1:
            break
        if words[position].start - words[position - 1].end >= 2 and position > at + 1:
            break  # punctuation
        found.append(position)
    return found


def _clause(words: Sequence[Word], at: int) -> list[int]:
    start = next((i + 1 for i in range(at - 1, -1, -1) if words[i].text in _ENDS), 0)
    end = next((i for i in range(at + 1, len(words)) if words[i].text in _ENDS), len(words))
    return list(range(start, end))


def _bind(words: Sequence[Word], current: str) -> list[str]:
    """What each word is said of: the last thing named before it, or else the first named behind it."""
    found: list[str] = []
    for at, word in enumerate(words):
        entity = _ENTITIES.get(word.text, "")
        before = words[at - 1].text if at else ""
        if entity and before not in _ASIDE and not (entity == "ae" and before in _ADJECTIVES):
            current = entity
        found.append(current)
    first = next((entity for entity in found if entity), "")
    return [entity or first for entity in found]


def first_entity(signed: Sequence[Signed]) -> str:
    """What a sentence is about: the thing that it names first."""
    return next((said.entity for said in signed if said.entity), "")
