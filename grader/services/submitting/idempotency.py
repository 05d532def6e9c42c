"""Answer a request with an idempotency key once, however often it is sent."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from grader.errors import Conflict, RequestRefused, StillRunning
from grader.storage.unit_of_work import Clash, Database, UnitOfWork

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
# A request that has run so long probably died with its process; whoever asks again takes its place,
# and if it lives after all, its claim is lost and it keeps nothing.
_DEAD_AFTER = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to answer one request."""

    holder: str
    key: str
    token: str

    def keep(self, unit: UnitOfWork, answer: str) -> None:
        """Keep the answer in the transaction that does the work. Raises `StillRunning` if it was lost."""
        if not unit.idempotency.answer(self.holder, self.key, self.token, answer):
            raise StillRunning("Another request with this Idempotency-Key took over. Ask again in a moment.")

    def release(self, database: Database) -> None:
        """Forget the request: it was refused or failed, and may be sent again."""
        with database.write() as unit:
            unit.idempotency.release(self.holder, self.key, self.token)
            unit.commit()


def claim_answer(
    database: Database, *, holder: str, key: str, fingerprint: str, now: datetime
) -> Claim | str:
    """Return the right to answer, or the answer that was given before.

    Raises `Conflict` where the key was used for another request, `StillRunning` where the same one
    has not ended yet, `RequestRefused` for a key that is none.
    """
    if not _KEY.fullmatch(key):
        raise RequestRefused("an Idempotency-Key is 1 to 255 visible ASCII characters, for example a UUID.")
    claim = Claim(holder, key, uuid.uuid4().hex)
    try:
        with database.write() as unit:
            known = unit.idempotency.find(holder, key)
            if known is not None and known.fingerprint != fingerprint:
                raise Conflict(
                    "This Idempotency-Key was used for another request. Use a new key for a new one."
                )
            if known is not None and known.answer is not None:
                return known.answer
            if known is not None and now - known.claimed_at < _DEAD_AFTER:
                raise StillRunning("The request with this Idempotency-Key still runs. Ask again in a moment.")
            unit.idempotency.claim(holder, key, fingerprint, claim.token, now)
            unit.commit()
    except Clash:
        raise StillRunning(
            "The request with this Idempotency-Key still runs. Ask again in a moment."
        ) from None
    return claim
