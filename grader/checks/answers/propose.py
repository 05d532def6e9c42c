"""From an answer to a proposal: gates, then every concept with its evidence."""

from __future__ import annotations

from collections.abc import Sequence

from grader.domain.proposal import ConceptProposal, Gate, Proposal, Rule, Span
from grader.domain.rubric import Concept, Item, Part

from .concepts import Match, Unit, find_misconception, find_stated, part_shared
from .gates import find_copied, find_gates
from .parts import Piece, join_pieces, split_clauses, split_sentences
from .polarity import first_entity, sign_words
from .statements import Question, read_question
from .words import split_words

_FULL = 0.5
_HALF = 0.32
_MISCONCEIVED = 0.5
_MARGIN = -0.1
_OPPOSITE_MARGIN = 0.1
_PAIR = 0.95
_CLAUSE = 0.95
_SHUT = frozenset({Gate.DONT_KNOW, Gate.GIBBERISH, Gate.LANGUAGE, Gate.KEYWORDS})


def propose(text: str, item: Item, part: Part) -> Proposal:
    """What ``text`` seems to earn of the item's concepts. The same text always yields the same proposal."""
    question = read_question(item, part)
    sentences = split_sentences(text, question.parts)
    words = [word for sentence in sentences for word in sentence.words]
    gates = find_gates(text, words, question.known_stems)
    copied = find_copied(sentences, question.prompt)
    if copied:
        gates.append(Gate.COPIED)
    shut = any(gate in _SHUT for gate in gates)
    own = [] if shut else [s for at, s in enumerate(sentences) if at not in copied]
    units = make_units(own, text)
    features: dict[str, float] = {}
    concepts = tuple(judge_concepts(question, units, features))
    if shut:
        concepts = tuple(ConceptProposal(c.id, 0.0, c.points, 0.0, Rule.NOT_READ) for c in item.concepts)
    points = round(sum(c.points for c in concepts), 2)
    return Proposal(points, item.points, tuple(gates), concepts, 0.0, features)


def make_units(sentences: Sequence[Piece], text: str) -> list[Unit]:
    units: list[Unit] = []
    before: Unit | None = None
    for sentence in sentences:
        about = first_entity(before.signed) if before else ""
        signed = tuple(said for said in sign_words(sentence.words, about) if said.word.is_content)
        unit = Unit(sentence, signed)
        units.append(unit)
        clauses = split_clauses(sentence, text)
        for clause in clauses if len(clauses) > 1 else ():
            inside = tuple(said for said in signed if clause.start <= said.word.start < clause.end)
            units.append(Unit(clause, inside, _CLAUSE))
        if before and before.piece.part == sentence.part:
            pair = join_pieces([before.piece, sentence])
            units.append(Unit(pair, (*before.signed, *signed), _PAIR, is_pair=True))
        before = unit
    return units


def judge_concepts(question: Question, units: Sequence[Unit], features: dict[str, float]) -> list[ConceptProposal]:
    found = [find_stated(sought, units, question) for sought in question.concepts]
    stated = part_shared([said for said, _ in found])
    proposals = []
    for sought, said, (_, opposite) in zip(question.concepts, stated, found, strict=True):
        wrong = find_misconception(sought, units, question)
        key = sought.concept.id
        features[f"{key}.said"] = round(said.nearness, 4)
        features[f"{key}.opposite"] = round(opposite.nearness, 4)
        features[f"{key}.wrong"] = round(wrong.nearness, 4)
        features[f"{key}.own"] = round(said.own, 4)
        proposals.append(_decide(sought.concept, said, opposite, wrong))
    return proposals


def _decide(concept: Concept, said: Match, opposite: Match, wrong: Match) -> ConceptProposal:
    if wrong.nearness >= _MISCONCEIVED and wrong.nearness >= said.nearness + _MARGIN:
        return _concept(concept, 0.0, Rule.MISCONCEPTION, wrong)
    if opposite.nearness >= _HALF and opposite.nearness > said.nearness + _OPPOSITE_MARGIN:
        return _concept(concept, 0.0, Rule.CONTRADICTED, opposite)
    if said.nearness >= _FULL:
        return _concept(concept, 1.0, Rule.STATED, said)
    if said.nearness >= _HALF:
        return _concept(concept, 0.5, Rule.PARTLY_STATED, said)
    return ConceptProposal(concept.id, 0.0, concept.points, 0.0, Rule.NOT_FOUND)


def _concept(concept: Concept, level: float, rule: Rule, match: Match) -> ConceptProposal:
    span = Span(match.piece.start, match.piece.end) if match.piece else None
    return ConceptProposal(concept.id, level * concept.points, concept.points, level, rule, match.statement, span)
