"""Put the HTTP application together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from grader.services.people.roster_file import MOST_BYTES as MOST_ROSTER_BYTES
from grader.web import gradebook as gradebook_api
from grader.web import health, members, pictures, reviews, rubrics, submissions
from grader.web.body_limit import BodyLimit
from grader.web.deps import Deps
from grader.web.pages import (
    account,
    admin,
    assignments,
    audit,
    dashboard,
    dashboard_students,
    dashboard_table,
    data,
    gradebook,
    gradebook_student,
    handing_in,
    home,
    invitations,
    notebooks,
    people,
    reports,
    review,
    roster,
    rubric,
    settings,
    signing_in,
)
from grader.web.pages.errors import install_error_pages
from grader.web.pages.rendering import STATIC
from grader.web.problems import install_problems


def create_app(deps: Deps) -> FastAPI:
    """Make the application from its parts. It touches nothing until a request comes."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = deps.threads
        yield

    app = FastAPI(
        title="Notebook grader",
        version=deps.version,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.deps = deps
    app.add_middleware(BodyLimit, most_bytes=deps.most_upload_bytes, most_roster_bytes=MOST_ROSTER_BYTES)
    install_problems(app)
    install_error_pages(app)
    app.include_router(submissions.router)
    app.include_router(pictures.router)
    app.include_router(rubrics.router)
    app.include_router(gradebook_api.router)
    app.include_router(members.router)
    app.include_router(reviews.router)
    app.include_router(health.router)
    for pages in (
        signing_in,
        invitations,
        home,
        account,
        admin,
        people,
        roster,
        gradebook,
        gradebook_student,
        settings,
        audit,
        data,
        assignments,
        handing_in,
        reports,
        notebooks,
        review,
        rubric,
        dashboard,
        dashboard_table,
        dashboard_students,
    ):
        app.include_router(pages.router)
    app.include_router(gradebook.file_router)
    app.mount("/static", StaticFiles(directory=STATIC))
    return app
