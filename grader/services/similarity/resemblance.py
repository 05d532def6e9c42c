"""Which submissions of different students have rare things in common. A reason to look, never a verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from grader.domain.answers import Alignment
from grader.domain.evidence import Lookalike
from grader.domain.notebook import Notebook
from grader.domain.passages import (
    LEAST_PASSAGES,
    LEAST_SHARE,
    MOST_RARE,
    Kind,
    compare,
    cut,
    sketch,
    usual_above,
)
from grader.domain.submission import Submission
from grader.storage.classes.resemblances import Resemblance
from grader.storage.unit_of_work import UnitOfWork


def sketch_passages(
    own: Submission, notebook: Notebook, template: Notebook, alignment: Alignment
) -> dict[Kind, frozenset[int]]:
    """What can be recognised of a submission. What the template says already is nobody's.

    Apart from `note_resemblances`, since it may take a second, and a transaction keeps all writers waiting.
    """
    cells = [cell.source for cell in template.cells]
    words = [text for answer in alignment.answers.values() for text in (answer.text, answer.explanation)]
    passages = {
        Kind.TEXT: cut(Kind.TEXT, words) - cut(Kind.TEXT, cells),
        Kind.CODE: cut(Kind.CODE, (cell.source for cell in notebook.code_cells)) - cut(Kind.CODE, cells),
    }
    place = f"{own.course}\0{own.assignment}"
    return {kind: sketch(found, f"{place}\0{kind}") for kind, found in passages.items()}


def note_resemblances(
    unit: UnitOfWork,
    own: Submission,
    sketches: Mapping[Kind, frozenset[int]],
    lookalikes: Iterable[Lookalike],
) -> None:
    """Keep a submission's sketches, and every pair that it makes with another student's.

    What is usual in the class makes none: homework hands out most of the code, and lectures the rest.
    Passages that turn usual with this submission speak no longer for pairs that were found before.
    """
    most = usual_above(unit.class_figures.students(own.course, own.assignment, 10 * MOST_RARE))
    for kind, hashes in sketches.items():
        unit.resemblances.put(own.id, own.user, kind, hashes)
        students = {hash_: len(unit.resemblances.students_with(hash_, most + 2)) for hash_ in hashes}
        rare = {hash_ for hash_, count in students.items() if count <= most}
        for attempts in unit.resemblances.holders(rare, but_not=own.user).values():
            likest = max(attempts, key=lambda other: (attempts[other], other))
            if attempts[likest] >= LEAST_PASSAGES:
                _judge_pair(unit, own, (own.id, likest), kind, most)
        turned = {hash_ for hash_, count in students.items() if count == most + 1}
        _judge_again(unit, own, turned, kind, most)
    for alike in lookalikes:
        pair = Resemblance(own.id, alike.submission_id, Kind.WEIGHTS, alike.similarity, 0)
        unit.resemblances.add_pair(own.course, own.assignment, pair)


def _judge_again(unit: UnitOfWork, own: Submission, turned: set[int], kind: Kind, most: int) -> None:
    holders = [other for of_user in unit.resemblances.holders(turned).values() for other in of_user]
    for pair in unit.resemblances.pairs_among(holders, kind):
        _judge_pair(unit, own, (pair.submission_id, pair.other_id), kind, most)


def _judge_pair(unit: UnitOfWork, own: Submission, pair: tuple[str, str], kind: Kind, most: int) -> None:
    one, other = (unit.resemblances.passages_of(submission_id, kind) for submission_id in pair)
    likeness = compare(one, other, _rare(unit, one | other, most))
    if likeness.passages >= LEAST_PASSAGES and likeness.share >= LEAST_SHARE:
        found = Resemblance(*pair, kind, round(likeness.share, 4), likeness.passages)
        unit.resemblances.add_pair(own.course, own.assignment, found)
    else:
        unit.resemblances.drop_pair(*pair, kind)


def _rare(unit: UnitOfWork, hashes: Iterable[int], most: int) -> set[int]:
    return {hash_ for hash_ in hashes if len(unit.resemblances.students_with(hash_, most + 1)) <= most}
