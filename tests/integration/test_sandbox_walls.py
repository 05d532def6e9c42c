"""A real jail, from inside: what student code cannot see or do there, and what it must be able to do."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.sandbox.arguments import this_environment
from grader.sandbox.bubblewrap import BubblewrapSandbox, open_sandbox
from grader.sandbox.jail import ExitReason, Mount
from tests.integration.sandbox_runs import run

CALL = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *arguments):
    ctypes.set_errno(0)
    result = getattr(libc, name)(*arguments)
    return os.strerror(ctypes.get_errno()) if result == -1 else "done"
"""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> BubblewrapSandbox:
    return open_sandbox(scratch=tmp_path_factory.mktemp("scratch"))


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server


def test_a_listener_of_the_host_cannot_be_reached(
    sandbox: BubblewrapSandbox, listener: socket.socket
) -> None:
    code = f"""
        import socket
        with socket.socket() as client:
            tell({{"error": client.connect_ex(("127.0.0.1", {listener.getsockname()[1]}))}})
        """
    assert run(sandbox, code).told["error"] != 0


def test_there_is_no_interface_but_loopback(sandbox: BubblewrapSandbox) -> None:
    code = 'tell({"devices": open("/proc/net/dev").read().count(":")})'
    assert run(sandbox, code).told == {"devices": 1}


def test_names_cannot_be_resolved(sandbox: BubblewrapSandbox) -> None:
    code = """
        import socket
        try: socket.getaddrinfo("example.com", 80)
        except OSError as error: tell({"error": type(error).__name__})
        """
    assert run(sandbox, code).told == {"error": "gaierror"}


def test_its_own_loopback_works(sandbox: BubblewrapSandbox) -> None:
    code = """
        import socket
        with socket.create_server(("127.0.0.1", 0)) as server:
            with socket.create_connection(server.getsockname()): tell({"connected": True})
        """
    assert run(sandbox, code).told == {"connected": True}


@pytest.mark.parametrize(
    "family",
    [40, 38, 16, 17, 10, 29, 31],
    ids=["vsock", "alg", "netlink", "packet", "inet6", "can", "bluetooth"],
)
def test_other_socket_families_are_refused_politely(sandbox: BubblewrapSandbox, family: int) -> None:
    code = f"""
        import errno, socket
        answers = []
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
            try: socket.socket({family}, kind)
            except OSError as error: answers.append(error.errno == errno.EOPNOTSUPP)
        tell({{"answers": answers}})
        """
    assert run(sandbox, code).told == {"answers": [True] * 4}


@pytest.mark.parametrize(
    "call",
    [
        'call("mount", b"none", b"/tmp", b"tmpfs", 0, None)',
        'call("umount2", b"/tmp", 0)',
        'call("chroot", b"/tmp")',
        'call("unshare", 0x10000000)',
        'call("setns", 0, 0)',
        'call("ptrace", 16, 1, 0, 0)',
        'call("personality", 0x0040000)',
        'call("shmget", 1, 4096, 0o1000)',
        'call("sethostname", b"x", 1)',
        'call("syscall", 321, 0, 0, 0)',  # bpf
        'call("syscall", 425, 1, 0)',  # io_uring_setup
        'call("syscall", 298, 0, 0, -1, -1, 0)',  # perf_event_open
        'call("syscall", 250, 0, 0)',  # keyctl
        'call("syscall", 323, 0)',  # userfaultfd
        'call("syscall", 56, 0x10000011, 0, 0, 0, 0)',  # clone with a user namespace
        'call("mknod", b"/tmp/null", 0o20666, 0x103)',
        'call("ioctl", 0, 0x5412, b"x")',
    ],
)
def test_dangerous_calls_are_refused(sandbox: BubblewrapSandbox, call: str) -> None:
    if "syscall" in call and os.uname().machine != "x86_64":
        pytest.skip("numbers of another architecture")
    assert run(sandbox, CALL + f'tell({{"answer": {call}}})').told == {"answer": "Operation not permitted"}


