"""Commands that run side by side, in an order that respects what they need."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from adversarl.errors import AdversarlError

POLL_S = 0.2
"""Seconds between two looks at what runs."""


@dataclass(frozen=True, slots=True)
class Job:
    """One command of ours.

    Attributes:
        name: For progress and errors.
        command: Words after ``adversarl``, asked when it starts, since it may depend on what is there by then.
        log: Where its output goes.
        done: Whether its result is there already.
        needs: Names of jobs that come first.
        folder: A run folder whose lock has to be free.
    """

    name: str
    command: Callable[[], Sequence[str]]
    log: Path
    done: Callable[[], bool]
    needs: tuple[str, ...] = ()
    folder: Path | None = None


Watch = Callable[[Mapping[str, Job], int, int], None]
"""Is told (running jobs, finished, total) now and then."""


def run_jobs(jobs: Sequence[Job], at_once: int, watch: Watch, stop_requested: Callable[[], bool]) -> bool:
    """Runs what is not done.

    Args:
        jobs: In order of preference.
        at_once: Most processes at a time.
        watch: Progress.
        stop_requested: Whether to stop: what runs is asked to save, and nothing is begun.

    Returns:
        Whether everything is done; False after a stop.

    Raises:
        AdversarlError: Jobs failed; all that does not need them was finished before.
    """
    waiting = {job.name: job for job in jobs if not job.done()}
    running: dict[str, tuple[Job, subprocess.Popen[bytes]]] = {}
    failed: dict[str, Job] = {}
    stopping = False
    try:
        while running or (waiting and not stopping):
            if stop_requested() and not stopping:
                stopping = True
                _signal(running)
            if not stopping:
                _start(waiting, running, failed, at_once)
            _collect(running, failed)
            if not running and waiting and not _ready(waiting, running, failed):
                break
            total = len(jobs)
            watch({name: job for name, (job, _) in running.items()}, total - len(waiting) - len(running), total)
            time.sleep(POLL_S)
    finally:
        _signal(running)
        for _, process in running.values():
            process.wait()
    if failed and not stopping:
        raise AdversarlError(_explained(failed, waiting))
    return not stopping


def _ready(waiting: Mapping[str, Job], running: Mapping[str, object], failed: Mapping[str, Job]) -> list[Job]:
    unfinished = {*waiting, *running, *failed}
    return [job for job in waiting.values() if not unfinished.intersection(job.needs) and not _locked(job.folder)]


def _start(
    waiting: dict[str, Job],
    running: dict[str, tuple[Job, subprocess.Popen[bytes]]],
    failed: Mapping[str, Job],
    at_once: int,
) -> None:
    for job in _ready(waiting, running, failed)[: max(0, at_once - len(running))]:
        del waiting[job.name]
        job.log.parent.mkdir(parents=True, exist_ok=True)
        words = [sys.executable, "-m", "adversarl_benchmark.child", str(os.getpid()), *job.command()]
        with job.log.open("ab") as log:
            # A session of its own: Ctrl-C in a terminal reaches us alone, and we ask it to save.
            process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        running[job.name] = (job, process)


def _collect(running: dict[str, tuple[Job, subprocess.Popen[bytes]]], failed: dict[str, Job]) -> None:
    for name, (job, process) in list(running.items()):
        if process.poll() is not None:
            del running[name]
            if process.returncode or not job.done():
                failed[name] = job


def _signal(running: Mapping[str, tuple[Job, subprocess.Popen[bytes]]]) -> None:
    for _, process in running.values():
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)


def _locked(folder: Path | None) -> bool:
    """Whether another process writes a run folder, such as one that is still saving for a benchmark that died."""
    if folder is None or not (folder / "lock").exists():
        return False
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _explained(failed: Mapping[str, Job], waiting: Mapping[str, Job]) -> str:
    parts = [f"{name} failed; the end of {job.log}:\n{_tail(job.log)}" for name, job in failed.items()]
    left = f"\n{len(waiting)} jobs that need them were not begun." if waiting else ""
    return "\n".join(parts) + left + "\nMend the cause and give the same command again: what is done is kept"


def _tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
