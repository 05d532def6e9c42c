"""The self-test finds jails that hold here, and names what is wrong where they would not."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from grader.errors import SandboxUnavailable, SetupIncomplete
from grader.sandbox import bubblewrap, selftest
from grader.sandbox.arguments import this_environment
from grader.sandbox.bubblewrap import BubblewrapSandbox, open_sandbox
from grader.sandbox.diagnosis import WITHOUT_GROUPS
from grader.sandbox.selftest import check_sandbox, require_working


@pytest.fixture
def everyone_may_enter() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_jails_hold_on_this_machine(tmp_path: Path, repository: Path) -> None:
    sandbox = open_sandbox(scratch=tmp_path, hidden=[repository / "rubrics"])
    findings = check_sandbox(sandbox)
    assert [found for found in findings if not found.holds] == []
    assert {found.name for found in findings} == {
        *("no network", "no host files", "no host processes", "nothing to write", "process limit"),
        *("file limit", "memory limit", "system call filter", "no capabilities", "not root outside"),
        *("ends when killed", "a jail within it"),
    }
    require_working(sandbox)


@pytest.mark.parametrize("closed", [".", "sandbox", "errors.py"])
def test_a_package_that_only_root_may_read_is_named_with_the_line_that_mends_it(
    tmp_path: Path, closed: str
) -> None:
    if os.geteuid() != 0:
        pytest.skip("an ordinary user's jails run as that user")
    package = tmp_path / "grader"
    (package / "sandbox").mkdir(parents=True)
    (package / "errors.py").touch()
    (package / closed).chmod(0o600)
    environment = replace(this_environment(), package=package)
    sandbox = BubblewrapSandbox(environment=environment, scratch=tmp_path / "scratch")
    with pytest.raises(SandboxUnavailable, match=f"chmod -R a\\+rX {package}"):
        require_working(sandbox)


def test_without_bubblewrap_it_names_the_line_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bubblewrap, "TOOLS_PATH", str(tmp_path))
    with pytest.raises(SetupIncomplete, match="apt-get install bubblewrap"):
        open_sandbox(scratch=tmp_path)


def test_an_old_bubblewrap_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "bwrap"
    old.write_text("#!/bin/sh\necho bubblewrap 0.6.1\n")
    old.chmod(0o755)
    monkeypatch.setattr(bubblewrap, "TOOLS_PATH", str(tmp_path))
    with pytest.raises(SetupIncomplete, match=r"0\.8 or newer.*0\.6\.1"):
        open_sandbox(scratch=tmp_path)


def test_without_control_groups_it_refuses_unless_told_that_the_class_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(bubblewrap, "find_parents", tuple)
    with pytest.raises(SetupIncomplete, match="Delegate=yes"):
        open_sandbox(scratch=tmp_path)
    sandbox = open_sandbox(scratch=tmp_path, trusted_class=True)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert all(weakness in caplog.text for weakness in WITHOUT_GROUPS)
    findings = check_sandbox(sandbox)
    assert [found for found in findings if not found.holds] == []
    assert {"memory limit per process", "ends when killed"} <= {found.name for found in findings}


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({"file_bytes": 1 << 40}, "file limit"),
        ({"memory_bytes": 1 << 40}, "memory limit"),
        ({"processes": 200}, "process limit"),
    ],
    ids=str,
)
def test_a_limit_that_does_not_bite_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, int], broken: str
) -> None:
    monkeypatch.setattr(selftest, "_LIMITS", replace(selftest._LIMITS, **change))
    sandbox = open_sandbox(scratch=tmp_path)
    assert [found.name for found in check_sandbox(sandbox) if not found.holds] == [broken]


def test_a_process_that_outlives_its_jail_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest, "_PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(selftest, "_processes_in", lambda _: [os.getpid()])
    sandbox = open_sandbox(scratch=tmp_path)
    assert [found.name for found in check_sandbox(sandbox) if not found.holds] == ["ends when killed"]


def test_a_bubblewrap_that_fails_is_explained(
    tmp_path: Path, everyone_may_enter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = everyone_may_enter / "bwrap"
    broken.write_text(
        "#!/bin/sh\n"
        'if [ "$1" = --version ]; then echo bubblewrap 0.9.0; exit 0; fi\n'
        "echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1\n"
    )
    broken.chmod(0o755)
    monkeypatch.setattr(bubblewrap, "TOOLS_PATH", f"{everyone_may_enter}:/usr/sbin:/usr/bin:/sbin:/bin")
    sandbox = open_sandbox(scratch=tmp_path / "scratch")
    with pytest.raises(
        SandboxUnavailable, match=r"sysctl -w kernel\.apparmor_restrict_unprivileged_userns=0"
    ):
        require_working(sandbox)