def test_clone3_seems_not_to_exist(sandbox: BubblewrapSandbox) -> None:
    told = run(sandbox, CALL + 'tell({"answer": call("syscall", 435, 0, 0)})').told
    assert told == {"answer": "Function not implemented"}


def test_nothing_of_the_host_can_be_seen(sandbox: BubblewrapSandbox, repository: Path) -> None:
    canary = sandbox.scratch / "canary"
    canary.write_text("secret")
    places = ["/etc/shadow", "/var", "/srv", "/sys/kernel", "/run/notebook-grader", canary]
    places += [repository / name for name in ("rubrics", "reference", "tests", "pyproject.toml", ".git")]
    places += [
        home / name for home in {Path("/root"), Path.home()} for name in (".bashrc", ".profile", ".ssh")
    ]
    code = f"import os; tell({{'seen': [p for p in {[str(p) for p in places]} if os.path.exists(p)]}})"
    assert run(sandbox, code).told == {"seen": []}


def test_of_a_home_that_holds_the_python_only_the_way_to_it_can_be_seen(sandbox: BubblewrapSandbox) -> None:
    code = "import os; tell({'homes': os.listdir('/root') if os.path.exists('/root') else []})"
    prefix = Path(sys.base_prefix)
    way = [prefix.relative_to("/root").parts[0]] if prefix.is_relative_to("/root") else []
    assert run(sandbox, code).told == {"homes": way}


def test_only_our_processes_can_be_seen(sandbox: BubblewrapSandbox) -> None:
    code = 'import os; tell({"processes": sum(name.isdigit() for name in os.listdir("/proc"))})'
    assert run(sandbox, code).told == {"processes": 2}


