"""The doors over HTTP: parse, call a verb, render."""

from grader.web.app import create_app
from grader.web.deps import Deps

__all__ = ["Deps", "create_app"]
