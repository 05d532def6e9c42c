"""One person's data: all of it to take along, and all of it deleted."""

from __future__ import annotations

import json
import zipfile
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import IO, Any

from grader.domain.people import Actor, Person
from grader.errors import EvidenceMissing, NotFound, NotPermitted, RequestRefused
from grader.services.people.administration import keep_an_admin
from grader.services.people.throttle import hide_login
from grader.services.privacy.erase import Eraser, Leaving, Removed, named_in
from grader.storage.blobs import Blobs
from grader.storage.personal_data import OF_LOGIN, OF_PERSON, OF_SUBMISSION, Erasable
from grader.storage.unit_of_work import Database, UnitOfWork

SERVICE = Actor("grader", "the service's own command line", is_admin=True)
_JSON_COLUMNS = frozenset({"document", "seconds", "versions", "concepts", "details", "sketch", "features"})
_README = """Everything that is stored about one person.

person.json     every row, by table; documents are what grading found and decided
submissions/    each notebook as it was handed in
drafts/         notebooks that were looked through and not handed in
files/          executed notebooks, trained weights and pictures, by their sha256

Passwords and tokens are stored as hashes and are not in here; nor is the key that answers are held against.
"""


@dataclass(frozen=True, slots=True)
class ErasurePlan:
    """What is stored about a person, and what an erasure deletes."""

    person: str  # the id
    name: str
    leaving: Leaving
    removed: Removed

    @property
    def submissions(self) -> Sequence[Erasable]:
        """What they handed in."""
        return self.leaving.submissions


def export_person(
    database: Database,
    blobs: Blobs,
    actor: Actor,
    person_id: str,
    file: IO[bytes],
    now: datetime,
    course: str | None = None,
) -> int:
    """Write a ZIP of everything that is stored about a person; return how many submissions are in it.

    ``course`` narrows it to one course, which is all that its instructors may take. Raises `NotPermitted`
    and `NotFound`.
    """
    if not (actor.is_admin or (course is not None and actor.manages(course))):
        raise NotPermitted("One person's data is for admins, and within a course for its instructors.")
    with database.write() as unit:
        submissions = unit.personal_data.submissions(user=person_id, course=course)
        if course is not None:
            submissions = [one for one in submissions if one.course == course]
            known = bool(submissions) or course in unit.people.memberships_of(person_id)
        else:
            known = bool(submissions) or unit.people.find(person_id) is not None
        if not known:
            raise NotFound("Nothing is stored about such a person here.")
        unit.audit.note(now, actor.id, "person.export", course=course or "", subject=person_id)
        unit.commit()
    with database.read() as unit, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", _README)
        tables = _read_tables(unit, person_id, submissions, course)
        archive.writestr("person.json", json.dumps(tables, ensure_ascii=False, indent=1, default=str))
        _add_files(unit, blobs, archive, submissions)
        if course is None:
            for number, draft in enumerate(unit.personal_data.drafts(user=person_id), 1):
                with suppress(EvidenceMissing):
                    archive.writestr(f"drafts/{number}.ipynb", blobs.get(draft.notebook_sha256))
    return len(submissions)


def plan_erasure(database: Database, eraser: Eraser, actor: Actor, person_id: str) -> ErasurePlan:
    """What `erase_person` would delete; deletes nothing. Raises `NotPermitted` and `NotFound`."""
    with database.read() as unit:
        person, leaving, rows = _look_up(unit, actor, person_id)
    removed = eraser.preview(leaving)
    name = person.name if person else person_id
    return ErasurePlan(person_id, name, leaving, Removed({**removed.rows, **rows}, removed.blobs))