def test_the_environment_is_the_one_that_was_given(
    sandbox: BubblewrapSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_SECRET", "leaked")
    told = run(
        sandbox,
        """
        import os
        tell({
            "mine": dict(os.environ),
            "of_the_first": open("/proc/1/environ").read(),
            "command_of_the_first": open("/proc/1/cmdline").read(),
        })
        """,
    ).told
    assert "leaked" not in str(told)
    assert [line.partition("=")[0] for line in told["of_the_first"].strip("\0").split("\0")] in (
        ["PATH"],
        ["PATH", "PWD"],
        ["PWD", "PATH"],
    )
    assert "/data" not in told["command_of_the_first"]
    expected = {"HOME": "/home/student", "TZ": "UTC", "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    assert expected.items() <= told["mine"].items()


def test_no_descriptor_of_ours_is_inherited(sandbox: BubblewrapSandbox) -> None:
    code = """
        import os
        own = {}
        for name in os.listdir("/proc/self/fd"):
            try: own[name] = os.readlink("/proc/self/fd/" + name)
            except FileNotFoundError: pass
        tell({"own": own})
        """
    with Path("/etc/passwd").open("rb") as kept_open:
        os.set_inheritable(kept_open.fileno(), True)
        own = run(sandbox, code).told["own"]
    assert sorted(own) == ["0", "1", "2"]
    assert [own[name].split(":")[0] for name in "012"] == ["pipe", "socket", "pipe"]


def test_the_first_process_does_not_hold_the_wire(sandbox: BubblewrapSandbox) -> None:
    code = 'import os; tell({n: os.readlink("/proc/1/fd/" + n) for n in os.listdir("/proc/1/fd")})'
    held = run(sandbox, code).told
    assert held["1"] == "/dev/null"
    assert not [target for target in held.values() if target.startswith("socket:")]


def test_the_limits_per_process_are_set(sandbox: BubblewrapSandbox) -> None:
    code = """
        import resource as r
        names = ("RLIMIT_NPROC", "RLIMIT_NOFILE", "RLIMIT_FSIZE", "RLIMIT_CORE", "RLIMIT_MSGQUEUE")
        tell({name: r.getrlimit(getattr(r, name, 12)) for name in names})
        """
    told: dict[str, Any] = run(sandbox, code, processes=50, open_files=300, file_bytes=1 << 20).told
    assert told == {
        "RLIMIT_NPROC": [50, 50],
        "RLIMIT_NOFILE": [300, 300],
        "RLIMIT_FSIZE": [1 << 20, 1 << 20],
        "RLIMIT_CORE": [0, 0],
        "RLIMIT_MSGQUEUE": [0, 0],
    }


def test_temporary_folders_are_writable_and_bounded(sandbox: BubblewrapSandbox) -> None:
    code = """
        import os
        room = {}
        for folder in ("/tmp", "/home/student", "/dev/shm", "/run/harvest"):
            with open(folder + "/x", "w") as file: file.write("x")
            found = os.statvfs(folder)
            room[folder] = found.f_blocks * found.f_frsize
        tell(room)
        """
    told = run(sandbox, code, tmp_bytes=32 << 20).told
    assert told == {
        "/tmp": 32 << 20,
        "/home/student": 32 << 20,
        "/dev/shm": 32 << 20,
        "/run/harvest": 256 << 20,
    }


def test_everything_else_is_read_only(sandbox: BubblewrapSandbox, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    mounts = (Mount(tmp_path, "/data"),)
    code = """
        import errno, os
        answers = {}
        for folder in ("/", "/usr", "/etc", "/dev", "/opt/grader/grader", "/data", "/home", "/run"):
            try: open(folder + "/x", "w")
            except OSError as error: answers[folder] = errno.errorcode[error.errno]
        tell(answers)
        """
    told = run(sandbox, code, mounts=mounts).told
    assert len(told) == 8
    assert set(told.values()) <= {"EROFS", "EACCES"}
    assert list(tmp_path.iterdir()) == []


def test_hidden_paths_are_empty_inside(tmp_path: Path) -> None:
    shown = tmp_path / "shown"
    (shown / "secrets").mkdir(parents=True)
    (shown / "secrets" / "key.txt").write_text("leaked")
    (shown / "answers.txt").write_text("leaked")
    (shown / "open.txt").write_text("open")
    sandbox = open_sandbox(
        scratch=tmp_path / "scratch",
        hidden=[shown / "secrets", shown / "answers.txt", Path("/usr/include"), tmp_path / "elsewhere"],
    )
    ran = run(
        sandbox,
        """
        import os
        def read(path):
            try: return open(path).read()
            except PermissionError: return ""
        tell({
            "open": read("/data/open.txt"),
            "answers": read("/data/answers.txt"),
            "secrets": os.listdir("/data/secrets"),
            "include": os.listdir("/usr/include"),
        })
        """,
        mounts=(Mount(shown, "/data"),),
    )
    assert ran.told == {"open": "open", "answers": "", "secrets": [], "include": []}


def test_the_jail_runs_as_nobody_that_the_host_knows(sandbox: BubblewrapSandbox) -> None:
    code = """
        import os
        status = dict(line.split(":\\t", 1) for line in open("/proc/self/status") if ":\\t" in line)
        tell({"uid": os.getuid(), "groups": len(os.getgroups()), "caps": status["CapBnd"].strip()})
        """
    assert run(sandbox, code).told == {"uid": 1000, "groups": 0, "caps": "0" * 16}


def test_the_package_can_be_imported_and_nothing_of_the_current_folder(sandbox: BubblewrapSandbox) -> None:
    code = 'import grader, sys; tell({"from": grader.__file__, "here": "" in sys.path})'
    told = run(sandbox, code).told
    assert told == {"from": "/opt/grader/grader/__init__.py", "here": False}


def test_the_same_python_runs_inside(sandbox: BubblewrapSandbox) -> None:
    ran = run(sandbox, 'import sys; tell({"prefix": sys.prefix})')
    assert ran.told == {"prefix": str(this_environment().prefix)}
    assert ran.exit.reason is ExitReason.COMPLETED
