"""Threads that stay, and share out work with the thread that asks for it."""

from __future__ import annotations

import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from queue import SimpleQueue

Job = Callable[[], None]


class Items:
    """Items of one round of work, put in by one thread and taken by several."""

    def __init__(self) -> None:
        self._queue: deque[int] = deque()
        self.closed = False

    def put(self, item: int) -> None:
        """Adds an item."""
        self._queue.append(item)

    def take(self) -> int | None:
        """An item; waits for one until the round is closed, then None."""
        while True:
            try:
                return self._queue.popleft()
            except IndexError:
                if self.closed:
                    return None
                time.sleep(0)  # a helper was faster than the caller, who is preparing the first item


class Helper(threading.Thread):
    """A thread of a pool that is not the caller's."""


class Pool:
    """Runs a round of work on the caller's thread and on helpers at once.

    Waking a thread takes a tenth of a millisecond and more on a virtual machine, a third of what an item takes. So
    helpers are woken before the caller prepares the items, all take items from one queue (a late helper only takes
    fewer), and the caller completes its own items before it waits for the helpers.

    Args:
        size: Number of threads, the caller's included.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._inboxes: list[SimpleQueue[Job | None]] = [SimpleQueue() for _ in range(size - 1)]
        self._outbox: SimpleQueue[BaseException | None] = SimpleQueue()
        threads = [
            Helper(target=_serve, args=(box, self._outbox), name=f"world-{i}", daemon=True)
            for i, box in enumerate(self._inboxes, start=1)
        ]
        for thread in threads:
            thread.start()
        self.stop = weakref.finalize(self, _stop, self._inboxes, threads)
        """Ends the threads; also called when the pool is collected or Python ends."""

    def run(
        self,
        envs: Iterable[int],
        work: Callable[[Callable[[], int | None]], list[int]],
        prepare: Callable[[int], None],
        conclude: Callable[[int], None],
    ) -> None:
        """Handles environments in three parts, the middle one on all threads; raises what failed first.

        Args:
            envs: The environments.
            work: Is given a function that returns the next environment or None, and returns those it has handled.
            prepare: Called for each environment in the caller's thread, before the work.
            conclude: Called for each environment in the caller's thread, after the work.
        """
        pending = list(envs)
        boxes = self._inboxes[: max(0, len(pending) - 1)]
        if not boxes:
            for env in pending:
                prepare(env)
            remaining = iter(pending)
            for env in work(lambda: next(remaining, None)):
                conclude(env)
            return
        items = Items()
        others: list[int] = []
        for box in boxes:
            box.put(lambda: others.extend(work(items.take)))
        try:
            for env in pending:
                prepare(env)
                items.put(env)
            items.closed = True
            for env in work(items.take):
                conclude(env)
        finally:
            items.closed = True
            failures = [failure for failure in [self._outbox.get() for _ in boxes] if failure is not None]
        if failures:
            raise failures[0]
        for env in others:
            conclude(env)

    def everywhere(self, job: Job) -> None:
        """Calls a job once on each thread, helpers one after the other, then the caller's."""
        for box in self._inboxes:
            box.put(job)
            failure = self._outbox.get()
            if failure is not None:
                raise failure
        job()


def _serve(inbox: SimpleQueue[Job | None], outbox: SimpleQueue[BaseException | None]) -> None:
    while (job := inbox.get()) is not None:
        try:
            job()
        except BaseException as failure:  # raised again in the thread that called `run`
            outbox.put(failure)
        else:
            outbox.put(None)
        del job  # or an idle thread would keep the world alive


def _stop(inboxes: list[SimpleQueue[Job | None]], threads: Sequence[threading.Thread]) -> None:
    for inbox in inboxes:
        inbox.put(None)
    for thread in threads:
        thread.join(timeout=5)
