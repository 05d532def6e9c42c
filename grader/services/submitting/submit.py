"""Take an upload in: read it, keep its bytes, file it together with its job."""

from __future__ import annotations

import hashlib
import json
import unicodedata
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import Any

from grader.assignments import Assignment
from grader.domain.offering import Counts
from grader.domain.people import ID_RULE, is_id
from grader.domain.submission import Submission, SubmissionState
from grader.errors import AttemptsUsedUp, NotFound, RequestRefused
from grader.jobs import Jobs
from grader.notebooks.read import read_notebook
from grader.services.grades.report import find_report, submission_document
from grader.services.submitting.idempotency import Claim, claim_answer
from grader.services.terms import read_terms, refuse_when_closed
from grader.storage.blobs import Blobs
from grader.storage.unit_of_work import Clash, Database, UnitOfWork

_CLOCKS_DIFFER = timedelta(minutes=5)
_LOST_RACES = 5


@dataclass(frozen=True, slots=True)
class Upload:
    """One file as a caller hands it in."""

    course: str
    assignment: str
    user: str
    filename: str
    data: bytes
    submitted_at: datetime | None = None  # as the caller dates it; None: now
    idempotency_key: str | None = None
    caller: str = ""  # whose idempotency keys these are: an API key's id
    again_after: int = 0  # the last attempt, which this file is to follow though it is an earlier one's


class Submitter:
    """The verb `submit` with what it needs."""

    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        jobs: Jobs,
        assignments: Mapping[str, Assignment],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._jobs = jobs
        self._assignments = assignments
        self._clock = clock

    def submit(self, upload: Upload) -> dict[str, Any]:
        """File the upload and its job in one transaction; return the submission's document.

        The same bytes by the same user for the same assignment are the submission that is there
        already, unless ``again_after`` says that they are to count once more. Raises `UploadRefused`
        (the notebook), `NotFound` (the assignment), `RequestRefused` (an id, a time, an idempotency
        key), `NotOpen`, `AttemptsUsedUp`, `Conflict`, and `StorageUnavailable`; in all these cases
        nothing was filed.
        """
        now = self._clock()
        assignment = self._check(upload, now)
        if upload.idempotency_key is None:
            return self._file(upload, assignment, now, None)
        claim = claim_answer(
            self._database,
            holder=upload.caller,
            key=upload.idempotency_key,
            fingerprint=_fingerprint(upload),
            now=now,
        )
        if isinstance(claim, str):
            answer: dict[str, Any] = json.loads(claim)
            return answer
        try:
            return self._file(upload, assignment, now, claim)
        except BaseException:
            claim.release(self._database)
            raise

    def _check(self, upload: Upload, now: datetime) -> Assignment:
        for name, value in (
            ("course", upload.course),
            ("assignment", upload.assignment),
            ("user", upload.user),
        ):
            if not is_id(value):
                raise RequestRefused(f"the {name} id {value[:80]!r} is none: {ID_RULE}.")
        if upload.submitted_at is not None and upload.submitted_at > now + _CLOCKS_DIFFER:
            raise RequestRefused("submittedAt lies in the future: check the clock of the sending system.")
        if upload.assignment not in self._assignments:
            known = ", ".join(sorted(self._assignments))
            raise NotFound(f"There is no assignment {upload.assignment!r}; there are: {known}.")
        return self._assignments[upload.assignment]

    def _file(
        self, upload: Upload, assignment: Assignment, now: datetime, claim: Claim | None
    ) -> dict[str, Any]:
        read_notebook(upload.data, assignment.rubric.upload_limits)
        # Before the transaction, which holds up everybody else's: the disk is slow.
        sha256 = self._blobs.put(upload.data)
        for race in range(_LOST_RACES):
            try:
                with self._database.write() as unit:
                    submission_id = self._file_once(unit, upload, sha256, now)
                    document = submission_document(find_report(unit, submission_id), assignment.rubric, now)
                    if claim is not None:
                        claim.keep(unit, json.dumps(document))
                    unit.commit()
                    return document
            except Clash:
                # Only where writers do not queue: another upload of this user took the number.
                if race == _LOST_RACES - 1:
                    raise
        raise AssertionError("unreachable")

    def _file_once(self, unit: UnitOfWork, upload: Upload, sha256: str, now: datetime) -> str:
        same = unit.submissions.find_same(upload.course, upload.assignment, upload.user, sha256)
        terms = read_terms(unit, upload.course, upload.assignment, upload.user)
        earlier, unfinished, failed = unit.submissions.count(upload.course, upload.assignment, upload.user)
        if same is not None:
            # It names the attempt that it follows: a second click finds a newer one there, and files none.
            is_last = same.submission.attempt == earlier
            if upload.again_after != earlier or is_last or terms.offering.counts is not Counts.LAST:
                unit.drafts.forget(upload.course, upload.assignment, upload.user, sha256)
                return same.submission.id
        refuse_when_closed(terms, upload.submitted_at or now)
        attempts = self._assignments[upload.assignment].rubric.policy.attempts
        if earlier - failed >= attempts:
            raise AttemptsUsedUp(
                f"All {attempts} attempts at this assignment are used; the earlier submissions stand. "
                "Ask your instructor if you need another one."
            )
        submission = Submission(
            id=uuid.uuid4().hex,
            course=upload.course,
            assignment=upload.assignment,
            user=upload.user,
            attempt=earlier + 1,
            notebook_sha256=sha256,
            filename=clean_filename(upload.filename),
            submitted_at=upload.submitted_at or now,
            state=SubmissionState.QUEUED,
            tries=0,
        )
        # An LMS need not announce its courses: one that work arrives for is shown to admins from then on.
        if not unit.people.courses([upload.course]):
            unit.people.add_course(upload.course, upload.course, now)
        # Again, now that nobody else writes: whoever had the same bytes may have been erased meanwhile.
        self._blobs.put(upload.data)
        priority = 1 + min(earlier, 99) * 1000 + unfinished * 100
        unit.submissions.add(submission, accepted_at=now)
        unit.work.add(submission.id, priority, self._clock())  # not before its blob was put, see `Eraser`
        self._jobs.enqueue(unit.connection, submission.id, 0, priority)
        unit.drafts.forget(upload.course, upload.assignment, upload.user, sha256)
        by = f"key:{upload.caller}" if upload.caller else upload.user
        unit.audit.note(now, by, "submission.add", course=upload.course, subject=submission.id)
        return submission.id


def clean_filename(name: str) -> str:
    """The last part of a file name, printable, at most 200 characters."""
    last = PurePosixPath(name.replace("\\", "/")).name
    text = unicodedata.normalize("NFC", last.encode("utf-8", "ignore").decode())
    return "".join(c for c in text if c.isprintable()).strip(" .")[-200:] or "notebook.ipynb"


def _fingerprint(upload: Upload) -> str:
    parts = [
        upload.course,
        upload.assignment,
        upload.user,
        upload.submitted_at.isoformat() if upload.submitted_at else "",
        hashlib.sha256(upload.data).hexdigest(),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
