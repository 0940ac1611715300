"""A command of ours that does not outlive its parent: ``python -m adversarl_benchmark.child PPID ARGS...``."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int) -> None:
    """Has Linux send SIGTERM, which saves a run, when the parent dies, however it dies; elsewhere does nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            sys.exit(2)


if __name__ == "__main__":
    end_with_parent(int(sys.argv[1]))
    sys.argv = ["adversarl", *sys.argv[2:]]
    from adversarl.cli import main

    main()
