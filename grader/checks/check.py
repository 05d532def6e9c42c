"""What a check is: a short pure function from evidence to a share of an item's points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from grader.domain.evidence import Evidence
from grader.domain.grade import CheckResult
from grader.domain.rubric import Item, Part

Check = Callable[[Evidence, Item, Part], CheckResult]


@dataclass(frozen=True, slots=True)
class NoParameters:
    """For a check without settings."""
