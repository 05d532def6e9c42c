"""Fixtures that every kind of test shares."""

from __future__ import annotations

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder that holds `grader/`, `rubrics/` and `reference/`."""
    return REPOSITORY


@pytest.fixture(scope="session")
def data_folder(repository: Path) -> Path:
    """Where the data set is kept between runs: it is made once, from a fixed seed."""
    return repository / "var" / "data"
