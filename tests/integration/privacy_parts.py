"""A course whose student has something of everything, and what is stored after something was deleted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from fastapi import FastAPI

from grader.domain.people import Role
from grader.services.people.throttle import begin_try
from tests.integration.graded import graded
from tests.integration.page_requests import Browser, add_person, signed_in
from tests.integration.parts import Parts

SENT = datetime.now(UTC) - timedelta(days=10)
BOOK = "/courses/cs101/assignments/hw/gradebook"
LONG_AGO = timedelta(days=400)


def set_up_course(parts: Parts, app: FastAPI) -> Browser:
    """A course with a student who has something of everything, and another with the same weights."""
    add_person(parts, "ina", Role.INSTRUCTOR)
    add_person(parts, "zelda-7", Role.STUDENT, ("red",))
    add_person(parts, "ben", Role.STUDENT, ("red",))
    browser = signed_in(app, "ina")
    graded(parts, "zelda-7", 2.0, sent=SENT, code="print('by zelda-7')")
    graded(parts, "zelda-7", 3.0, sent=SENT, code="print('shared')")
    graded(parts, "ben", 3.0, sent=SENT, code="print('shared')")
    student = f"{BOOK}/students/zelda-7"
    browser.post(f"{student}/items/ex1.runs", {"points": "7", "reason": "zelda-7 asked", "follows": "0"})
    browser.post(f"{student}/extension", {"due_at": "2026-01-01T00:00", "reason": "zelda-7 was ill"})
    signed_in(app, "zelda-7")
    begin_try(parts.database, "zelda-7", "::1", SENT)  # with a wrong password
    return browser


def rows(parts: Parts) -> Iterator[tuple[str, str]]:
    with parts.engine.connect() as connection:
        for table in sa.inspect(parts.engine).get_table_names():
            for row in connection.exec_driver_sql(f'SELECT * FROM "{table}"'):
                yield table, repr(tuple(row))


def blobs(parts: Parts) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in (parts.home / "blobs").rglob("*") if path.is_file()}
