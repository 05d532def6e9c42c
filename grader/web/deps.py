"""What the doors need, and who may use them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from grader.assignments import Assignment
from grader.errors import NotAuthenticated
from grader.jobs import Jobs
from grader.services.catalog import Catalog
from grader.services.people.keys import SUBMIT, authenticate, permit
from grader.services.people.throttle import count_wrong_key
from grader.services.rubrics import Rubrics
from grader.services.submitting.submit import Submitter
from grader.storage.blobs import Blobs
from grader.storage.people.keys import ApiKey
from grader.storage.unit_of_work import Database


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Deps:
    """The parts that the application is put together from."""

    database: Database
    blobs: Blobs
    jobs: Jobs
    assignments: Mapping[str, Assignment]
    version: str = "0"
    clock: Callable[[], datetime] = _utc_now
    least_free_bytes: int = 512 << 20  # with less on the blobs' disk the service is not ready
    threads: int = 20  # requests at once; the engine's pool holds a connection for each
    submitter: Submitter = field(init=False)

    def __post_init__(self) -> None:
        submitter = Submitter(self.database, self.blobs, self.jobs, self.assignments, self.clock)
        object.__setattr__(self, "submitter", submitter)

    @property
    def rubrics(self) -> Rubrics:
        """What changes rubrics; only where the assignments are a catalog."""
        assert isinstance(self.assignments, Catalog)
        return Rubrics(self.database, self.assignments)

    @property
    def most_upload_bytes(self) -> int:
        """What the largest assignment allows."""
        return max((a.rubric.upload_limits.bytes for a in self.assignments.values()), default=0)


_bearer = HTTPBearer(auto_error=False, description="An API key, made by `grader user`.")


def get_deps(request: Request) -> Deps:
    """The parts of the application that this request came to."""
    deps: Deps = request.app.state.deps
    return deps


def get_key(
    request: Request,
    deps: Annotated[Deps, Depends(get_deps)],
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> ApiKey:
    """The caller's key. Raises `NotAuthenticated`, and `TooManyTries` where wrong ones came too often."""
    if credentials is None:
        raise NotAuthenticated("Send an API key: `Authorization: Bearer grader_…`.")
    try:
        return authenticate(deps.database, credentials.credentials, deps.clock())
    except NotAuthenticated:
        count_wrong_key(deps.database, get_address(request), deps.clock())
        raise


def get_address(request: Request) -> str:
    """Whence a request comes: the connection's other end, or what a trusted proxy says of it."""
    return request.client.host if request.client else ""


def get_submitting_key(course: str, key: Annotated[ApiKey, Depends(get_key)]) -> ApiKey:
    """The caller's key, good for submitting to this course. Raises `NotPermitted`."""
    permit(key, SUBMIT, course)
    return key
