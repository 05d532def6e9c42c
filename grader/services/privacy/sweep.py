"""Delete blobs that nothing names any more: of runs that broke off, of drafts long past."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from grader.domain.people import Actor
from grader.errors import NotPermitted
from grader.jobs import Jobs
from grader.services.privacy.erase import told_by
from grader.storage.blobs import Blobs
from grader.storage.unit_of_work import Database

# Work that lasts longer than this between writing a blob and naming it would lose it.
_KEPT = timedelta(days=7)
_SHA256 = re.compile(r"\b[0-9a-f]{64}\b")


def sweep_blobs(
    database: Database, blobs: Blobs, jobs: Jobs, actor: Actor, now: datetime, *, dry_run: bool = False
) -> int:
    """Delete blobs older than a week that no submission, draft, evidence or running job names; how many.

    ``dry_run`` counts alone. Raises `NotPermitted`.
    """
    if not actor.is_admin:
        raise NotPermitted("Sweeping is for admins.")
    until = now - _KEPT
    old = {sha256 for sha256 in blobs.names() if blobs.is_removable(sha256, until)}
    with database.read() as unit:
        for sha256 in unit.personal_data.all_notebooks():
            old.discard(sha256)
        for work in unit.work.list_taken_up():
            old -= told_by(jobs, blobs, work.submission_id, work.generation)
        for _, document in unit.personal_data.evidence_after(0):
            old.difference_update(_SHA256.findall(document))
    return len(old) if dry_run else sum(blobs.remove(sha256, until) for sha256 in old)
