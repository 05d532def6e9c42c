"""What people type into forms, as values; what cannot be read is said field by field."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime

from starlette.datastructures import FormData

from grader.web.bounds import is_moment, is_number


class Fields:
    """Reads a form; ``wrong`` gathers what cannot be read, by the field's name."""

    def __init__(self, form: FormData | Mapping[str, str]) -> None:
        self._form = form
        self.wrong: dict[str, str] = {}

    def text(self, name: str, most: int = 2_000) -> str:
        """Words, without the spaces around them; "" where the field is missing."""
        value = self._form.get(name)
        text = value.strip() if isinstance(value, str) else ""
        if len(text) > most:
            self.wrong[name] = f"At most {most} characters."
        return text[:most]

    def moment(self, name: str) -> datetime | None:
        """A `datetime-local`, which is in UTC here; None where it is empty."""
        text = self.text(name)
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
        except ValueError:
            moment = None
        if moment is None or not is_moment(moment):
            self.wrong[name] = "Not a date and time: write it like 2026-03-01T23:59."
            return None
        return moment

    def number(self, name: str, default: float = 0.0) -> float:
        """A number; with a decimal comma, too."""
        text = self.text(name)
        try:
            return float(text.replace(",", ".")) if text else default
        except ValueError:
            self.wrong[name] = "Not a number."
            return default

    def whole(self, name: str, default: int = 0) -> int:
        """A whole number."""
        number = self.number(name, default)
        if not math.isfinite(number) or number != int(number) or not is_number(int(number)):
            self.wrong.setdefault(name, "Not a whole number.")
            return default
        return int(number)

    def ticked(self, name: str) -> bool:
        """Whether a box is ticked."""
        return name in self._form
