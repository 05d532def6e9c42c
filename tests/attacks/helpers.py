# Put before every attack, in the jail: each try says what came of it, so that containment can be told
# from an error that only hid the attempt.
import ctypes
import errno
import os

libc = ctypes.CDLL(None, use_errno=True)


def attempt(what, do):
    """Print ``what: reached`` with what was got, or ``what: refused`` with the reason."""
    try:
        got = do()
    except OSError as error:
        print(f"{what}: refused", errno.errorcode.get(error.errno, error), flush=True)
    except Exception as error:
        print(f"{what}: refused", type(error).__name__, error, flush=True)
    else:
        print(f"{what}: reached", repr(got)[:300], flush=True)


def call(name, *arguments):
    """Call the C library, or a system call by its number; OSError where it fails."""
    ctypes.set_errno(0)
    function = libc.syscall if isinstance(name, int) else getattr(libc, name)
    result = function(*((name,) if isinstance(name, int) else ()), *arguments)
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def read(path):
    with open(path, "rb") as file:
        return file.read(4096)


def write(path, what=b"x"):
    with open(path, "r+b" if os.path.exists(path) else "wb", buffering=0) as file:
        return file.write(what)
