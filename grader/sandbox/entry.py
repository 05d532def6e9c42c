"""The first thing of ours that runs in a jail: makes the wire its stdout, then becomes the entry module.

bubblewrap's own process inside keeps its stdout open, and student code may reach into that process
(``/proc/1/fd``, ``/proc/1/mem``). So the wire comes in beside stdout, as a descriptor that bubblewrap closes
in itself and hands on.
"""

from __future__ import annotations

import os
import runpy
import sys


def main() -> None:
    """Run the module named second with the descriptor named first as its stdout."""
    wire, module = int(sys.argv[1]), sys.argv[2]
    os.dup2(wire, 1)
    os.close(wire)
    del sys.argv[1:3]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
