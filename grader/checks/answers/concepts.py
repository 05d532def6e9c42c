"""How near an answer comes to a concept's statements and misconceptions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from .parts import Piece
from .polarity import Signed, agree
from .statements import Question, Sought, Term, Wanted, weigh
from .words import Word

_UNDEMOTED = 0.9
_SYNONYM = 0.9
_TERSE_WORDS = 7  # content words of a piece that may say a statement with few of its words
_TERSE_WEIGHT = 1.5  # of matching words that such a piece needs
_FREE_TERSE_WEIGHT = 2.0  # where no number says what it answers
_FREE_TERSE = 0.6  # of it where no number says what it answers
_GUESSED_TERSE = 0.9  # where the number is only guessed
_OTHER_PART = 0.6  # of what stands under another sub-question's number
_PROMPT_ONLY = 0.5  # of what is said in the prompt's words alone
_OWN_ENOUGH = 0.25
_OWN_STATEMENT = 0.4
_PROMPT_STATEMENT = 0.85
_CONFLICT = 0.6
_KEYS = 0.6
_SHARED = 0.7
_SHARED_WEIGHT = 0.65


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence, a clause or two neighbouring sentences. ``weight`` is less where it is less certain."""

    piece: Piece
    signed: tuple[Signed, ...]
    weight: float = 1.0
    is_pair: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """How near a unit comes to a statement, 0..1; `conflict` is the share that is said the other way."""

    nearness: float
    conflict: float = 0.0
    keys: float = 0.0  # of the words that tell a misconception from the statements
    own: float = 0.0  # of what matched, not in the prompt
    statement: str = ""
    piece: Piece | None = None
    places: frozenset[int] = frozenset()  # where the matching words stand


NOTHING = Match(0.0)


def find_stated(sought: Sought, units: Iterable[Unit], question: Question) -> tuple[Match, Match]:
    """The nearest match with a statement that stands, and the nearest that says the opposite."""
    stands = opposite = NOTHING
    vocabulary = [term for wanted in sought.statements for term in wanted.terms]
    for unit in units:
        is_own = unit.piece.part is not None and unit.piece.part == sought.concept.subquestion
        weight = unit.weight * _place_weight(unit.piece, is_own=is_own)
        for wanted in sought.statements:
            match = _compare(unit, wanted, question, shortened=False)
            if is_own:
                match = max(match, _compare(unit, wanted, question, shortened=True), key=_nearness)
            terse = _terse_share(unit.piece, is_own=is_own) * _terseness(
                unit, vocabulary, match, question, _TERSE_WEIGHT if is_own else _FREE_TERSE_WEIGHT
            )
            own = _own_weight(match, wanted)
            is_numbered = is_own and unit.piece.is_sure
            nearness = max(match.nearness * own, terse * (1.0 if is_numbered else own)) * weight
            match = replace(match, nearness=nearness)
            if match.conflict >= _CONFLICT:
                opposite = max(opposite, match, key=_nearness)
            else:
                stands = max(stands, match, key=_nearness)
    return stands, opposite


def find_misconception(sought: Sought, units: Iterable[Unit], question: Question) -> Match:
    """The nearest misconception whose telling words are all there, the same way round."""
    nearest = NOTHING
    for unit in units:
        if unit.is_pair:
            continue  # two sentences together deny or affirm too much
        is_own = unit.piece.part is not None and unit.piece.part == sought.concept.subquestion
        weight = unit.weight * _place_weight(unit.piece, is_own=is_own)
        for wanted in sought.misconceptions:
            match = _compare(unit, wanted, question, shortened=False)
            if match.conflict < _CONFLICT and match.keys >= _KEYS:
                match = replace(match, nearness=min(match.nearness, match.keys) * weight)
                nearest = max(nearest, match, key=_nearness)
    return nearest


def _nearness(match: Match) -> float:
    return match.nearness


def _place_weight(piece: Piece, *, is_own: bool) -> float:
    return _OTHER_PART if piece.part is not None and piece.is_sure and not is_own else 1.0


def _terse_share(piece: Piece, *, is_own: bool) -> float:
    if not is_own:
        return _FREE_TERSE
    return 1.0 if piece.is_sure else _GUESSED_TERSE


