"""Long lists a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page of how many rows, and the addresses of its neighbours."""

    page: int  # from 1
    count: int
    query: dict[str, str]  # what else the address says
    per_page: int = PER_PAGE

    @property
    def start(self) -> int:
        """Rows before this page."""
        return (self.page - 1) * self.per_page

    @property
    def first(self) -> int:
        """The number of its first row; 0 where there is none."""
        return self.start + 1 if self.count > self.start else 0

    @property
    def last(self) -> int:
        """The number of its last row."""
        return max(min(self.start + self.per_page, self.count), 0) if self.first else 0

    @property
    def back(self) -> str:
        """The query of the page before; "" for none."""
        return self.address(page=str(self.page - 1)) if self.page > 1 else ""

    @property
    def forth(self) -> str:
        """The query of the page after; "" for none."""
        return self.address(page=str(self.page + 1)) if self.last and self.last < self.count else ""

    def address(self, **changes: str) -> str:
        """The query with these changes; without ``page`` it is the first."""
        said = {name: value for name, value in {**self.query, **changes}.items() if value}
        return "?" + urlencode(said)
