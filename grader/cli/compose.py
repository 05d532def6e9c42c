"""Puts the parts together from the settings: each function makes one part, when it is asked for."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from grader import __version__
from grader.assignments import Assignment, load_assignments
from grader.cli.settings import Settings
from grader.errors import SetupIncomplete
from grader.evaluation.datasets import Dataset, hidden_paths, open_dataset
from grader.sandbox.bubblewrap import BubblewrapSandbox, open_sandbox
from grader.sandbox.jail import Sandbox
from grader.sandbox.selftest import require_working
from grader.sandbox.warm_pool import PoolLimits, WarmPool
from grader.services.autograde import Autograder
from grader.services.catalog import Catalog
from grader.services.migrate import migrate
from grader.services.opinions.gather import SecondOpinion
from grader.storage import Blobs, Database, make_engine

_POOL = 20


def make_home(settings: Settings) -> Path:
    """The service's own folder, made for nobody else to enter. Raises `SetupIncomplete`."""
    home = settings.home.resolve()
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SetupIncomplete(
            f"{home} cannot be the service's folder ({error.strerror}): set GRADER_HOME to a folder that it "
            "may write to."
        ) from None
    return home


def make_database(settings: Settings) -> tuple[sa.Engine, Database]:
    """The database; its tables are made by `grader.services.migrate`."""
    make_home(settings)
    engine = make_engine(settings.database_url, pool_size=_POOL)
    return engine, Database(engine)


def open_database(settings: Settings) -> Database:
    """The database with its tables made: for commands that need nothing else."""
    engine, database = make_database(settings)
    migrate(engine)
    return database


def make_blobs(settings: Settings) -> Blobs:
    """Where uploads, weights and executed notebooks are kept."""
    return Blobs(make_home(settings) / "blobs")


def make_sandbox(settings: Settings) -> BubblewrapSandbox:
    """What starts jails. Raises `SetupIncomplete` with the line to type where this machine cannot."""
    scratch = make_home(settings) / "jails"
    # The environment that the jail shares with us carries the digits that are held out. The others would
    # show only where the service stands below a folder that jails see, such as /usr.
    content = settings.content.resolve()
    own = (settings.home.resolve(), settings.data_folder, content / "rubrics", content / "reference")
    return open_sandbox(
        scratch=scratch,
        hidden=(*hidden_paths(), *own),
        trusted_class=settings.trusted_class,
        limits=settings.jail_limits,
    )


def make_working_sandbox(settings: Settings) -> BubblewrapSandbox:
    """The same, tried once: `SandboxUnavailable` where its jails do not hold. Half a second."""
    sandbox = make_sandbox(settings)
    require_working(sandbox)
    return sandbox


def make_warm_pool(settings: Settings, sandbox: BubblewrapSandbox) -> WarmPool:
    """What has jails ready before they are needed; a context manager."""
    limits = PoolLimits(settings.warm_jails, settings.warm_seconds, settings.warm_memory << 20)
    return WarmPool(sandbox, limits)


def make_autograder(settings: Settings, sandbox: Sandbox, blobs: Blobs) -> Autograder:
    """The stations between an upload's bytes and its grade."""

    def open_named(name: str) -> Dataset:
        return open_dataset(settings.data_folder, name)

    return Autograder(sandbox, blobs, open_named, __version__)


def read_assignments(settings: Settings) -> dict[str, Assignment]:
    """Every assignment of the content folder. Raises `ContentInvalid` naming file and line."""
    return load_assignments(settings.content)


def make_catalog(settings: Settings, database: Database) -> Catalog:
    """The same with what was published in the service, as it is at each moment."""
    return Catalog(database, settings.content)


def make_opinions(settings: Settings) -> list[SecondOpinion]:
    """Who gives second opinions on written answers; nobody by default. Raises `SetupIncomplete`."""
    sources: list[SecondOpinion] = []
    if settings.sentence_model is not None:
        from grader.services.opinions.sentence_model import SentenceModel

        sources.append(SentenceModel(settings.sentence_model))
    if settings.opinion_url:
        if not settings.opinion_model:
            raise SetupIncomplete("GRADER_OPINION_URL is set: set GRADER_OPINION_MODEL to the model to ask.")
        from grader.services.opinions.endpoint import Endpoint

        sources.append(
            Endpoint(settings.opinion_url, settings.opinion_model, settings.opinion_key.get_secret_value())
        )
    return sources
