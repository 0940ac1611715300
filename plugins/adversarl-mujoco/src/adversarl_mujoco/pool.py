"""Threads that stay, and share out work with the thread that asks for it."""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")
Worker = Callable[[deque[T]], None]


class Pool:
    """Runs a job on the caller's thread and on helpers at once, all taking items from one queue.

    Work is dealt dynamically, since waking a thread can take a tenth of a millisecond and more on a virtual machine:
    the caller begins at once, and a late helper only takes fewer items.

    Args:
        size: Number of threads, the caller's included.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._inboxes: list[SimpleQueue[Callable[[], None] | None]] = [SimpleQueue() for _ in range(size - 1)]
        self._outbox: SimpleQueue[BaseException | None] = SimpleQueue()
        threads = [
            threading.Thread(target=_serve, args=(box, self._outbox), name=f"world-{i}", daemon=True)
            for i, box in enumerate(self._inboxes, start=1)
        ]
        for thread in threads:
            thread.start()
        self.stop = weakref.finalize(self, _stop, self._inboxes, threads)
        """Ends the threads; also called when the pool is collected or Python ends."""

    def run(self, worker: Worker[T], items: Iterable[T]) -> None:
        """Has threads call ``worker(queue)``, which takes items until none is left; raises what failed first."""
        queue = deque(items)
        boxes = self._inboxes[: max(0, len(queue) - 1)]
        if not boxes:
            return worker(queue)
        for box in boxes:
            box.put(lambda: worker(queue))
        try:
            worker(queue)
        except BaseException:
            queue.clear()
            raise
        finally:
            failures = [failure for failure in [self._outbox.get() for _ in boxes] if failure is not None]
        if failures:
            raise failures[0]

    def everywhere(self, job: Callable[[], None]) -> None:
        """Calls a job once on each thread, helpers one after the other, then the caller's."""
        for box in self._inboxes:
            box.put(job)
            failure = self._outbox.get()
            if failure is not None:
                raise failure
        job()


def _serve(inbox: SimpleQueue[Callable[[], None] | None], outbox: SimpleQueue[BaseException | None]) -> None:
    while (job := inbox.get()) is not None:
        try:
            job()
        except BaseException as failure:  # raised again in the thread that called `run`
            outbox.put(failure)
        else:
            outbox.put(None)
        del job  # or an idle thread would keep the world alive


def _stop(inboxes: list[SimpleQueue[Callable[[], None] | None]], threads: list[threading.Thread]) -> None:
    for inbox in inboxes:
        inbox.put(None)
    for thread in threads:
        thread.join(timeout=5)
