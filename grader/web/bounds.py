"""Which numbers and times are taken from outside: what every database holds and can be calculated with."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, Field

_LARGEST = 2**63 - 1
_FIRST_YEAR, _LAST_YEAR = 2000, 9000


def is_number(value: int) -> bool:
    """Whether a column can hold it."""
    return -_LARGEST <= value <= _LARGEST


def is_moment(value: date) -> bool:
    """Whether a day or moment is one that somebody can mean."""
    return _FIRST_YEAR <= value.year <= _LAST_YEAR


def read_number(text: object) -> int | None:
    """A number that a form brings back; None where it is none."""
    try:
        number = int(str(text))
    except ValueError:
        return None
    return number if is_number(number) else None


def _check_moment(value: datetime) -> datetime:
    if not is_moment(value):
        raise ValueError(f"the year must be {_FIRST_YEAR} to {_LAST_YEAR}")
    return value


Number = Annotated[int, Field(ge=-_LARGEST, le=_LARGEST)]
Moment = Annotated[datetime, AfterValidator(_check_moment)]
