"""How near an answer comes to a concept's statements and misconceptions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .direction import oppose
from .hearing import Heard, hear
from .parts import Piece
from .statements import Question, Sought, Wanted
from .terse import rate_terse
from .units import Unit

_UNDEMOTED = 0.9  # of a match without regard to the prompt
_OTHER_PART = 0.6  # of what stands under another sub-question's number
_PROMPT_ONLY = 0.4  # of what is said in the prompt's words alone
_OWN_ENOUGH = 0.25  # of what matches is the student's own, not the prompt's
_OWN_STATEMENT = 0.4  # a statement with less of its own can hardly be said in other words
_PROMPT_STATEMENT = 0.85
_CONFLICT = 0.6  # of the words with a direction, from which a statement is denied
_KEYS = 0.5  # of the telling words of a misconception
_SHARED = 0.5  # of a match's words, from which it rests on another concept's words
_SHARED_WEIGHT = 0.65


class Match(NamedTuple):
    """How near a unit comes to a statement, 0..1; `conflict` is the share that is said the other way."""

    nearness: float
    conflict: float = 0.0
    own: float = 0.0  # of what matched, not in the prompt
    denied: float = 0.0  # of what matched, and not so in the statement
    wanted: Wanted | None = None
    unit: Unit | None = None
    heard: Sequence[Heard] = ()  # the matching words

    @property
    def statement(self) -> str:
        """The statement that was found."""
        return self.wanted.text if self.wanted else ""

    @property
    def piece(self) -> Piece | None:
        """Where it was found."""
        return self.unit.piece if self.unit else None

    @property
    def turned(self) -> float:
        """What is denied; all of it beside words that may turn it round and are not the statement's own."""
        unit, wanted = self.unit, self.wanted
        if unit is None or wanted is None:
            return 0.0
        is_as_stated = unit.turning <= wanted.reach and wanted.opposed.isdisjoint(unit.sizes)
        return self.denied if is_as_stated else 1.0


NOTHING = Match(0.0)
Told = tuple[Unit, Mapping[Wanted, Sequence[Heard]]]


@dataclass(frozen=True, slots=True)
class Found:
    """All that an answer says of one concept."""

    stated: Match = NOTHING  # the nearest statement that stands
    opposite: Match = NOTHING  # the nearest that is said the other way round
    misconception: Match = NOTHING  # the nearest whose telling words are all there


def find_all(question: Question, units: Sequence[Unit]) -> list[Found]:
    """What the units say of every concept of the question, in its order."""
    heard = [(unit, hear(question, unit)) for unit in units]
    told = [(unit, words) for unit, words in heard if words]
    if not told:
        return [Found()] * len(question.concepts)
    nearest = [_find_stated(sought, told, question) for sought in question.concepts]
    stated = _part_shared([stands for stands, _ in nearest])
    return [
        Found(stands, opposite, _find_misconception(sought, told))
        for sought, stands, (_, opposite) in zip(question.concepts, stated, nearest, strict=True)
    ]


def _find_stated(sought: Sought, told: Iterable[Told], question: Question) -> tuple[Match, Match]:
    """The nearest match with a statement that stands, and the nearest that says the opposite."""
    stands = opposite = NOTHING
    for unit, heard in told:
        is_own = unit.answers(sought.concept)
        place = _place_weight(unit, is_own=is_own)
        rating: float | None = None  # the same for all statements
        for wanted in sought.statements:
            if (words := heard.get(wanted)) is None:
                continue
            match = _compare(unit, wanted, words)
            if is_own and wanted.shorter and (needed := [one for one in words if not one[0].is_given]):
                match = max(match, _compare(unit, wanted.shorter, needed), key=_nearness)
            own = _own_weight(match, wanted)
            if rating is None:
                rating = rate_terse(unit, sought, question, is_own=is_own)
            terse = rating * (1.0 if is_own and unit.piece.is_sure else own)
            nearness = max(match.nearness * own, terse) * place
            if match.conflict < _CONFLICT:
                if nearness > stands.nearness:
                    stands = match._replace(nearness=nearness)
            elif nearness > opposite.nearness and not unit.is_pair:  # a pair denies or affirms too much
                opposite = match._replace(nearness=nearness)
    return stands, opposite


def _find_misconception(sought: Sought, told: Iterable[Told]) -> Match:
    """The nearest misconception whose telling words are all there, the same way round."""
    nearest = NOTHING
    for unit, heard in told:
        if unit.is_pair:
            continue
        for wanted in sought.misconceptions:
            words = heard.get(wanted)
            if words is None or (keys := _find_keys(unit, wanted, words)) < _KEYS:
                continue
            match = _compare(unit, wanted, words)
            weight = _place_weight(unit, is_own=unit.answers(sought.concept))
            nearness = min(match.nearness, keys) * weight
            if match.conflict < _CONFLICT and nearness > nearest.nearness:
                nearest = match._replace(nearness=nearness)
    return nearest


def _find_keys(unit: Unit, wanted: Wanted, heard: Sequence[Heard]) -> float:
    """How much was said of the words that tell a misconception from the concept's statements."""
    if _says_law(unit, wanted):
        return 1.0
    if not wanted.keys:  # one in their own words is one only of the other thing: "PCA is nonlinear"
        return float(any(hit.is_same_thing for hit, _ in heard))
    keys = 0.0
    for hit, _ in heard:
        keys += hit.keys
    return keys / wanted.keys


def _says_law(unit: Unit, wanted: Wanted) -> bool | None:
    """Whether a unit says a law of a statement, or the contrary; None where it says neither."""
    if not wanted.laws or not unit.laws:
        return None
    if not wanted.laws.isdisjoint(unit.laws):
        return True
    return None if oppose(wanted.laws).isdisjoint(unit.laws) else False


def _nearness(match: Match) -> float:
    return match.nearness


def _place_weight(unit: Unit, *, is_own: bool) -> float:
    elsewhere = unit.piece.part is not None and unit.piece.is_sure and not is_own
    return unit.weight * (_OTHER_PART if elsewhere else 1.0)


def _own_weight(match: Match, wanted: Wanted) -> float:
    """Less for what is said in the prompt's words alone, unless the statement has hardly any others."""
    least = _PROMPT_ONLY if wanted.own >= _OWN_STATEMENT else _PROMPT_STATEMENT
    return least + (1 - least) * min(1.0, match.own / _OWN_ENOUGH)


def _compare(unit: Unit, wanted: Wanted, heard: Sequence[Heard]) -> Match:
    """How much of a statement a unit says."""
    got = got_demoted = polar = against = turned = own = 0.0
    for hit, _ in heard:
        got += hit.got
        got_demoted += hit.demoted
        own += hit.own
        polar += hit.polar
        against += hit.against
        turned += hit.turned
    is_reversed = _says_law(unit, wanted) is False
    return Match(
        max(got_demoted / wanted.demoted, _UNDEMOTED * got / wanted.weight),
        1.0 if is_reversed else max(against / polar if polar else 0.0, turned / got),
        own / got,
        turned / got,
        wanted,
        unit,
        heard,
    )


def _part_shared(matches: Sequence[Match]) -> list[Match]:
    """The same words earn once: what matches by words that another concept has more of, counts less."""
    found = list(matches)
    places = [frozenset(place for _, place in match.heard) for match in matches]
    for at, match in enumerate(matches):
        for before, other in enumerate(matches):
            if before == at or (other.nearness, at) <= (match.nearness, before):
                continue
            shared = len(places[at] & places[before])
            if shared and shared >= _SHARED * len(places[at]):
                found[at] = match._replace(nearness=match.nearness * _SHARED_WEIGHT)
                break
    return found
