"""A class of homework 5 whose grades stand, with content of its own that tests may change."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.regrade import fill
from grader.assignments import Edit, apply_edits, load_assignment
from grader.domain.override import Override
from grader.domain.people import Actor, Membership, Role
from grader.services.catalog import Catalog
from grader.services.grades.standing import settle
from grader.services.rubrics import Rubrics
from grader.storage import Database
from grader.storage.standings import Mark, Standing
from tests.conftest import REPOSITORY
from tests.integration.parts import NOW

HOMEWORK = "homework_05"
LOWER = (Edit("ex1.latent_8", "params.threshold", 0.4), Edit("ex1.latent_32", "params.threshold", 0.6))
OTHER_POINTS = (
    Edit("q1", "points", 6.0),
    Edit("q1", "points", 3.5, concept="q1.c1"),
    Edit("q3.choice", "params.key", "C"),
)
REWORDED = (Edit("q2", "statements", ("It keeps what matters.", "Alike images lie near."), concept="q2.c1"),)


def member(name: str, course: str, role: Role) -> Actor:
    return Actor(name, name, {course: Membership(course, role)})


TEACHER = member("grace", "ml2", Role.INSTRUCTOR)


@dataclass
class Class:
    """Graded submissions ``0…0`` to ``0…n`` of course ml2, and what changes their rubric."""

    content: Path
    folder: Path
    database: Database
    catalog: Catalog
    rubrics: Rubrics

    @property
    def rubric_file(self) -> Path:
        return self.content / "rubrics" / f"{HOMEWORK}.yaml"

    def edited(self, *edits: Edit) -> str:
        return apply_edits(self.rubrics.export(HOMEWORK), edits)

    def override(self, submission_id: str, item: str, points: float | None, follows: int = 0) -> None:
        with self.database.write() as unit:
            unit.overrides.add(submission_id, Override(item, points, "ta"), NOW, follows)
            settle(unit, submission_id)
            unit.commit()

    def standings(self) -> dict[str, Standing]:
        with self.database.read() as unit:
            return unit.standings.find_all(self.ids())

    def marks(self) -> dict[str, list[Mark]]:
        with self.database.read() as unit:
            found = unit.standings.marks_of(self.ids())
        return {one: sorted(marks, key=lambda mark: mark.item) for one, marks in found.items()}

    def ids(self) -> list[str]:
        with self.database.read() as unit:
            return [head.submission_id for head in unit.grades.heads(HOMEWORK)]

    def dump(self) -> list[str]:
        """All that the database says."""
        with self.database.engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            return list(raw.iterdump())

    def count(self, table: str) -> int:
        with self.database.engine.connect() as connection:
            return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())


def copy_content(folder: Path) -> Path:
    for name in ("rubrics", "reference"):
        shutil.copytree(REPOSITORY / name, folder / name)
    return folder


def make_class(folder: Path, count: int = 12, alike: int = 3) -> Class:
    content = copy_content(folder / "content")
    database = fill(folder, load_assignment(content, HOMEWORK), count, alike)
    catalog = Catalog(database, content)
    return Class(content, folder, database, catalog, Rubrics(database, catalog))


def lines_changed(before: str, after: str) -> Iterable[str]:
    kept = set(before.splitlines())
    return [line.strip() for line in after.splitlines() if line not in kept]
