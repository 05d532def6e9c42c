"""The image and the compose file agree with each other, with the command line and with the jail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from grader.cli.settings import Settings


@pytest.fixture(scope="module")
def services(repository: Path) -> dict[str, Any]:
    loaded = YAML(typ="safe").load(repository / "docker-compose.yml")
    return dict(loaded["services"])


def test_the_compose_file_is_valid_by_the_compose_specification(repository: Path) -> None:
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run(
        [*checker, str(repository / "docker-compose.yml")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_web_and_worker_share_one_home(services: dict[str, Any], repository: Path) -> None:
    home = "/var/lib/grader/home"
    assert f"GRADER_HOME={home}" in (repository / "Dockerfile").read_text()
    assert {name: service["volumes"] for name, service in services.items()} == {
        "web": [f"home:{home}"],
        "worker": [f"home:{home}"],
    }


def test_the_worker_container_is_tight_and_has_no_network(services: dict[str, Any]) -> None:
    worker = services["worker"]
    assert worker["network_mode"] == "none"
    assert worker["read_only"] is True
    assert worker["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in worker["security_opt"]
    assert worker["mem_limit"] == worker["memswap_limit"]
    assert "privileged" not in worker
    assert not any("docker.sock" in volume for volume in worker["volumes"])


def test_every_setting_in_the_compose_file_exists(services: dict[str, Any]) -> None:
    known = {f"GRADER_{name.upper()}" for name in Settings.model_fields}
    assert {name for service in services.values() for name in service.get("environment", {})} <= known


def test_the_image_runs_as_nobody_special_and_holds_the_content(repository: Path) -> None:
    lines = (repository / "Dockerfile").read_text().splitlines()
    assert "USER grader" in lines
    assert {"COPY rubrics ./rubrics", "COPY reference ./reference"} <= set(lines)
    assert any("bubblewrap" in line for line in lines)
