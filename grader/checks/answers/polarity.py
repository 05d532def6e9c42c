"""Which way round the words of a sentence are meant: negation, opposites, and of what they are said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from .denial import NOT_DENIED, Denied
from .lexicon import LARGE, POLAR, SMALL, word_set
from .words import Word, groups_of, stem

_FORWARD = word_set(
    """not no never without neither nor hardly unable lack lacks fail fails failed prevent prevents avoid
    avoids stop stops nothing nobody none"""
)
_WHOLE = word_set("impossible useless pointless unnecessary unneeded")  # of their clause
_ENDS = word_set(
    "but so because since while whereas although though and if when which that who as therefore then"
)
_TAKES_AS = word_set("used serve serves act acts such well")  # "never used as" goes on
_MERELY = word_set("just merely simply")
_REACH = 7  # words behind a negation
_LESS_REACH = 2
_NOUN_REACH = 3  # "without a bottleneck", "with no compression": what follows is not denied
_INSTEAD_REACH = 4
_CLAUSE_REACH = 30
_REFUSED = word_set("can could")  # "cannot just copy" is a negation
_INSTEAD = frozenset({("rather", "than"), ("instead", "of")})
_ANYTHING_BUT = ("anything", "but")
_NEGATING = _FORWARD | _WHOLE | word_set("rather instead anything less too out")  # see `_negated_by`
_DEGREES = word_set("so too")
_ENOUGH = word_set("enough sufficient")
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


@dataclass(slots=True)  # as words
class Signed:
    """A word with its sign: -1 where it stands in a negation. ``entity`` is what it is said of."""

    word: Word
    sign: int
    entity: str = ""


def sign_words(words: Sequence[Word], about: str = "", denied: Denied = NOT_DENIED) -> list[Signed]:
    """Every word of one sentence with its sign.

    ``about``: what the sentence before is about. ``denied``: what verdicts deny of it.
    """
    signs = [-1 if at in denied.flips else 1 for at in range(len(words))]
    for at, word in enumerate(words):
        if word.text in _NEGATING and at not in denied.spent:
            for position in _negated_by(words, at, word):
                signs[position] *= -1
    entities = _bind(words, about if words and words[0].text in _REFERS else "")
    return list(map(Signed, words, signs, entities))


def agree(said: Signed, wanted: Signed) -> bool | None:
    """Whether a word is meant as a statement's word is; None where its direction does not matter."""
    direction = _relate(said.word.stem, wanted.word.stem)
    if direction is None:
        return None
    same = said.sign * wanted.sign * direction
    return (same < 0) if contrast(said, wanted) else (same > 0)


def contrast(said: Signed, wanted: Signed) -> bool:
    """Whether two words are said of things of which one is what the other is not."""
    return (said.entity, wanted.entity) in _CONTRASTS


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
        if following in _DEGREES and any(near.text == "that" for near in words[at + 2 : at + 2 + _REACH]):
            return []  # "not so small that it loses everything"
        is_of_noun = word.text == "without" or (word.text == "no" and before in _JOINING)
        found = [] if is_only else _forward(words, at, _NOUN_REACH if is_of_noun else _REACH)
        if following in _ENOUGH:  # "linear is not enough"
            found += [i for i in _clause(words, at) if i < at and not POLAR.isdisjoint(words[i].groups)]
    elif (word.text, following) in _INSTEAD:
        found = _forward(words, at + 1, _INSTEAD_REACH)
    elif (word.text, following) == _ANYTHING_BUT:
        found = _forward(words, at + 1, _REACH)
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
        goes_on = words[position].text == "as" and words[position - 1].text in _TAKES_AS
        if words[position].text in _ENDS and position > at + 1 and not goes_on:
            break
        if words[position].start - words[position - 1].end >= 2 and position > at + 1:
            break  # punctuation
        found.append(position)
    return found


def _clause(words: Sequence[Word], at: int) -> list[int]:
    least, most = max(0, at - _CLAUSE_REACH), min(len(words), at + 1 + _CLAUSE_REACH)
    start = next((i + 1 for i in range(at - 1, least - 1, -1) if words[i].text in _ENDS), least)
    end = next((i for i in range(at + 1, most) if words[i].text in _ENDS), most)
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


def find_sizes(signed: Sequence[Signed]) -> frozenset[tuple[str, int]]:
    """What one sentence calls large (+1) or small (-1), and not both: "a small gap", "the gap is small"."""
    found: set[tuple[str, int]] = set()
    latest = ""  # word of content
    for at, said in enumerate(signed):
        text = said.word.text
        if text in SMALL or text in LARGE:
            following = signed[at + 1].word if at + 1 < len(signed) else said.word
            thing = following.stem if following.is_content and following is not said.word else latest
            found.add((thing, said.sign if text in LARGE else -said.sign))
        elif said.word.is_content:
            latest = said.word.stem
    return frozenset((thing, size) for thing, size in found if (thing, -size) not in found)


def first_entity(signed: Sequence[Signed]) -> str:
    """What a sentence is about: the thing that it names first."""
    return next((said.entity for said in signed if said.entity), "")
