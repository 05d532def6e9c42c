"""One transaction: commit is said aloud, everything else rolls back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from grader.errors import StorageUnavailable
from grader.storage.audit import Audit
from grader.storage.classes.figures import ClassFigures
from grader.storage.classes.gradebook import Gradebook
from grader.storage.classes.lists import ClassLists
from grader.storage.classes.resemblances import Resemblances
from grader.storage.classes.results import Results
from grader.storage.classes.submissions import SubmissionTable
from grader.storage.drafts import Drafts
from grader.storage.grades import Evidences, Grades
from grader.storage.idempotency import IdempotencyKeys
from grader.storage.offerings import Offerings
from grader.storage.overrides import Overrides
from grader.storage.people.accounts import People
from grader.storage.people.invitations import Invitations
from grader.storage.people.keys import ApiKeys
from grader.storage.people.login_failures import LoginFailures
from grader.storage.people.roster import Roster
from grader.storage.people.sessions import Sessions
from grader.storage.personal_data import PersonalData
from grader.storage.progress import Progress
from grader.storage.review.calibrations import Calibrations
from grader.storage.review.claims import Claims
from grader.storage.review.comments import Comments
from grader.storage.review.pseudonyms import Pseudonyms
from grader.storage.review.queue import ReviewQueue
from grader.storage.review.regrade_requests import RegradeRequests
from grader.storage.rubric_versions import RubricVersions
from grader.storage.standings import Standings
from grader.storage.submissions import Submissions
from grader.storage.weights import Weights
from grader.storage.work import Work
from grader.storage.workers import Workers


class Clash(Exception):
    """A uniqueness or reference that the database guards was violated: someone else was quicker."""


class UnitOfWork:
    """The repositories of one transaction. ``connection`` lets the job engine join it."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.submissions = Submissions(connection)
        self.work = Work(connection)
        self.progress = Progress(connection)
        self.evidence = Evidences(connection)
        self.grades = Grades(connection)
        self.overrides = Overrides(connection)
        self.standings = Standings(connection)
        self.class_figures = ClassFigures(connection)
        self.class_lists = ClassLists(connection)
        self.submission_table = SubmissionTable(connection)
        self.resemblances = Resemblances(connection)
        self.gradebook = Gradebook(connection)
        self.results = Results(connection)
        self.review_queue = ReviewQueue(connection)
        self.claims = Claims(connection)
        self.comments = Comments(connection)
        self.regrade_requests = RegradeRequests(connection)
        self.pseudonyms = Pseudonyms(connection)
        self.offerings = Offerings(connection)
        self.drafts = Drafts(connection)
        self.rubrics = RubricVersions(connection)
        self.people = People(connection)
        self.roster = Roster(connection)
        self.sessions = Sessions(connection)
        self.invitations = Invitations(connection)
        self.login_failures = LoginFailures(connection)
        self.audit = Audit(connection)
        self.personal_data = PersonalData(connection)
        self.calibrations = Calibrations(connection)
        self.api_keys = ApiKeys(connection)
        self.idempotency = IdempotencyKeys(connection)
        self.weights = Weights(connection)
        self.workers = Workers(connection)

    def commit(self) -> None:
        """Make it last."""
        self.connection.commit()


class Database:
    """Opens units of work. Raises `StorageUnavailable` where the database cannot be used now."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    @contextmanager
    def read(self) -> Iterator[UnitOfWork]:
        """A unit of work for reading; waits for no writer."""
        with _failures_named(), self.engine.connect() as connection:
            yield UnitOfWork(connection)

    @contextmanager
    def write(self) -> Iterator[UnitOfWork]:
        """A unit of work for writing. What is read in it cannot change before it commits (SQLite).

        Nothing is kept unless `UnitOfWork.commit` is called. Raises `Clash` for a violated constraint.
        """
        with _failures_named(), self.engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield UnitOfWork(connection)


@contextmanager
def _failures_named() -> Iterator[None]:
    try:
        yield
    except sa.exc.IntegrityError as error:
        raise Clash(str(error.orig)) from error
    except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError) as error:
        reason = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        raise StorageUnavailable(f"the database cannot be used now: {reason}") from error
    except sa.exc.DatabaseError as error:
        if type(error) is not sa.exc.DatabaseError:
            raise  # a statement's own fault
        raise StorageUnavailable(
            f"the database is damaged ({error.orig}): stop the service and restore a backup."
        ) from error
