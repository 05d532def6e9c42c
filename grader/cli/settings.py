"""Every setting, read once from the environment (``GRADER_…``) or from a ``.env`` file beside the command."""

from __future__ import annotations

import os
from ipaddress import ip_network
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from grader.errors import SetupIncomplete
from grader.sandbox.container import JailLimits


class Settings(BaseSettings):
    """What an admin may set. Each field's description is what the README's table says."""

    model_config = SettingsConfigDict(env_prefix="GRADER_", env_file=".env", extra="ignore", frozen=True)

    home: Path = Field(Path("var"), description="where the service keeps its database, blobs and data sets")
    content: Path = Field(Path(), description="the folder that holds `rubrics/` and `reference/`")
    data: Path | None = Field(None, description="where data sets are kept; default: `data` in `GRADER_HOME`")
    database: str = Field("", description="SQLAlchemy URL; default: SQLite in `GRADER_HOME`")
    host: str = Field("127.0.0.1", description="address that the web process listens on")
    port: int = Field(8000, ge=0, le=65535, description="its port; 0 takes a free one")
    trusted_proxy: str = Field(
        "", description="addresses of proxies whose X-Forwarded-For and -Proto count; default: none"
    )
    workers: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=0,
        le=256,
        description="workers of `grader serve`, one jail each; 0: only the web; default: one per core",
    )
    warm_jails: int = Field(
        1, ge=0, le=64, description="jails of each kind that a worker makes ahead of need; 0: none"
    )
    warm_seconds: float = Field(1800, gt=0, description="a jail that has waited so long is replaced")
    warm_memory: int = Field(
        2048, ge=0, description="MiB of memory that the jails of one worker that wait may hold together"
    )
    jail_limits: JailLimits = Field(
        JailLimits.CGROUP,
        description="`cgroup`: one for each jail; `container`: the container's own, and jails take turns",
    )
    trusted_class: bool = Field(
        False, description="run without either: one student's memory use can then hurt another's run"
    )
    sentence_model: Path | None = Field(
        None,
        description="a folder with `model.onnx` and `tokenizer.json`, for second opinions; default: none",
    )
    opinion_url: str = Field(
        "",
        pattern=r"^(https?://\S+)?$",
        description="an OpenAI-compatible endpoint (`…/v1`) for second opinions; answers are sent there",
    )
    opinion_model: str = Field("", description="the model that is asked there")
    opinion_key: SecretStr = Field(SecretStr(""), description="its key, if it wants one")

    @field_validator("trusted_proxy")
    @classmethod
    def _are_addresses(cls, given: str) -> str:
        for part in filter(None, map(str.strip, given.split(","))):
            ip_network(part)  # its message names what is wrong
        return given

    @property
    def data_folder(self) -> Path:
        """Where data sets are kept."""
        return (self.data or self.home / "data").resolve()

    @property
    def database_url(self) -> str:
        """The database's SQLAlchemy URL."""
        return self.database or f"sqlite:///{self.home.resolve() / 'grader.db'}"


def read_settings() -> Settings:
    """Read the settings; `SetupIncomplete` names each wrong variable."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(
            f"GRADER_{'_'.join(map(str, e['loc'])).upper()}: {e['msg'].lower()}, not {e['input']!r}"
            for e in error.errors()
        )
        raise SetupIncomplete(
            f"settings cannot be used: {wrong}. Mend them in the environment or in .env."
        ) from None
