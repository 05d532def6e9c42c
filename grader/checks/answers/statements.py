"""A question's statements and misconceptions taken apart into weighted words, once for all its answers."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from grader.domain.rubric import Concept, Item, Part

from .direction import Law, find_laws
from .lexicon import POLAR
from .parts import split_sentences
from .polarity import Signed, find_sizes, sign_words
from .words import Word, alike_stems, generic_stems, split_words

SCORER = 3  # to be raised with every change of a rule, a weight or a table in this package
_GENERIC_WEIGHT = 0.5
_PROMPT_WEIGHT = 0.5
_NUMBERED = re.compile(r"^\s*\d[.)]\s+(.*)$", re.MULTILINE)
_ASKED = re.compile(r"[^.?!\n]*\?")
_HINT = re.compile(r"^(?:hint|question|note|tip)(?:\s+\d+)?\s*[:–-]\s*", re.IGNORECASE | re.MULTILINE)

Meant = tuple[str, int, str]  # a word's stem, sign and entity: the same says the same in every answer


@dataclass(frozen=True, slots=True)
class Term:
    """A word that is looked for. ``is_key``: without it the sentence may say something else."""

    signed: Signed
    weight: float
    demoted: float  # less where the prompt has the word already
    is_key: bool
    is_given: bool  # an answer under the concept's number need not repeat it
    alike: frozenset[str]  # the stems that stand for it, its own too


@dataclass(frozen=True, slots=True, eq=False)  # two concepts may have the same
class Wanted:
    """A statement or misconception, each of its content words once."""

    text: str
    terms: tuple[Term, ...]
    own: float  # the share of it that the prompt does not have
    reach: frozenset[str]  # the stems of which an answer must have one to come near it at all
    weight: float  # of all its terms
    demoted: float
    keys: float  # the weight of its keys
    opposed: frozenset[tuple[str, int]]  # sizes that say the opposite of its own
    laws: frozenset[Law]  # see `find_laws`
    shorter: Wanted | None = None  # without what need not be repeated under the concept's number


class Place(NamedTuple):
    """Where a term stands: its statement, and its number among all terms of the question."""

    wanted: Wanted
    at: int
    term: Term


@dataclass(frozen=True, slots=True)
class Hit:
    """What a word that stands for a term counts: all of its weight, and how much of it in which sense."""

    wanted: Wanted
    at: int
    is_given: bool
    rank: int  # higher for the better of two words
    got: float
    demoted: float
    own: float  # not in the prompt
    keys: float  # tells a misconception from the statements
    polar: float  # has a direction
    against: float  # has the other direction
    turned: float  # is denied or has the other direction, and not so in the statement
    is_same_thing: bool  # the same way round, of the thing that the statement names


@dataclass(frozen=True, slots=True)
class Sought:
    """A concept as it is looked for."""

    concept: Concept
    statements: tuple[Wanted, ...]
    misconceptions: tuple[Wanted, ...]
    vocabulary: Mapping[str, Sequence[Term]]  # the statements' terms, by each stem that stands for one
    terse: dict[Meant, tuple[float, float, float]]  # see `rate_terse`; filled as words come


@dataclass(frozen=True, slots=True)
class Question:
    """All that is known of a question beside the answer."""

    concepts: tuple[Sought, ...]
    prompt: tuple[str, ...]  # its sentences, sub-questions and options
    allowed: tuple[
        str, ...
    ]  # what is no copy in the prompt's words either: what is asked, and what is wanted
    prompt_stems: frozenset[str]
    known_stems: frozenset[str]  # of prompt, statements and misconceptions
    parts: int  # sub-questions
    sha256: str  # of all that decides how near an answer comes to it; points are not in it
    places: Mapping[str, Sequence[Place]]  # by each stem that stands for the term there
    hits: dict[Meant, tuple[Hit, ...]]  # see `hear`; filled as words come


def read_question(item: Item, part: Part) -> Question:
    """The question of an item."""
    return _read(item.concepts, part.prompt, tuple(part.options.values()))


@lru_cache(maxsize=256)
def _read(concepts: tuple[Concept, ...], prompt: str, options: tuple[str, ...]) -> Question:
    prompt = _HINT.sub("", prompt)
    asked = [match[1] for match in _NUMBERED.finditer(prompt)] or _ASKED.findall(prompt)
    sentences = [prompt[piece.start : piece.end] for piece in split_sentences(prompt)]
    lines = [line for line in prompt.splitlines() if line.strip()]
    stems = _stems([prompt])
    parts = [_stems([text]) for text in asked]
    spread = Counter(stem for concept in concepts for stem in _stems(concept.statements))
    sought = tuple(_seek(concept, stems, parts, spread) for concept in concepts)
    said = [text for concept in concepts for text in (*concept.statements, *concept.misconceptions)]
    texts = [(c.id, c.subquestion, c.statements, c.misconceptions) for c in concepts]
    identity = repr((SCORER, texts, prompt, options)).encode("utf-8", "replace")
    return Question(
        sought,
        tuple(dict.fromkeys([*sentences, *lines, *asked, *options])),
        (*asked, *(text for concept in concepts for text in concept.statements)),
        stems,
        stems | _stems(said),
        len(asked),
        hashlib.sha256(identity).hexdigest(),
        places=_place(wanted for s in sought for wanted in (*s.statements, *s.misconceptions)),
        hits={},
    )


def _seek(
    concept: Concept, prompt: frozenset[str], parts: list[frozenset[str]], spread: Counter[str]
) -> Sought:
    at = (concept.subquestion or 0) - 1
    given = parts[at] if 0 <= at < len(parts) else frozenset[str]()
    plain = [sign_words(split_words(text)) for text in concept.statements]
    stated = frozenset(
        sense for words in plain for signed in words for sense in _senses(signed) | {(signed.word.stem, 0)}
    )
    statements = tuple(_take_apart(text, prompt, given, spread, frozenset()) for text in concept.statements)
    misconceptions = tuple(
        _take_apart(text, prompt, given, spread, stated) for text in concept.misconceptions
    )
    vocabulary: dict[str, list[Term]] = {}
    for term in (term for wanted in statements for term in wanted.terms):
        for alike in term.alike:
            vocabulary.setdefault(alike, []).append(term)
    return Sought(concept, statements, misconceptions, vocabulary, terse={})


def _place(texts: Iterable[Wanted]) -> dict[str, list[Place]]:
    found: dict[str, list[Place]] = {}
    for at, (wanted, term) in enumerate((text, term) for text in texts for term in text.terms):
        for alike in term.alike:
            found.setdefault(alike, []).append(Place(wanted, at, term))
    return found


def _take_apart(
    text: str,
    prompt: frozenset[str],
    given: frozenset[str],
    spread: Counter[str],
    stated: frozenset[tuple[str, int]],
) -> Wanted:
    """The terms of one statement. Key are those that the concept's statements do not have this way round."""
    terms: dict[str, Term] = {}
    own = total = 0.0
    words = sign_words(split_words(text))
    for signed in words:
        stem = signed.word.stem
        if signed.word.is_content and stem not in terms:
            weight = weigh(signed.word) / max(1.0, spread[stem] ** 0.5)
            demoted = weight * (_PROMPT_WEIGHT if stem in prompt else 1.0)
            is_key = stated.isdisjoint(_senses(signed))
            own += weight * (stem not in prompt)
            total += weight
            terms[stem] = Term(signed, weight, demoted, is_key, stem in given, alike_stems(stem))
    sought = tuple(terms.values())
    share = own / total if total else 0.0
    needed = tuple(term for term in sought if not term.is_given)
    opposed = frozenset((thing, -size) for thing, size in find_sizes(words))
    laws = find_laws(words)
    shorter = None if needed == sought else _want(text, needed, share, opposed, laws)
    return replace(_want(text, sought, share, opposed, laws), shorter=shorter)


def _want(
    text: str, terms: tuple[Term, ...], own: float, opposed: frozenset[tuple[str, int]], laws: frozenset[Law]
) -> Wanted:
    return Wanted(
        text,
        terms,
        own,
        reach=frozenset[str]().union(*(term.alike for term in terms)),
        weight=sum(term.weight for term in terms),
        demoted=sum(term.demoted for term in terms),
        keys=sum(term.weight for term in terms if term.is_key),
        opposed=opposed,
        laws=laws,
    )


def _stems(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(word.stem for text in texts for word in split_words(text) if word.is_content)


def weigh(word: Word, prompt: Collection[str] = ()) -> float:
    """What a word counts: less where it is in every answer, or in the prompt."""
    if word.stem in generic_stems():
        return _GENERIC_WEIGHT
    return _PROMPT_WEIGHT if word.stem in prompt else 1.0


def _senses(signed: Signed) -> set[tuple[str, int]]:
    """A word's stem and groups, with their direction where it matters."""
    groups = signed.word.groups
    if signed.sign > 0 and POLAR.isdisjoint(groups):
        return {(sense, 0) for sense in (signed.word.stem, *groups)}
    return {(signed.word.stem, signed.sign)} | {(group, signed.sign * sign) for group, sign in groups.items()}
