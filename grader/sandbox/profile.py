"""The seccomp profile of the worker's container: what a jail is refused, less what building one needs.

``python -m grader.sandbox.profile > docker/seccomp.json`` writes it; a test holds the file to this module.
An engine's default profile refuses user namespaces and mounts, so that no jail could be built under it.
"""

from __future__ import annotations

import json
import sys

from grader.sandbox.syscalls import DENIED, NEEDED_BY_THE_LAUNCH

# Each knows its own calls only: another architecture's have other numbers, and would pass unseen.
_ARCHITECTURES = ("SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64")


def refused_in_container() -> tuple[str, ...]:
    """The calls that nothing in the worker's container may make, in the order of `DENIED`."""
    return tuple(name for name in DENIED if name not in NEEDED_BY_THE_LAUNCH)


def container_profile() -> str:
    """The profile as JSON, in the format that Docker and Podman take with ``--security-opt seccomp=``."""
    profile = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "archMap": [{"architecture": name, "subArchitectures": []} for name in _ARCHITECTURES],
        "syscalls": [
            {
                "comment": "Written by: python -m grader.sandbox.profile",
                "names": list(refused_in_container()),
                "action": "SCMP_ACT_ERRNO",
                "errnoRet": 1,
            }
        ],
    }
    return json.dumps(profile, indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(container_profile())
