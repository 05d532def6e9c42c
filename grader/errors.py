"""The error tree, split by who must mend it.

::

    GraderError
    ├── UploadRefused          the student: this file cannot be graded as it is
    │   ├── TooLarge               more bytes, cells or nesting than the assignment allows
    │   └── NotANotebook           empty, wrong encoding, not JSON, not nbformat 3 or 4
    ├── RequestRefused         the caller of a door (a person at the CLI, an LMS at the API)
    │   ├── NotFound               no such course, assignment, submission or file
    │   ├── NotPermitted           a key without the scope or the course
    │   │   └── NotAuthenticated       no key, or one that is unknown, expired or revoked
    │   ├── TooManyTries           wrong passwords or keys came too often: wait
    │   ├── NotOpen                the course does not take this assignment now
    │   ├── AttemptsUsedUp         the student has handed in as often as the assignment allows
    │   ├── Overtaken              someone else was quicker, or what was seen is out of date: look again
    │   └── Conflict               an idempotency key used again for something else
    │       └── StillRunning           the request with this idempotency key has not ended yet
    ├── ContentInvalid         the instructor: a rubric, template or calibration is wrong
    └── OurFailure             the admin or the engineer: retried, then shown as `failed`, never a zero
        ├── SetupIncomplete        the machine lacks something; the message gives the line to type
        ├── SandboxUnavailable     no jail could be started
        ├── RunIncomplete          a jail ended before the student's code began, or we ended it
        ├── StorageUnavailable     the database or the disk takes nothing now
        └── EvidenceMissing        something stored can no longer be read

What a student's code does (an error, a time-out, a crash) is no exception at all: it is a value
in the evidence. Every message says what is wrong and what to do about it.
"""

from __future__ import annotations


class GraderError(Exception):
    """Everything that this project raises on purpose. ``str(error)`` is fit to be shown."""


class UploadRefused(GraderError):
    """The upload cannot be graded as it is; the message is written for a student."""


class TooLarge(UploadRefused):
    """More bytes, cells or nesting than the assignment allows."""


class NotANotebook(UploadRefused):
    """Empty, in a wrong encoding, not JSON, or JSON that is no notebook."""


class RequestRefused(GraderError):
    """The caller asked for something that cannot be done as asked."""


class NotFound(RequestRefused):
    """No such course, assignment, submission or file."""


class NotPermitted(RequestRefused):
    """A key without the scope or the course that is asked for."""


class NotAuthenticated(NotPermitted):
    """No key, or one that is unknown, expired or revoked."""


class TooManyTries(RequestRefused):
    """Wrong passwords, links or keys came too often: the next try counts in ``seconds``."""

    def __init__(self, message: str, seconds: int) -> None:
        super().__init__(message)
        self.seconds = seconds


class NotOpen(RequestRefused):
    """The course does not take this assignment now: not yet, or no longer."""


class AttemptsUsedUp(RequestRefused):
    """The student has handed in as many different notebooks as the assignment allows."""


class Overtaken(RequestRefused):
    """Someone else was quicker, or what the caller saw is out of date: look again, then decide."""


class Conflict(RequestRefused):
    """The request contradicts an earlier one."""


class StillRunning(Conflict):
    """The request with this idempotency key has not ended yet: ask again in a moment."""


class ContentInvalid(GraderError):
    """A rubric, template or calibration is wrong; the message names file, line and the mend."""


class OurFailure(GraderError):
    """We failed. Never a grade: the work is tried again, then shown as ``failed``."""


class SetupIncomplete(OurFailure):
    """The machine lacks something; the message gives the line to type."""


class SandboxUnavailable(OurFailure):
    """No jail could be started."""


class RunIncomplete(OurFailure):
    """A jail ended before the student's code could begin, or was ended by us before it was done."""


class StorageUnavailable(OurFailure):
    """The database or the disk takes nothing now: locked, full, or out of reach."""


class EvidenceMissing(OurFailure):
    """Something that was stored can no longer be read."""