def _own_weight(match: Match, wanted: Wanted) -> float:
    """Less for what is said in the prompt's words alone, unless the statement has hardly any others."""
    least = _PROMPT_ONLY if wanted.own >= _OWN_STATEMENT else _PROMPT_STATEMENT
    return least + (1 - least) * min(1.0, match.own / _OWN_ENOUGH)


def _compare(unit: Unit, wanted: Wanted, question: Question, *, shortened: bool) -> Match:
    """How much of a statement a unit says; `shortened`: without what its sub-question gives."""
    total = demoted_total = got = got_demoted = polar = against = own = keys = keys_total = 0.0
    same_thing = False
    places: set[int] = set()
    for term in wanted.terms:
        if shortened and term.is_given:
            continue
        total += term.weight
        demoted_total += term.demoted
        keys_total += term.weight * term.is_key
        found = _find(unit.signed, term)
        if found is None:
            continue
        share, agreement, said = found
        word = said.word
        places.add(word.start)
        got += share * term.weight
        got_demoted += share * term.demoted
        own += share * term.weight * (word.stem not in question.prompt_stems)
        keys += share * term.weight * term.is_key * (agreement is not False)
        same_thing |= bool(agreement) and said.entity == term.signed.entity != ""
        if agreement is not None:
            polar += share * term.weight
            against += share * term.weight * (not agreement)
    if not got:
        return NOTHING
    return Match(
        nearness=max(got_demoted / demoted_total, _UNDEMOTED * got / total),
        conflict=against / polar if polar else 0.0,
        # A misconception in the statements' own words is one only of the other thing: "PCA is nonlinear".
        keys=keys / keys_total if keys_total else float(same_thing),
        own=own / got,
        statement=wanted.text,
        piece=unit.piece,
        places=frozenset(places),
    )


def _find(signed: Sequence[Signed], term: Term) -> tuple[float, bool | None, Signed] | None:
    """The best word for a term: the same stem, or one of the same group."""
    target = term.signed
    wanted = target.word.groups
    best: tuple[float, bool | None, Signed] | None = None
    for said in signed:
        if said.word.stem == target.word.stem:
            share = 1.0
        elif wanted and not wanted.keys().isdisjoint(said.word.groups):
            share = _SYNONYM
        else:
            continue
        agreement = agree(said, target)
        if agreement is None and target.sign < 0 and term.is_key:
            agreement = said.sign < 0  # a misconception that denies something
        if best is None or (share, agreement is not False) > (best[0], best[1] is not False):
            best = (share, agreement, said)
    return best


def _terseness(
    unit: Unit, vocabulary: Sequence[Term], match: Match, question: Question, needed: float
) -> float:
    """How much of a short piece is in the concept's own words; 0 for a long one, or one that denies them."""
    said = [signed for signed in unit.signed if signed.word.is_content]
    if not match.nearness or not 0 < len(said) <= _TERSE_WORDS:
        return 0.0
    total = got = against = 0.0
    for signed in said:
        word = signed.word
        total += weigh(word, question.prompt_stems)
        hits = [term for term in vocabulary if _matches(word, term.signed.word)]
        if not hits:
            continue
        weight = min(weigh(word, question.prompt_stems), max(term.weight for term in hits))
        if all(agree(signed, term.signed) is False for term in hits):
            against += weight
        else:
            got += weight
    return max(0.0, got - against) / total * min(1.0, got / needed)


def _matches(word: Word, other: Word) -> bool:
    return word.stem == other.stem or not other.groups.keys().isdisjoint(word.groups)


def part_shared(matches: Sequence[Match]) -> list[Match]:
    """The same words earn once: what matches by words that another concept has more of, counts less."""
    found = list(matches)
    for at, match in enumerate(matches):
        for before, other in enumerate(matches):
            shared = len(match.places & other.places)
            is_nearer = (other.nearness, at) > (match.nearness, before)
            if before != at and is_nearer and shared and shared >= _SHARED * len(match.places):
                found[at] = replace(match, nearness=match.nearness * _SHARED_WEIGHT)
                break
    return found
