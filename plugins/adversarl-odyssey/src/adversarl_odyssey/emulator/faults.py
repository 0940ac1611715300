"""Faults that the emulator can be told to show, at its start or while it runs."""

from __future__ import annotations

import threading
from typing import Literal

from adversarl.errors import did_you_mean
from adversarl_odyssey.errors import OdysseyError

Kind = Literal["seconds", "count", "switch"]
FAULTS: dict[str, tuple[Kind, str]] = {
    "late-frames": ("seconds", "each picture takes so much longer"),
    "drop-connection": ("seconds", "connections break without goodbye when they are so old"),
    "expire-token": ("seconds", "tokens are worthless, and connections made with them end, after so long"),
    "max-stream": ("seconds", "streams are ended with session_timeout when they are so old"),
    "rate-limit": ("count", "so many requests for a session are refused as too many (429)"),
    "busy": ("count", "so many requests for a session find no streamer (503)"),
    "malformed": ("count", "so many messages to the client are no JSON, or lack fields"),
    "lease-denied": ("count", "so many starts of a stream are denied"),
    "refuse-prompt": ("count", "so many prompts for a running stream are refused by the moderation"),
    "fail-jobs": ("count", "so many simulation jobs fail"),
    "no-streamer": ("count", "so many connections are told that their streamer is gone"),
    "quota": ("switch", "the hours of the month are used up"),
    "suspended": ("switch", "the account is suspended"),
    "concurrent": ("switch", "the account has as many streams as it may"),
}
"""Kind and meaning of each fault."""


class Faults:
    """Which faults are on; may be switched from any thread.

    Args:
        settings: Faults to begin with, as ``NAME`` or ``NAME=VALUE``.

    Raises:
        OdysseyError: One has no such name, or a value that is none.
    """

    def __init__(self, settings: tuple[str, ...] = ()) -> None:
        self._lock = threading.Lock()
        self._values: dict[str, float] = {}
        for setting in settings:
            self.switch(setting)

    def switch(self, setting: str) -> None:
        """Switches one on, or off with ``NAME=off``.

        Raises:
            OdysseyError: There is no such fault, or the value is none.
        """
        name, _, value = (part.strip() for part in setting.partition("="))
        if name not in FAULTS:
            raise OdysseyError(f"the emulator has no fault '{name}'", did_you_mean(name, FAULTS))
        number = None if value == "off" else _number(name, value)
        with self._lock:
            if number is None:
                self._values.pop(name, None)
            else:
                self._values[name] = number

    def clear(self) -> None:
        """Switches all off."""
        with self._lock:
            self._values.clear()

    def get(self, name: str) -> float | None:
        """The value of a fault that is on; 1 for a switch."""
        return self._values.get(name)

    def take(self, name: str) -> bool:
        """Whether a counted fault is to be shown now; counts it."""
        with self._lock:
            left = self._values.get(name, 0.0)
            if left > 1:
                self._values[name] = left - 1
            else:
                self._values.pop(name, None)
        return left >= 1

    def show(self) -> dict[str, float]:
        """All that are on."""
        with self._lock:
            return dict(self._values)


def _number(name: str, value: str) -> float:
    kind, meaning = FAULTS[name]
    if kind == "switch" and not value:
        return 1.0
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if kind == "switch" or not 0 <= number < float("inf") or (kind == "count" and number != int(number)):
        example = {"seconds": f"{name}=2.5", "count": f"{name}=3", "switch": name}[kind]
        raise OdysseyError(f"the emulator's fault '{name}' cannot be '{value}': {meaning}", f"Write {example}.")
    return number
