"""Is the process alive, and can the service do its work?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse

from grader.errors import OurFailure
from grader.storage.migrations import missing
from grader.web.deps import Deps, get_deps
from grader.web.problems import problem
from grader.web.schemas import problem_responses

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers, also while every thread waits for the database."""
    return {"status": "ok"}


@router.get("/readyz", responses=problem_responses(503))
def readyz(deps: Annotated[Deps, Depends(get_deps)]) -> JSONResponse:
    """The service can take submissions and grade them; 503 names what is in the way."""
    checks: dict[str, Callable[[Deps], str]] = {
        "database": _database,
        "blobs": _blobs,
        "worker": _worker,
    }
    reasons = {name: reason for name, check in checks.items() if (reason := _ask(check, deps))}
    if reasons:
        return problem(
            503, "not-ready", "The service is not ready", " ".join(reasons.values()), reasons=reasons
        )
    return JSONResponse({"status": "ready"})


def _ask(check: Callable[[Deps], str], deps: Deps) -> str:
    try:
        return check(deps)
    except OurFailure as failure:
        return str(failure)


def _database(deps: Deps) -> str:
    return (
        "The database lacks migrations: start the service again, which applies them."
        if missing(deps.database.engine)
        else ""
    )


def _blobs(deps: Deps) -> str:
    deps.blobs.check_writable()
    free = deps.blobs.free_bytes()
    if free >= deps.least_free_bytes:
        return ""
    return f"Only {free >> 20} MiB are free for uploads; {deps.least_free_bytes >> 20} MiB are wanted."


def _worker(deps: Deps) -> str:
    with deps.database.read() as unit:
        live = unit.workers.live()
    return "" if live else "No worker runs: start one with `grader work`."
