"""What a process holds: memory, threads, open files."""

from __future__ import annotations

import ctypes
import gc
from dataclasses import dataclass
from pathlib import Path

from adversarl_odyssey.errors import OdysseyError

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Usage:
    """What one process holds now.

    Attributes:
        rss_mb: Memory that is in use [MB].
        threads: Threads.
        fds: Open files and sockets.
    """

    rss_mb: float
    threads: int
    fds: int


def give_back() -> None:
    """Lets the allocator return what has been freed, since what it merely keeps is no leak; with glibc alone."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def usage(pid: int | None = None) -> Usage:
    """Of a process, or of this one.

    Raises:
        OdysseyError: The system does not say, or the process is gone.
    """
    place = PROC / (str(pid) if pid else "self")
    try:
        fields = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines() if ":" in line)
        fds = sum(1 for _ in (place / "fd").iterdir())
    except OSError as error:
        raise OdysseyError(
            f"{error.filename} cannot be read", "This needs a system with /proc, such as Linux."
        ) from error
    return Usage(int(fields["VmRSS"].split()[0]) / 1024, int(fields["Threads"]), fds)
