"""What streams cost: stream time x price, in ``odyssey.jsonl`` while it is spent."""

from __future__ import annotations

import json
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

FILE = "odyssey.jsonl"
WRITE_EVERY_S = 5.0
"""What streams that are open have cost is written so often [s]: so much is forgotten if the process is killed."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Entry:
    """One stream's time.

    Attributes:
        key: Names it in the journal, in all processes.
        price: Of an hour [USD].
        since: When it began, by the meter's clock [s].
        stream: The service's name for it, by which a recording is found; empty until the service has said it.
        until: When it ended; None while it runs [s].
        why: What ended it.
    """

    key: str
    price: float
    since: float
    stream: str = ""
    until: float | None = None
    why: str = ""

    def seconds(self, now: float) -> float:
        """How long it has run [s]."""
        return (now if self.until is None else self.until) - self.since

    def usd(self, now: float) -> float:
        """What it has cost [USD]."""
        return self.seconds(now) * self.price / 3600


class Meter:
    """Adds up what streams cost; every method may be called from any thread.

    Streams are counted so::

        entry = meter.begin(price_usd_per_hour)   # before the service is asked for the stream
        ...
        meter.end(entry, "closed")

    A stream counts from before it is asked for until after it has ended, so that the sum is rather too high than too
    low. Each line of the journal holds all that a stream has cost up to then, and the last one of a stream counts.

    Args:
        folder: The run folder; what earlier processes wrote there counts too. None until there is one.
        clock: Gives the time [s].
    """

    def __init__(self, folder: Path | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.folder: Path | None = None
        self.earlier_usd = 0.0
        self.earlier_s = 0.0
        self._clock = clock
        self._lock = threading.RLock()
        self._process = secrets.token_hex(4)
        self._begun = 0
        self._open = list[Entry]()
        self._kept = list[Entry]()
        self._ended_usd = self._ended_s = 0.0
        if folder is not None:
            self.attach(folder)

    def attach(self, folder: Path) -> None:
        """Counts what earlier processes of a run spent, and writes into its folder from now on."""
        with self._lock:
            self.folder = folder
            self.earlier_s, self.earlier_usd = read(folder / FILE)
            self._append([*self._kept, *self._open])
            self._kept.clear()

    def begin(self, price_usd_per_hour: float) -> Entry:
        """A stream is about to be asked for."""
        with self._lock:
            self._begun += 1
            entry = Entry(f"{self._process}-{self._begun}", price_usd_per_hour, self._clock())
            self._open.append(entry)
            return entry

    def end(self, entry: Entry, why: str) -> None:
        """The stream has ended, or can cost nothing more."""
        with self._lock:
            if entry.until is not None:
                return
            entry.until, entry.why = self._clock(), why
            self._open.remove(entry)
            self._ended_s += entry.seconds(entry.until)
            self._ended_usd += entry.usd(entry.until)
            if self.folder is None:
                self._kept.append(entry)
            else:
                self._append([entry])

    def book(self, price_usd_per_hour: float, seconds: float, why: str) -> None:
        """Counts what was paid beside the streams, such as a video [s]."""
        with self._lock:
            entry = self.begin(price_usd_per_hour)
            entry.since -= seconds
            self.end(entry, why)

    def write(self) -> None:
        """Writes what the open streams have cost up to now."""
        with self._lock:
            self._append(self._open)

    @property
    def cost_usd(self) -> float:
        """What all streams of the run have cost, in this and in earlier processes [USD]."""
        with self._lock:
            now = self._clock()
            return self.earlier_usd + self._ended_usd + sum(entry.usd(now) for entry in self._open)

    @property
    def stream_s(self) -> float:
        """How long all streams of the run have been open, added up [s]."""
        with self._lock:
            now = self._clock()
            return self.earlier_s + self._ended_s + sum(entry.seconds(now) for entry in self._open)

    @property
    def open_streams(self) -> int:
        """How many streams cost something now."""
        with self._lock:
            return len(self._open)

    def exhausted(self, max_cost_usd: float) -> str:
        """Why a run must stop; empty while it may go on."""
        spent = self.cost_usd
        if spent < max_cost_usd:
            return ""
        hours = self.stream_s / 3600
        return f"Odyssey's streams have cost {spent:.3g} USD ({hours:.3g} h), and max_cost_usd is {max_cost_usd:g}"

    def scalars(self) -> dict[str, float]:
        """Cost [USD], stream time [h], and streams that are open."""
        return {
            "odyssey/cost_usd": self.cost_usd,
            "odyssey/stream_hours": self.stream_s / 3600,
            "odyssey/open_streams": float(self.open_streams),
        }

    def _append(self, entries: list[Entry]) -> None:
        """A journal that cannot be written must not end streams that are paid for."""
        if self.folder is None or not entries:
            return
        now, path = self._clock(), self.folder / FILE
        lines = "".join(json.dumps(_row(entry, now)) + "\n" for entry in entries)
        try:
            with path.open("ab+") as file:
                file.write((lines if _whole(file) else "\n" + lines).encode())
        except OSError as error:
            log.warning("%s cannot be written (%s): a resumed run will not know all that was spent", path, error)


def read(path: Path) -> tuple[float, float]:
    """Stream time [s] and cost [USD] in a journal; lines that a crash cut off do not count."""
    last: dict[str, tuple[float, float]] = {}
    if path.exists():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                row = json.loads(line)
                last[row["key"]] = float(row["seconds"]), float(row["usd"])
            except (ValueError, KeyError, TypeError):
                continue
    return sum(seconds for seconds, _ in last.values()), sum(usd for _, usd in last.values())


def _whole(file: BinaryIO) -> bool:
    """Whether a file is empty or ends with a whole line."""
    if file.seek(0, os.SEEK_END) == 0:
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def _row(entry: Entry, now: float) -> dict[str, Any]:
    return {
        "event": "runs" if entry.until is None else "ended",
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "key": entry.key,
        "stream": entry.stream,
        "seconds": round(entry.seconds(now), 3),
        "usd": round(entry.usd(now), 6),
        "why": entry.why,
    }
