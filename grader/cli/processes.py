"""The long-running processes: the supervisor, the web process, a worker."""

from __future__ import annotations

import gc
import logging
import os
import socket
from typing import TYPE_CHECKING

from grader import __version__
from grader.cli.compose import (
    make_autograder,
    make_blobs,
    make_catalog,
    make_database,
    make_home,
    make_opinions,
    make_sandbox,
    make_warm_pool,
    make_working_sandbox,
)
from grader.cli.lifeline import watch_lifeline
from grader.cli.people import tell_first_admin
from grader.cli.settings import Settings
from grader.cli.supervise import listen, supervise
from grader.errors import GraderError, SetupIncomplete
from grader.evaluation.datasets import open_dataset
from grader.jobs import Jobs
from grader.services.migrate import migrate

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

_log = logging.getLogger(__name__)


def serve_until_told(settings: Settings) -> None:
    """Check everything that can be checked, then serve. Raises before anything listens where it cannot."""
    _log_to_stderr()
    engine, database = make_database(settings)
    migrate(engine)
    assignments = dict(make_catalog(settings, database))
    first_admin = tell_first_admin(database)
    engine.dispose()
    if settings.workers:
        make_working_sandbox(settings)
        for name in {assignment.rubric.dataset for assignment in assignments.values()}:
            open_dataset(settings.data_folder, name)
    try:
        listening = listen(settings.host, settings.port)
    except OSError as error:
        raise SetupIncomplete(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror}. "
            "Set GRADER_PORT to a free port, GRADER_HOST to an address of this machine."
        ) from None
    host, port = listening.getsockname()[:2]
    print(f"serving http://{host}:{port} with {settings.workers} workers; Ctrl-C ends it", flush=True)
    if first_admin:
        print(first_admin, flush=True)
    supervise(listening, settings.workers)


def run_web(settings: Settings, fd: int, lifeline: int) -> None:
    """Serve HTTP on the socket ``fd`` until SIGTERM or until the supervisor is gone."""
    import uvicorn

    from grader.web.app import create_app
    from grader.web.deps import Deps

    watch_lifeline(lifeline)
    engine, database = make_database(settings)
    deps = Deps(database, make_blobs(settings), Jobs(engine), make_catalog(settings, database), __version__)
    server = uvicorn.Server(make_server_config(settings, create_app(deps)))
    gc.freeze()  # else a full collection now and then walks all that was imported, some 90 ms of a request
    server.run(sockets=[socket.socket(fileno=fd)])


def make_server_config(settings: Settings, app: FastAPI) -> uvicorn.Config:
    """How HTTP is served. Whence a request came is the connection's word, unless a proxy is trusted."""
    import uvicorn

    return uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,  # addresses hold invitations and ids of students
        timeout_graceful_shutdown=10,
        proxy_headers=bool(settings.trusted_proxy),
        forwarded_allow_ips=settings.trusted_proxy or None,
    )


def run_one_worker(settings: Settings, lifeline: int | None) -> int:
    """Grade one submission after another until SIGTERM; return the exit status."""
    from grader.worker.process import run_worker

    _log_to_stderr()
    if lifeline is not None:
        watch_lifeline(lifeline)
    engine, database = make_database(settings)
    # Below a supervisor it was tried before anything started.
    sandbox = make_working_sandbox(settings) if lifeline is None else make_sandbox(settings)
    blobs = make_blobs(settings)
    if lifeline is None:
        migrate(engine)
    os.nice(5)  # the web process answers first
    assignments = make_catalog(settings, database)
    with make_warm_pool(settings, sandbox) as pool:
        autograder = make_autograder(settings, pool, blobs)
        for assignment in assignments.values():
            try:
                if note := autograder.missing_calibration(assignment):
                    _log.warning("%s", note)
                pool.expect(autograder.shapes(assignment))
            except GraderError as error:  # its submissions will say so, and the others go on
                _log.warning("no jails are made ahead for %s: %s", assignment.rubric.id, error)
        return run_worker(
            engine=engine,
            home=make_home(settings),
            blobs=blobs,
            autograder=autograder,
            assignments=assignments,
            opinions=make_opinions(settings),
        )


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
