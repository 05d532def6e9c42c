"""How near an answer comes to a concept's statements and misconceptions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from .parts import Piece
from .polarity import Signed, agree, contrast
from .statements import Question, Sought, Term, Wanted
from .terse import rate_terse
from .units import Unit

_UNDEMOTED = 0.9  # of a match without regard to the prompt
_SYNONYM = 0.9  # of the word itself
_OTHER_PART = 0.6  # of what stands under another sub-question's number
_PROMPT_ONLY = 0.5  # of what is said in the prompt's words alone
_OWN_ENOUGH = 0.25  # of what matches is the student's own, not the prompt's
_OWN_STATEMENT = 0.4  # a statement with less of its own can hardly be said in other words
_PROMPT_STATEMENT = 0.85
_CONFLICT = 0.6  # of the words with a direction, from which a statement is denied
_KEYS = 0.6  # of the telling words of a misconception
_SHARED = 0.7  # of a match's words, from which it rests on another concept's words
_SHARED_WEIGHT = 0.65


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
    turned: float = (
        0.0  # of what matched, denied or beside a word that may turn it, and not so in the statement
    )


NOTHING = Match(0.0)


@dataclass(frozen=True, slots=True)
class Found:
    """All that an answer says of one concept."""

    stated: Match  # the nearest statement that stands
    opposite: Match  # the nearest that is said the other way round
    misconception: Match  # the nearest whose telling words are all there


def find_all(question: Question, units: Sequence[Unit]) -> list[Found]:
    """What the units say of every concept of the question, in its order."""
    nearest = [_find_stated(sought, units, question) for sought in question.concepts]
    stated = _part_shared([stands for stands, _ in nearest])
    return [
        Found(stands, opposite, _find_misconception(sought, units, question))
        for sought, stands, (_, opposite) in zip(question.concepts, stated, nearest, strict=True)
    ]


def _find_stated(sought: Sought, units: Iterable[Unit], question: Question) -> tuple[Match, Match]:
    """The nearest match with a statement that stands, and the nearest that says the opposite."""
    stands = opposite = NOTHING
    for unit in units:
        is_own = unit.answers(sought.concept)
        rating: float | None = None  # the same for all statements
        for wanted in sought.statements:
            match = _compare(unit, wanted, question)
            if is_own and wanted.shorter:
                match = max(match, _compare(unit, wanted.shorter, question), key=_nearness)
            if not match.nearness:
                continue
            own = _own_weight(match, wanted)
            if rating is None:
                rating = rate_terse(unit, sought.vocabulary, question, is_own=is_own)
            terse = rating * (1.0 if is_own and unit.piece.is_sure else own)
            nearness = max(match.nearness * own, terse) * _place_weight(unit, is_own=is_own)
            if match.conflict < _CONFLICT:
                if nearness > stands.nearness:
                    stands = replace(match, nearness=nearness)
            elif nearness > opposite.nearness and not unit.is_pair:  # a pair denies or affirms too much
                opposite = replace(match, nearness=nearness)
    return stands, opposite


def _find_misconception(sought: Sought, units: Iterable[Unit], question: Question) -> Match:
    """The nearest misconception whose telling words are all there, the same way round."""
    nearest = NOTHING
    for unit in units:
        if unit.is_pair:
            continue
        weight = _place_weight(unit, is_own=unit.answers(sought.concept))
        for wanted in sought.misconceptions:
            match = _compare(unit, wanted, question)
            nearness = min(match.nearness, match.keys) * weight
            if match.conflict < _CONFLICT and match.keys >= _KEYS and nearness > nearest.nearness:
                nearest = replace(match, nearness=nearness)
    return nearest


def _nearness(match: Match) -> float:
    return match.nearness


def _place_weight(unit: Unit, *, is_own: bool) -> float:
    elsewhere = unit.piece.part is not None and unit.piece.is_sure and not is_own
    return unit.weight * (_OTHER_PART if elsewhere else 1.0)


def _own_weight(match: Match, wanted: Wanted) -> float:
    """Less for what is said in the prompt's words alone, unless the statement has hardly any others."""
    least = _PROMPT_ONLY if wanted.own >= _OWN_STATEMENT else _PROMPT_STATEMENT
    return least + (1 - least) * min(1.0, match.own / _OWN_ENOUGH)


def _compare(unit: Unit, wanted: Wanted, question: Question) -> Match:
    """How much of a statement a unit says."""
    if wanted.reach.isdisjoint(unit.stems):
        return NOTHING
    got = got_demoted = polar = against = turned = own = keys = 0.0
    same_thing = False
    places: set[int] = set()
    for term in wanted.terms:
        if term.alike.isdisjoint(unit.stems):
            continue
        share, agreement, said = _find(unit, term)
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
            turned += share * term.weight * (not agreement)
        elif said.sign != term.signed.sign and not contrast(said, term.signed):
            turned += share * term.weight
    if not got:
        return NOTHING
    return Match(
        nearness=max(got_demoted / wanted.demoted, _UNDEMOTED * got / wanted.weight),
        conflict=max(against / polar if polar else 0.0, turned / got),
        # A misconception in the statements' own words is one only of the other thing: "PCA is nonlinear".
        keys=keys / wanted.keys if wanted.keys else float(same_thing),
        own=own / got,
        statement=wanted.text,
        piece=unit.piece,
        places=frozenset(places),
        turned=1.0 if _may_turn(unit, wanted) else turned / got,
    )


def _may_turn(unit: Unit, wanted: Wanted) -> bool:
    """Whether words beside those that match may turn them round, and are not the statement's own."""
    return not (unit.turning <= wanted.reach and wanted.opposed.isdisjoint(unit.sizes))


def _find(unit: Unit, term: Term) -> tuple[float, bool | None, Signed]:
    """The best of the words that stand for a term: the same stem rather than one of the same group.

    Of several the first that is meant the same way, or else the first.
    """
    target = term.signed
    is_same = target.word.stem in unit.stems
    sought = (target.word.stem,) if is_same else term.alike
    best: tuple[float, bool | None, Signed] | None = None
    for said in unit.signed:
        if said.word.stem not in sought:
            continue
        agreement = agree(said, target)
        if agreement is None and target.sign < 0 and term.is_key:
            agreement = said.sign < 0  # a misconception that denies something
        if best is None or agreement is not False:
            best = (1.0 if is_same else _SYNONYM, agreement, said)
        if agreement is not False:
            break
    assert best is not None  # or the term's stems would not be among the unit's
    return best


def _part_shared(matches: Sequence[Match]) -> list[Match]:
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
