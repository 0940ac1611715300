"""Threads that stay, each the home of one GL context."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

Job = Callable[[int], Any]


class Pool:
    """Runs one job on all of its threads at once.

    A GL context belongs to the thread that makes it current, so jobs must find the same thread each time;
    an executor promises no such thing.

    Args:
        size: Number of threads.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._inboxes: list[SimpleQueue[Job | None]] = [SimpleQueue() for _ in range(size)]
        self._outbox: SimpleQueue[BaseException | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=_serve, args=(i, box, self._outbox), name=f"world-{i}", daemon=True)
            for i, box in enumerate(self._inboxes)
        ]
        for thread in self._threads:
            thread.start()
        self.stop = weakref.finalize(self, _stop, self._inboxes, self._threads)
        """Ends the threads; also called when the pool is collected or Python ends."""

    def run(self, job: Job, only: int | None = None) -> None:
        """Calls ``job(i)`` on every thread i, or on one, and waits; raises what the first failing one raised."""
        boxes = self._inboxes if only is None else self._inboxes[only : only + 1]
        for box in boxes:
            box.put(job)
        failures = [failure for failure in [self._outbox.get() for _ in boxes] if failure is not None]
        if failures:
            raise failures[0]


def _serve(index: int, inbox: SimpleQueue[Job | None], outbox: SimpleQueue[BaseException | None]) -> None:
    while (job := inbox.get()) is not None:
        try:
            job(index)
        except BaseException as failure:  # handed to the caller of `run`
            outbox.put(failure)
        else:
            outbox.put(None)
        del job


def _stop(inboxes: list[SimpleQueue[Job | None]], threads: list[threading.Thread]) -> None:
    for inbox in inboxes:
        inbox.put(None)
    for thread in threads:
        thread.join(timeout=5)
