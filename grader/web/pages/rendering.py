"""Templates to pages. What a page may load is said once, here: nothing from elsewhere, no inline script."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from grader.domain.rubric import tell_size
from grader.services.people.sessions import Visitor

_FOLDER = Path(__file__).parent
STATIC = _FOLDER / "static"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-store",
}


def render(
    request: Request, template: str, visitor: Visitor | None, status: int = 200, **context: Any
) -> HTMLResponse:
    """A page, or the part of one that HTMX asked for. Templates see ``visitor`` and ``request``."""
    page = _environment().get_template(template)
    html = page.render(request=request, visitor=visitor, now=datetime.now(UTC), **context)
    return HTMLResponse(html, status, HEADERS)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["points"] = _points
    environment.filters["percent"] = lambda share: f"{share:.0%}"
    environment.filters["moment"] = _moment
    environment.filters["day"] = lambda value: f"{value:%-d %b %Y}"
    environment.filters["role"] = {"student": "Student", "ta": "TA", "instructor": "Instructor"}.__getitem__
    environment.filters["size"] = tell_size
    environment.filters["span"] = _span
    return environment


def _points(value: float) -> str:
    """Points without needless zeros: 4, 3.5, 2.25."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _moment(value: datetime | None) -> str:
    """A time, in UTC and said to be so; where scripts run it is told in the reader's own zone."""
    if value is None:
        return ""
    return Markup('<time datetime="{}">{} UTC</time>').format(value.isoformat(), f"{value:%-d %b %Y, %H:%M}")


def _span(value: timedelta) -> str:
    """A length of time in its two largest units, rounded down: 2 days 3 hours; 12 minutes."""
    minutes = int(abs(value.total_seconds())) // 60
    days, hours = minutes // 1440, minutes // 60 % 24
    amounts = [(days, "day"), (hours, "hour")] if days else [(hours, "hour"), (minutes % 60, "minute")]
    told = [f"{amount} {unit}{'s' * (amount != 1)}" for amount, unit in amounts if amount]
    return " ".join(told) or "less than a minute"
