"""What the user is told about a service, without being flooded in a bad hour."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from adversarl.interfaces.backend import Notice

QUIET_S = 60.0
"""Notices of one kind come at most so often [s]."""


class Notices:
    """Collects notices from any thread and tells them on the one that asks, since screens and trackers expect that.

    Args:
        clock: Gives the time [s].
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.notice: Notice | None = None
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple[str, int]] = {}
        self._told: dict[str, float] = {}

    def add(self, kind: str, text: str) -> None:
        """Something happened; of several of a kind the last text is told, and how many there were."""
        with self._lock:
            self._waiting[kind] = text, self._waiting.get(kind, ("", 0))[1] + 1

    def tell(self, *, all_of_them: bool = False) -> None:
        """Tells what is due, or everything, once it is known how."""
        if self.notice is None or not self._waiting:
            return
        for text in self._due(all_of_them):
            self.notice(text)

    def _due(self, all_of_them: bool) -> list[str]:
        with self._lock:
            now = self._clock()
            kinds = [kind for kind in self._waiting if all_of_them or now - self._told.get(kind, -QUIET_S) >= QUIET_S]
            self._told.update(dict.fromkeys(kinds, now))
            return [_counted(*self._waiting.pop(kind)) for kind in kinds]


def _counted(text: str, times: int) -> str:
    return text if times == 1 else f"{text} ({times} times since the last notice)"
