"""A notebook between its check and its submission: kept, so that nobody has to choose the file again.

A draft is a row of its owner's, not a token in a form: it outlives the session, its owner finds it again
on the assignment's page, and whoever names another one's sha256 finds nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from grader.assignments import Assignment
from grader.domain.people import Actor, Role
from grader.errors import NotFound, NotPermitted, RequestRefused
from grader.services.submitting.attempts import refuse_unopened
from grader.services.submitting.look_through import look_through
from grader.services.submitting.precheck import Recognised
from grader.services.submitting.submit import Submitter, Upload, clean_filename
from grader.storage.blobs import Blobs
from grader.storage.drafts import Draft
from grader.storage.unit_of_work import Database

MOST_A_DAY = 40  # different files that one student may have looked through for one assignment
_KEPT = timedelta(days=30)


def keep_draft(
    database: Database,
    blobs: Blobs,
    actor: Actor,
    course: str,
    assignment: Assignment,
    filename: str,
    data: bytes,
    now: datetime,
) -> Draft:
    """Keep an upload that can be read. Raises `UploadRefused` and `RequestRefused`."""
    _refuse_strangers(actor, course)
    refuse_unopened(database, actor, course, assignment, now)
    with database.read() as unit:
        mine = unit.drafts.of(course, assignment.rubric.id, actor.id)
    if sum(now - draft.made_at < timedelta(days=1) for draft in mine) >= MOST_A_DAY:
        raise RequestRefused(
            f"{MOST_A_DAY} different files were looked through today. Hand in one of them, or go on tomorrow."
        )
    look_through(data, assignment.rubric, assignment.template)
    new = Draft(blobs.put(data), clean_filename(filename), now)
    with database.write() as unit:
        blobs.put(data)  # again, as in `Submitter`: whoever had the same bytes may have been erased meanwhile
        unit.drafts.forget_before(course, assignment.rubric.id, actor.id, now - _KEPT)
        unit.drafts.put(course, assignment.rubric.id, actor.id, new)
        unit.commit()
    return new


def read_draft(
    database: Database, blobs: Blobs, actor: Actor, course: str, assignment: Assignment, sha256: str
) -> tuple[Draft, Recognised | None]:
    """A file of one's own, looked through under today's rubric, if that can be done. Raises `NotFound`.

    One that was handed in is found, too: its page may be open still, or come back to.
    """
    _refuse_strangers(actor, course)
    draft = _find(database, actor, course, assignment, sha256)
    data = blobs.get(draft.notebook_sha256)
    return draft, look_through(data, assignment.rubric, assignment.template)


def submit_draft(
    submitter: Submitter,
    database: Database,
    blobs: Blobs,
    actor: Actor,
    course: str,
    assignment: Assignment,
    sha256: str,
    again_after: int = 0,
) -> str:
    """Hand a draft in, as its owner, and return the submission's id; twice is the same submission.

    A file that was handed in is a new attempt only where ``again_after`` is the last one: see `Upload`.
    Raises what `Submitter.submit` raises, and then the draft is still there; `NotPermitted` for staff.
    """
    if actor.role_in(course) is not Role.STUDENT:
        raise NotPermitted("Only students of the course hand in; nobody can do it in their place.")
    draft = _find(database, actor, course, assignment, sha256)
    data = blobs.get(draft.notebook_sha256)
    upload = Upload(course, assignment.rubric.id, actor.id, draft.filename, data, again_after=again_after)
    return str(submitter.submit(upload)["id"])


def _find(database: Database, actor: Actor, course: str, assignment: Assignment, sha256: str) -> Draft:
    """The draft, or as what the file was handed in. Raises `NotFound`."""
    with database.read() as unit:
        mine = unit.drafts.of(course, assignment.rubric.id, actor.id)
        same = unit.submissions.find_same(course, assignment.rubric.id, actor.id, sha256)
    for draft in mine:
        if draft.notebook_sha256 == sha256:
            return draft
    if same is None:
        raise NotFound("This draft is not there (any more): choose the file again on the assignment's page.")
    return Draft(sha256, same.submission.filename, same.submission.submitted_at)


def _refuse_strangers(actor: Actor, course: str) -> None:
    if actor.role_in(course) is None:
        raise NotPermitted("You take no part in this course.")