def erase_person(
    database: Database, eraser: Eraser, actor: Actor, person_id: str, reason: str, now: datetime
) -> Removed:
    """Delete everything that is stored about a person, for good; return what went.

    What they did as staff stays, and so does the audit log: both know an id alone. What comes in for them
    while this lasts goes, too. Raises `NotPermitted`, `NotFound`, and `RequestRefused` for one's own account,
    for the last admin's, or without a reason.
    """
    with database.read() as unit:
        _look_up(unit, actor, person_id)
    if person_id == actor.id:
        raise RequestRefused("Nobody erases their own account: ask another admin.")
    if not reason.strip():
        raise RequestRefused("Say why: the reason is kept.")
    rows: Counter[str] = Counter()
    blobs, is_gone = 0, False

    def find(unit: UnitOfWork) -> Leaving:
        person = unit.people.find(person_id)
        if person is not None:
            keep_an_admin(unit, person)
        unit.people.change(person_id, disabled_at=now)
        return _leaving(unit, person_id)

    def finish(unit: UnitOfWork, removed: Removed) -> None:
        nonlocal blobs, is_gone
        rows.update(removed.rows)
        blobs += removed.blobs
        more = _leaving(unit, person_id)
        if more.submissions or more.drafts:
            return
        person = unit.people.find(person_id)
        if person is not None:
            rows.update(unit.personal_data.delete(OF_LOGIN, _typed(person)))
        rows.update(unit.personal_data.delete(OF_PERSON, [person_id]))
        handed_in, deleted = rows["submission"], dict(+rows)
        unit.audit.note(
            now, actor.id, "person.erase", subject=person_id, submissions=handed_in, blobs=blobs, rows=deleted
        )
        is_gone = True

    while not is_gone:
        eraser.erase(find, finish, actor, reason, now)
    return Removed(dict(+rows), blobs)


def _look_up(unit: UnitOfWork, actor: Actor, person_id: str) -> tuple[Person | None, Leaving, dict[str, int]]:
    if not actor.is_admin:
        raise NotPermitted("Erasing a person is for admins.")
    person, leaving = unit.people.find(person_id), _leaving(unit, person_id)
    rows = unit.personal_data.count(OF_PERSON, [person_id])
    if person is not None:
        rows |= unit.personal_data.count(OF_LOGIN, _typed(person))
    if person is None and not leaving.submissions and not rows:
        raise NotFound("Nothing is stored about such a person.")
    return person, leaving, rows


def _typed(person: Person) -> list[str]:
    """What they sign in with, as wrong passwords are counted by it."""
    return sorted({hide_login(name) for name in (person.login, person.email) if name})


def _leaving(unit: UnitOfWork, person_id: str) -> Leaving:
    data = unit.personal_data
    return Leaving(data.submissions(user=person_id), data.drafts(user=person_id))


def _read_tables(
    unit: UnitOfWork, person_id: str, submissions: Sequence[Erasable], course: str | None
) -> Mapping[str, list[dict[str, Any]]]:
    ids = [one.id for one in submissions]
    tables: dict[str, list[dict[str, Any]]] = defaultdict(list)
    data = unit.personal_data
    for table, row in (*data.rows(OF_PERSON, [person_id], course), *data.rows(OF_SUBMISSION, ids)):
        tables[table].append(_without_key(row))
    person = unit.people.find(person_id)
    if person is not None and course is None:
        tables["login_failure"] += [row for _, row in data.rows(OF_LOGIN, _typed(person))]
    acts = {entry.id: entry for entry in unit.audit.page(course=course, actor=person_id, limit=None)}
    for subject in (person_id, *ids):
        acts |= {entry.id: entry for entry in unit.audit.page(course=course, subject=subject, limit=None)}
    tables["audit"] = [asdict(acts[number]) for number in sorted(acts)]
    return tables


def _without_key(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with its documents read, without proposals: they quote what answers are held against."""
    return {
        name: _cut(json.loads(value)) if name in _JSON_COLUMNS and isinstance(value, str) and value else value
        for name, value in row.items()
    }


def _cut(value: Any) -> Any:
    if isinstance(value, dict):
        # Another student's submission is nothing to hand out, even as a number.
        kept = {name: one for name, one in value.items() if name not in ("proposal", "proposals")}
        if "similarity" in kept:
            kept.pop("submission_id", None)
        return {name: _cut(one) for name, one in kept.items()}
    return [_cut(one) for one in value] if isinstance(value, list) else value


def _add_files(
    unit: UnitOfWork, blobs: Blobs, archive: zipfile.ZipFile, submissions: Sequence[Erasable]
) -> None:
    for one in submissions:
        place = f"submissions/{one.course}/{one.assignment}/attempt-{one.attempt}-{one.filename}"
        with suppress(EvidenceMissing):  # what is damaged keeps nobody from having the rest
            archive.writestr(place, blobs.get(one.notebook_sha256))
    named = set(named_in(unit.personal_data.evidence_documents([one.id for one in submissions])))
    for sha256 in sorted(named - {one.notebook_sha256 for one in submissions}):
        with suppress(EvidenceMissing):
            archive.writestr(f"files/{sha256}", blobs.get(sha256))
