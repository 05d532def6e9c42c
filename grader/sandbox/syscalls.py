"""The system calls that a jail is refused, as a BPF program: for ``bwrap --seccomp``, or loaded at once."""

from __future__ import annotations

import errno
import socket
import tempfile
from typing import Any

from grader.errors import SetupIncomplete
from grader.sandbox.diagnosis import NO_LIBSECCOMP

# Whole families that no notebook needs and that reach deep into the kernel.
DENIED = """
    mount umount umount2 pivot_root chroot fsopen fsconfig fsmount fspick move_mount open_tree mount_setattr
    statmount listmount unshare setns
    ptrace process_vm_readv process_vm_writev process_madvise process_mrelease pidfd_getfd kcmp
    add_key request_key keyctl bpf perf_event_open io_uring_setup io_uring_enter io_uring_register userfaultfd
    io_setup
    open_by_handle_at name_to_handle_at fanotify_init lookup_dcookie
    kexec_load kexec_file_load init_module finit_module delete_module create_module
    acct swapon swapoff reboot syslog quotactl quotactl_fd nfsservctl vhangup uselib ustat _sysctl
    settimeofday clock_settime clock_adjtime adjtimex stime sethostname setdomainname iopl ioperm modify_ldt
    personality mbind move_pages migrate_pages set_mempolicy set_mempolicy_home_node
    mknod mknodat memfd_secret
    shmget shmat shmctl shmdt msgget msgsnd msgrcv msgctl semget semop semctl semtimedop ipc
""".split()  # noqa: SIM905

# bubblewrap's own calls; clone with new namespaces is among them, which `DENIED` does not name. Allowed where
# an entry of ours builds a jail within the jail, until it has.
NEEDED_BY_THE_LAUNCH = frozenset({"mount", "umount2", "pivot_root", "unshare", "sethostname"})

_CLONE_NEW_NAMESPACES = (
    0x00000080,  # CLONE_NEWTIME
    0x00020000,  # CLONE_NEWNS
    0x02000000,  # CLONE_NEWCGROUP
    0x04000000,  # CLONE_NEWUTS
    0x08000000,  # CLONE_NEWIPC
    0x10000000,  # CLONE_NEWUSER
    0x20000000,  # CLONE_NEWPID
    0x40000000,  # CLONE_NEWNET
)
_TERMINAL_INJECTION = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX

# The network namespace is empty, so IPv4 reaches the jail's own loopback and nothing else; the kernel
# collects what subprocesses print over it. A namespace does not hold the rest (vsock, alg, …).
ALLOWED_FAMILIES = (socket.AF_UNIX, socket.AF_INET)
_ALLOWED_PROTOCOLS = (0, socket.IPPROTO_TCP, socket.IPPROTO_UDP)


def compile_filter(*, nests: bool = False) -> bytes:
    """Compile the program, about 5 ms. `SetupIncomplete` where libseccomp is missing.

    ``nests`` leaves bubblewrap's own calls allowed, for an entry that builds a jail within the jail.
    """
    program = _build(nests=nests)
    with tempfile.TemporaryFile() as file:
        program.export_bpf(file)
        file.seek(0)
        return file.read()


def confine_this_process() -> None:
    """Refuse the same to every thread of this process and to what it starts, from now on and for good."""
    program = _build(nests=False)
    program.load()


def _build(*, nests: bool) -> Any:
    try:
        import pyseccomp  # noqa: PLC0415 - it loads the C library when imported, which may be missing
    except (ImportError, OSError, RuntimeError) as error:
        raise SetupIncomplete(f"{NO_LIBSECCOMP} (It said: {error})") from error
    program = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    program.set_attr(pyseccomp.Attr.ACT_BADARCH, pyseccomp.KILL_PROCESS)
    program.set_attr(pyseccomp.Attr.CTL_TSYNC, 1)
    for name in DENIED:
        if not (nests and name in NEEDED_BY_THE_LAUNCH):
            _deny(pyseccomp, program, errno.EPERM, name)
    for flag in () if nests else _CLONE_NEW_NAMESPACES:
        _deny(pyseccomp, program, errno.EPERM, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, flag, flag))
    # Its flags lie in memory that a filter cannot read; the C library falls back to clone.
    _deny(pyseccomp, program, errno.ENOSYS, "clone3")
    for request in _TERMINAL_INJECTION:
        _deny(
            pyseccomp,
            program,
            errno.EPERM,
            "ioctl",
            pyseccomp.Arg(1, pyseccomp.MASKED_EQ, 0xFFFFFFFF, request),
        )
    if not nests:  # bubblewrap asks for its own network's loopback by netlink
        _restrict_sockets(pyseccomp, program)
    return program


def _restrict_sockets(lib: Any, program: Any) -> None:
    # EOPNOTSUPP, because libzmq aborts on EAFNOSUPPORT. GT also holds garbage in the upper half.
    refused = errno.EOPNOTSUPP
    highest = max(ALLOWED_FAMILIES)
    _deny(lib, program, refused, "socket", lib.Arg(0, lib.GT, int(highest)))
    for family in range(highest):
        if family not in ALLOWED_FAMILIES:
            _deny(lib, program, refused, "socket", lib.Arg(0, lib.EQ, family))
    over_ip = lib.Arg(0, lib.EQ, int(socket.AF_INET))
    _deny(lib, program, refused, "socket", over_ip, lib.Arg(2, lib.GT, max(_ALLOWED_PROTOCOLS)))
    for protocol in range(max(_ALLOWED_PROTOCOLS)):
        if protocol not in _ALLOWED_PROTOCOLS:
            _deny(lib, program, refused, "socket", over_ip, lib.Arg(2, lib.EQ, protocol))
    _deny(lib, program, refused, "socketpair", lib.Arg(0, lib.NE, int(socket.AF_UNIX)))


def _deny(lib: Any, program: Any, error: int, call: str, *conditions: Any) -> None:
    # A call that this architecture or this libseccomp does not know cannot be named in a rule.
    if lib.resolve_syscall(lib.system_arch(), call) >= 0:
        program.add_rule(lib.ERRNO(error), call, *conditions)
