"""From a content folder to assignments; several things wrong are told at once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from grader.checks.thresholds import CALIBRATED
from grader.domain.calibration import ReferenceFigures
from grader.domain.rubric import (
    Alone,
    Budget,
    Concept,
    Item,
    Part,
    PartKind,
    Policy,
    Rubric,
    RunLimits,
    UploadLimits,
)
from grader.errors import ContentInvalid, NotFound

from .calibration_file import NAME, Calibration, read_calibration
from .consistency import find_contradictions
from .problems import translate
from .reference import check_files, has_heading, read_prompt
from .rubric_file import RubricFile, rubric_model
from .yaml_lines import Problem, YamlFile, read_yaml


@dataclass(frozen=True, slots=True)
class Assignment:
    """A rubric with the reference files that belong to it."""

    rubric: Rubric
    template: bytes  # the notebook that students get
    model_path: Path  # the agreed architecture, loaded by path in a jail
    calibration: Mapping[str, Calibration]  # by the sha256 of held-out images; see `grader calibrate`
    folder: Path  # reference/<id>

    def reference_on(self, dataset_sha256: str) -> Mapping[int, ReferenceFigures]:
        """What the reference reaches on these held-out images, by width; empty: never measured on them."""
        known = self.calibration.get(dataset_sha256)
        return {} if known is None else known.figures

    @property
    def needs_calibration(self) -> bool:
        """Whether an item of the rubric leaves its threshold to the calibration."""
        return any(item.params.get("threshold") == CALIBRATED for item in self.rubric.items)


class RubricInvalid(ContentInvalid):
    """A rubric's text is wrong, line by line."""

    def __init__(self, name: str, problems: Sequence[Problem], files: Sequence[str] = ()) -> None:
        lines = [f"{name}:{problem.line}: {problem.message}" for problem in problems]
        super().__init__("\n".join([*lines, *files]))
        self.problems = tuple(problems)


def load_assignments(content: Path) -> dict[str, Assignment]:
    """All assignments of ``content`` by id. `ContentInvalid` lists everything that is wrong, a line each."""
    loaded: dict[str, Assignment] = {}
    wrong: list[str] = []
    for path in _rubrics(content):
        try:
            loaded[path.stem] = parse_rubric(content, path.stem, read_rubric(content, path.stem))
        except ContentInvalid as error:
            wrong.append(str(error))
    if wrong:
        raise ContentInvalid("\n".join(wrong))
    return loaded


def load_assignment(content: Path, assignment_id: str) -> Assignment:
    """One assignment. `NotFound` where there is none of this id, `ContentInvalid` where it is wrong."""
    known = list_assignments(content)
    if assignment_id not in known:
        raise NotFound(f"There is no assignment {assignment_id!r}. There are: {', '.join(known)}.")
    return parse_rubric(content, assignment_id, read_rubric(content, assignment_id))


def list_assignments(content: Path) -> list[str]:
    """The ids of all rubric files. `ContentInvalid` where there are none."""
    return [path.stem for path in _rubrics(content)]


def _rubrics(content: Path) -> list[Path]:
    paths = sorted((content / "rubrics").glob("*.yaml"))
    if not paths:
        raise ContentInvalid(
            f"{content / 'rubrics'}: no rubric was found; put one there, e.g. homework_05.yaml"
        )
    return paths


def read_rubric(content: Path, assignment_id: str) -> bytes:
    """The rubric file as it is on disk. `ContentInvalid` where it cannot be read."""
    return _read(content / "rubrics" / f"{assignment_id}.yaml", f"rubrics/{assignment_id}.yaml")


def parse_rubric(content: Path, assignment_id: str, data: bytes) -> Assignment:
    """The assignment as it is under this text of its rubric, with the files beside it.

    Raises `RubricInvalid` with every line that is wrong, `ContentInvalid` where one of the files is.
    """
    name = f"rubrics/{assignment_id}.yaml"
    folder = content / "reference" / assignment_id
    rubric, file, problems = _parse(data, assignment_id)
    files = [f"reference/{assignment_id}/{w.name}:{w.line}: {w.message}" for w in check_files(folder)]
    if rubric is not None and file is not None and not files:
        template = _read(folder / "template.ipynb", f"reference/{assignment_id}/template.ipynb")
        problems += [
            Problem(
                file.line(("parts", position, "heading")),
                f"no heading of the template begins with “{part.heading}”; copy it from "
                f"reference/{assignment_id}/template.ipynb",
            )
            for position, part in enumerate(rubric.parts)
            if not has_heading(template, part)
        ]
    if problems:
        raise RubricInvalid(name, sorted(problems, key=lambda p: p.line), files)
    if rubric is None or files:
        raise ContentInvalid("\n".join(files))
    parts = tuple(replace(part, prompt=read_prompt(template, part)) for part in rubric.parts)
    rubric = replace(rubric, parts=parts)
    assignment = Assignment(rubric, template, folder / "model.py", read_calibration(folder), folder)
    if assignment.needs_calibration and assignment.calibration:
        # Thresholds stand in that file, so it is a part of the rubric, and its change is one of the rubric.
        together = hashlib.sha256(data + (folder / NAME).read_bytes()).hexdigest()
        return replace(assignment, rubric=replace(rubric, sha256=together))
    return assignment


def _read(path: Path, name: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ContentInvalid(
            f"{name}:1: the file cannot be read ({error.strerror}); check its permissions"
        ) from error


def _parse(data: bytes, stem: str) -> tuple[Rubric | None, YamlFile | None, list[Problem]]:
    file = read_yaml(data)
    if isinstance(file, Problem):
        return None, None, [file]
    if not isinstance(file.values, dict):
        return None, file, [Problem(1, f"the file must begin with fields, e.g. id: {stem}")]
    try:
        rubric = rubric_model().model_validate(file.values)
    except ValidationError as error:
        return None, file, translate(error, file)
    problems = [
        Problem(file.line(place), message, place) for place, message in find_contradictions(rubric, stem)
    ]
    return _to_domain(rubric, hashlib.sha256(data).hexdigest()), file, problems


def _to_domain(file: RubricFile, sha256: str) -> Rubric:
    return Rubric(
        id=file.id,
        title=file.title,
        sha256=sha256,
        parts=tuple(
            Part(
                part.key,
                PartKind(part.kind),
                part.heading,
                part.title,
                part.options,
                Budget(**part.budget.model_dump()) if part.budget else Budget(),
            )
            for part in file.parts
        ),
        items=tuple(_item(item) for item in file.items),
        upload_limits=UploadLimits(**file.upload_limits.model_dump()),
        run_limits=RunLimits(**file.run_limits.model_dump()),
        latent_dims=tuple(file.latent_dims),
        dataset=file.dataset,
        policy=Policy(file.policy.attempts, file.policy.seed, Alone(file.policy.written_answers)),
    )


def _item(item: Any) -> Item:
    return Item(
        key=item.key,
        part=item.part,
        title=item.title,
        points=float(item.points),
        check=item.check,
        params=item.params.model_dump() if hasattr(item, "params") else {},
        concepts=tuple(
            Concept(
                id=concept.id,
                name=concept.name,
                points=float(concept.points),
                subquestion=concept.subquestion,
                statements=tuple(concept.statements),
                misconceptions=tuple(concept.misconceptions),
            )
            for concept in getattr(item, "concepts", ())
        ),
    )
