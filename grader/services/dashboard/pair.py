"""Two submissions side by side, with what they have in common that the template does not say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from grader.domain.evidence import Evidence
from grader.domain.notebook import Notebook
from grader.domain.passages import Kind, cut, find_spans
from grader.notebooks.read import read_notebook
from grader.services.dashboard.scope import Scope, find_seen
from grader.storage.blobs import Blobs
from grader.storage.classes.lists import Named
from grader.storage.unit_of_work import Database

Piece = tuple[str, bool]  # words, and whether both submissions have them


@dataclass(frozen=True, slots=True)
class Facing:
    """One part of the homework in both submissions."""

    title: str
    one: tuple[Piece, ...]
    other: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Both submissions, part by part."""

    one: Named
    other: Named
    texts: tuple[Facing, ...]
    code: Facing


def read_pair(
    database: Database, blobs: Blobs, scope: Scope, one_id: str, other_id: str, now: datetime
) -> SideBySide:
    """Read both; that somebody looked is noted. Raises `NotFound`; `EvidenceMissing` where a blob is gone."""
    with database.write() as unit:
        filed = [find_seen(unit, scope, submission_id) for submission_id in (one_id, other_id)]
        for each in filed:
            unit.audit.note(
                now,
                scope.actor.id,
                "submission.compare",
                course=scope.course,
                subject=each.submission.id,
                beside=[one_id, other_id],
            )
        unit.commit()
    with database.read() as unit:
        named = unit.class_lists.name([one_id, other_id])
        found = [unit.evidence.newest(submission_id) for submission_id in (one_id, other_id)]
    limits = scope.assignment.rubric.upload_limits
    notebooks = [read_notebook(blobs.get(each.submission.notebook_sha256), limits) for each in filed]
    template = [cell.source for cell in read_notebook(scope.assignment.template, limits).cells]
    answers = [_answers(stored.evidence if stored else None) for stored in found]
    shared = _shared(Kind.TEXT, [list(each.values()) for each in answers], template)
    titles = {part.key: f"{part.heading}: {part.title}" for part in scope.assignment.rubric.parts}
    texts = tuple(
        Facing(title, *(_mark(Kind.TEXT, each.get(key, ""), shared) for each in answers))
        for key, title in titles.items()
        if any(each.get(key) for each in answers)
    )
    code = [_code(notebook) for notebook in notebooks]
    common = _shared(Kind.CODE, [[each] for each in code], template)
    facing = Facing("Code", *(_mark(Kind.CODE, each, common) for each in code))
    return SideBySide(scope.call(named[one_id]), scope.call(named[other_id]), texts, facing)


def _answers(evidence: Evidence | None) -> dict[str, str]:
    if evidence is None:
        return {}
    answers = evidence.alignment.answers.items()
    return {key: "\n".join(filter(None, (answer.text, answer.explanation))) for key, answer in answers}


def _code(notebook: Notebook) -> str:
    return "\n\n".join(cell.source for cell in notebook.code_cells)


def _shared(kind: Kind, both: list[list[str]], template: list[str]) -> set[str]:
    one, other = (cut(kind, texts) for texts in both)
    return (one & other) - cut(kind, template)


def _mark(kind: Kind, text: str, shared: set[str]) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    done = 0
    for start, end in find_spans(kind, text, shared):
        pieces += [(text[done:start], False), (text[start:end], True)]
        done = end
    return tuple(piece for piece in [*pieces, (text[done:], False)] if piece[0])
