"""From an answer to a proposal: gates, then every concept with the words that it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grader.domain.proposal import UNREAD, ConceptProposal, Gate, Proposal, Rule, Span
from grader.domain.rubric import Concept, Item, Part

from .concepts import Found, Match, find_all
from .gates import find_gates, part_copied
from .parts import split_sentences
from .statements import Question, read_question
from .units import make_units

# Nearness to a statement, 0..1, from which a concept counts as said clearly, as said, or as partly said.
_CLEAR = 0.75
_FULL = 0.55
_PARTLY = 0.32
# What these earn of a concept's points: weak findings alone, as of fluent nonsense, stay below half.
_FULL_EARNS = 0.8
_PARTLY_EARNS = 0.3
_MISCONCEIVED = 0.5  # nearness to a misconception, from which it counts
_BENEFIT = 0.1  # a misconception may be so much less near than a statement and still win
_OPPOSITE = 0.1  # what is said the other way round must be so much nearer than what is said
_UNCERTAIN = 0.25  # so far from a threshold nearness says something for certain
_DOUBT_AT_GATE = 0.9
_TURNED = 0.4  # of the words that a concept rests on, from which a human looks whether they are denied
_DOUBT_AT_DENIAL = 0.5
_DOUBT_NOT_FOUND = 0.5  # a right answer may have words of its own


def propose(text: str, item: Item, part: Part) -> Proposal:
    """What ``text`` seems to earn of the item's concepts. The same text always yields the same proposal.

    Nothing is proposed behind a gate that is shut, and sentences of the prompt's own earn nothing; spans
    count the characters of ``text``.
    """
    question = read_question(item, part)
    sentences = split_sentences(text, question.parts)
    words = [word for sentence in sentences for word in sentence.words]
    gates = find_gates(text, words, question.known_stems)
    own, copied = part_copied(sentences, question.prompt, question.allowed)
    if copied:
        gates.append(Gate.COPIED)
    if UNREAD.isdisjoint(gates):
        found = find_all(question, make_units(own, text))
        quoted = find_all(question, make_units(copied, text))
        concepts = tuple(
            _decide(sought.concept, here, there)
            for sought, here, there in zip(question.concepts, found, quoted, strict=True)
        )
    else:
        found = find_all(question, ())
        concepts = tuple(_nothing(concept, Rule.NOT_READ) for concept in item.concepts)
    quoted_words = sum(len(piece.words) for piece in copied)
    features = _describe(question, found, words_count=len(words), copied=quoted_words / max(1, len(words)))
    return _total(item, gates, concepts, features, question.sha256)


def price(proposal: Proposal, item: Item) -> Proposal:
    """The same findings under the item's points of today, for a proposal to the same question.

    Equal to what `propose` says of the same text: points are in nothing that is found.
    """
    concepts = tuple(
        ConceptProposal(
            found.id,
            round(found.level * asked.points, 4),
            asked.points,
            found.level,
            found.rule,
            found.matched,
            found.span,
        )
        for found, asked in zip(proposal.concepts, item.concepts, strict=True)
    )
    return _total(item, proposal.gates, concepts, proposal.features, proposal.question_sha256)


def _total(
    item: Item,
    gates: Sequence[Gate],
    concepts: tuple[ConceptProposal, ...],
    features: Mapping[str, float],
    question_sha256: str,
) -> Proposal:
    return Proposal(
        points=round(sum(concept.points for concept in concepts), 4),
        max_points=item.points,
        gates=tuple(gates),
        concepts=concepts,
        doubt=_doubt(gates, concepts, features),
        question_sha256=question_sha256,
        features=features,
    )


def _decide(concept: Concept, found: Found, quoted: Found) -> ConceptProposal:
    """The rules in their order; the first that holds decides."""
    said, opposite, wrong = found.stated, found.opposite, found.misconception
    is_wrong = wrong.nearness >= _MISCONCEIVED
    is_elsewhere = said.nearness >= _FULL and _are_apart(said, wrong)  # said as well, in other words
    if is_wrong and wrong.nearness >= said.nearness - _BENEFIT and not is_elsewhere:
        return _earn(concept, 0.0, Rule.MISCONCEPTION, wrong)
    if said.nearness < _FULL and opposite.nearness >= max(_PARTLY, said.nearness + _OPPOSITE):
        return _earn(concept, 0.0, Rule.CONTRADICTED, opposite)
    if said.nearness >= _FULL and not (is_wrong and wrong.nearness > said.nearness):
        return _earn(concept, 1.0 if said.nearness >= _CLEAR else _FULL_EARNS, Rule.STATED, said)
    if said.nearness >= _PARTLY:
        return _earn(concept, _PARTLY_EARNS, Rule.PARTLY_STATED, said)
    if quoted.stated.nearness >= _PARTLY:
        return _earn(concept, 0.0, Rule.COPIED, quoted.stated)
    return _nothing(concept, Rule.NOT_FOUND)


def _are_apart(first: Match, second: Match) -> bool:
    """Whether two matches stand in different sentences or clauses."""
    one, other = first.piece, second.piece
    return bool(one and other and (one.end <= other.start or other.end <= one.start))


def _earn(concept: Concept, level: float, rule: Rule, match: Match) -> ConceptProposal:
    span = Span(match.piece.start, match.piece.end) if match.piece else None
    points = round(level * concept.points, 4)
    return ConceptProposal(concept.id, points, concept.points, level, rule, match.statement, span)


def _nothing(concept: Concept, rule: Rule) -> ConceptProposal:
    return ConceptProposal(concept.id, 0.0, concept.points, 0.0, rule)


def _doubt(
    gates: Sequence[Gate], concepts: Sequence[ConceptProposal], features: Mapping[str, float]
) -> float:
    """How near the decisions were to falling otherwise, weighted by their points."""
    if tuple(gates) == (Gate.DONT_KNOW,):
        return 0.1
    total = sum(concept.max_points for concept in concepts)
    doubt = sum(concept.max_points * _wavering(concept, features) for concept in concepts)
    own = round(doubt / total, 4) if total else 1.0
    if gates:
        return max(own, _DOUBT_AT_GATE)
    is_denied = any(_may_be_denied(c.id, features) for c in concepts if c.level > 0)
    return max(own, _DOUBT_AT_DENIAL) if is_denied else own


def _may_be_denied(concept: str, features: Mapping[str, float]) -> bool:
    """Whether what earns points may be denied: in the same words, by nearer ones, or by a misconception."""
    return (
        features[f"{concept}.turned"] >= _TURNED
        or features[f"{concept}.opposite"] >= features[f"{concept}.stated"] + _OPPOSITE
        or features[f"{concept}.misconception"] >= _FULL
    )


def _wavering(concept: ConceptProposal, features: Mapping[str, float]) -> float:
    stated = features[f"{concept.id}.stated"]
    if concept.rule in (Rule.MISCONCEPTION, Rule.CONTRADICTED):
        return 1.0 if stated >= _PARTLY else 0.5
    away = min(abs(stated - threshold) for threshold in (_FULL, _PARTLY))
    wavering = 1.0 - min(1.0, away / _UNCERTAIN)
    return max(wavering, _DOUBT_NOT_FOUND) if concept.rule is Rule.NOT_FOUND else wavering


def _describe(
    question: Question,
    found: Sequence[Found],
    *,
    words_count: int,
    copied: float,
) -> dict[str, float]:
    """The features of an answer, in an order that is the same for all answers to the question."""
    features = {"words": float(words_count), "copied": round(copied, 4)}
    for sought, near in zip(question.concepts, found, strict=True):
        key = sought.concept.id
        features[f"{key}.stated"] = round(near.stated.nearness, 4)
        features[f"{key}.opposite"] = round(near.opposite.nearness, 4)
        features[f"{key}.misconception"] = round(near.misconception.nearness, 4)
        features[f"{key}.own"] = round(near.stated.own, 4)
        features[f"{key}.turned"] = round(near.stated.turned, 4)
    return features
