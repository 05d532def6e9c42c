"""Runs inside a jail: answers its opening at once, and its one request with what that says."""

import sys

from grader.sandbox.frames import read_frame, write_frame
from grader.sandbox.jail import PREPARED, Frame

opening = read_frame(sys.stdin.buffer, 1 << 20)
write_frame(sys.stdout.buffer, Frame({"kind": PREPARED}))
if (asked := read_frame(sys.stdin.buffer, 1 << 20)) is not None:
    write_frame(sys.stdout.buffer, Frame({"opening": dict(opening.header), **asked.header}))
