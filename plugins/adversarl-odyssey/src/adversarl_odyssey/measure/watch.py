"""A client of the service whose pictures are watched; every call has a time-out, since the SDK has none."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import numpy as np

from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.measure.change import QUIET, Arrived, Change, Frames

T = TypeVar("T")
POLL_S = 0.004
QUIET_S = 1.0
"""Age of the oldest picture that counts as one just before [s]; pauses between prompts are longer."""
OLD_S = 120.0
"""Age at which a stream is started anew between two measurements [s]."""
LIMIT_S = 60.0
"""How long connecting or starting may take [s]."""


@dataclass
class Watched:
    """A connected client and what it shows.

    Attributes:
        client: An `Odyssey` of the SDK or of ours.
        connect_s: How long connecting took [s].
        frames: Its pictures.
    """

    client: Any
    connect_s: float = 0.0
    frames: Frames = field(default_factory=Frames)
    trouble: str = ""
    _renew: Callable[[], Awaitable[Any]] | None = None
    _begun: float = 0.0

    async def start(self, prompt: str, *, portrait: bool = False) -> tuple[str, float, float]:
        """Starts a stream; returns its id, the time to the answer and the time to its first picture [s]."""
        begun = self._begun = time.monotonic()
        self._renew = partial(self.start, prompt, portrait=portrait)
        stream = str(await bounded(self.client.start_stream(prompt, portrait=portrait), LIMIT_S, "starting a stream"))
        answered = time.monotonic() - begun
        return stream, answered, await self.picture_after(begun, LIMIT_S) - begun

    async def renew(self) -> None:
        """Starts the stream anew if it is old: services end streams that are too old."""
        if self._renew is not None and time.monotonic() - self._begun > OLD_S:
            await bounded(self.client.end_stream(), LIMIT_S, "ending a stream")
            await self._renew()

    async def picture_after(self, time_s: float, limit_s: float) -> float:
        """When the first picture after a time came [s]."""
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            if found := self.frames.since(time_s):
                return found[0].time_s
            await asyncio.sleep(POLL_S)
        raise OdysseyError(f"no picture came for {limit_s:g} s{self.trouble}", "Is the service or emulator alright?")

    async def change(self, before: list[Arrived], since_s: float, limit_s: float) -> tuple[float | None, Change]:
        """When the first changed picture after `since_s` came [s]; None if none did in time."""
        judge, end = Change(before), time.monotonic() + limit_s
        while time.monotonic() < end:
            if found := judge.first(self.frames.since(since_s)):
                return found.time_s, judge
            await asyncio.sleep(POLL_S)
        return None, judge

    async def interact(self, text: str, limit_s: float) -> tuple[float, float]:
        """Sends a prompt; returns when it was sent and when it was acknowledged [s]."""
        sent = time.monotonic()
        await bounded(self.client.interact(text), limit_s, "an acknowledgement")
        return sent, time.monotonic()

    def quiet(self) -> list[Arrived]:
        """The pictures just before now, at least two, and none from before the last pause."""
        before = [picture for picture in self.frames.last(QUIET) if picture.time_s > time.monotonic() - QUIET_S]
        if len(before) < 2:
            raise OdysseyError(f"only {len(before)} pictures came{self.trouble}", "Is the service or emulator alright?")
        return before

    def _on_error(self, *what: Any) -> None:
        self.trouble = f" ({'; '.join(str(part) for part in what)})"

    async def connect(self) -> None:
        """Connects, with pictures and errors watched."""
        begun = time.monotonic()
        await bounded(
            self.client.connect(
                on_video_frame=lambda frame: self.frames.add(np.asarray(frame.data), time.monotonic()),
                on_stream_error=self._on_error,
                on_error=self._on_error,
            ),
            LIMIT_S,
            "connecting",
        )
        self.connect_s = time.monotonic() - begun


@asynccontextmanager
async def watched(client: Any) -> AsyncIterator[Watched]:
    """Connects a client; ends its stream and the connection whatever happens."""
    found = Watched(client)
    try:
        await found.connect()
        yield found
    finally:
        for call in (client.end_stream, client.disconnect):
            try:
                await asyncio.wait_for(call(), 5.0)
            except Exception:
                found.trouble = ""


async def bounded(call: Awaitable[T], limit_s: float, what: str) -> T:
    """Waits so long and no longer."""
    try:
        return await asyncio.wait_for(call, limit_s)
    except TimeoutError:
        raise OdysseyError(f"{what} took more than {limit_s:g} s", "Is the service or emulator alright?") from None
