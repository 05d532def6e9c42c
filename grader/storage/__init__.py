"""Tables, repositories, unit of work, blobs by sha256, migrations."""

from grader.storage.blobs import Blobs
from grader.storage.engine import make_engine
from grader.storage.unit_of_work import Clash, Database, UnitOfWork

__all__ = ["Blobs", "Clash", "Database", "UnitOfWork", "make_engine"]
