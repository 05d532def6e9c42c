"""Runs in a jail what its first frame says; the code calls ``tell(header, payload)`` to answer."""

import sys

from grader.sandbox.frames import read_frame, write_frame
from grader.sandbox.jail import Frame


def tell(header, payload=b""):
    write_frame(sys.stdout.buffer, Frame(header, payload))


if __name__ == "__main__":
    asked = read_frame(sys.stdin.buffer, 1 << 30)
    if asked is not None:
        exec(asked.header["code"], {"tell": tell, "asked": asked, "__name__": "__main__"})
