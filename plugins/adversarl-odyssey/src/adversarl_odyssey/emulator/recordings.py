"""Recordings of live streams: written as pictures come, complete when the stream ends."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any

import numpy as np
from aiohttp import web
from numpy.typing import NDArray

from adversarl_odyssey.emulator.archive import Archive
from adversarl_odyssey.emulator.films import Facts, Film
from adversarl_odyssey.emulator.paging import Account, page, refusal

_log = logging.getLogger(__name__)
REMEMBERED = 1000
"""Streams in the list."""
WAITING = 4
"""Pictures that may wait to be written per stream; further ones are left out of the recording."""
PATIENCE_S = 15.0
"""How long an asker waits until a film that just ended is complete [s]."""


class Recorder:
    """Records one stream; never holds it up.

    The server uses it so, from its event loop::

        recorder = recordings.begin(stream_id, owner, (height, width))
        recorder.note(0.0, "start", prompt, applied)
        recorder.add(picture, t_s)
        recorder.end()

    Args:
        archive: Where the film goes.
        stream_id: Name of the stream.
        owner: Whose it is.
        size: Height and width of its pictures [pixel].
        fps: Pictures per second, about.
    """

    def __init__(self, archive: Archive, stream_id: str, owner: str, size: tuple[int, int], fps: float) -> None:
        self.stream_id, self.owner, self.size = stream_id, owner, size
        self.started_at = datetime.now(UTC)
        self.ended_at: datetime | None = None
        self.left_out = 0
        """Pictures that came faster than they could be written."""
        self._archive = archive
        self._film: Film | None = Film(archive.folder(stream_id), fps)
        self._free = threading.Semaphore(WAITING)
        self._facts: Future[Facts | None] | None = None

    def add(self, picture: NDArray[np.uint8], t_s: float) -> None:
        """Takes a picture, Shape (h, w, 3), that was shown at a time since the start [s]; nobody may change it."""
        if self._facts is not None:
            return
        if self._free.acquire(blocking=False):
            self._archive.submit(self._add, picture, t_s)
        else:
            self.left_out += 1

    def _add(self, picture: NDArray[np.uint8], t_s: float) -> None:
        self._write(lambda film: film.add(picture, t_s))
        self._free.release()

    def note(self, t_s: float, kind: str, prompt: str | None = None, applied: str | None = None) -> None:
        """Notes what the stream was told, and what came of it."""
        if self._facts is None:
            self._archive.submit(self._write, lambda film: film.note(t_s, kind, prompt, applied))

    def _write(self, write: Callable[[Film], None]) -> None:
        if self._film is None:
            return
        try:
            write(self._film)
        except Exception:
            _log.exception("the recording of %s is given up", self.stream_id)
            self._film.abandon()
            self._film = None

    def end(self, t_s: float | None = None) -> None:
        """Completes the film behind the asker's back; may be called twice.

        Args:
            t_s: When the stream ended, since its start [s].
        """
        if self._facts is not None:
            return
        self.ended_at = datetime.now(UTC)
        self.note(t_s if t_s is not None else (self.ended_at - self.started_at).total_seconds(), "end")
        self._facts = self._archive.submit(self._finish)

    def _finish(self) -> Facts | None:
        facts = None
        try:
            if self._film is not None:
                facts = self._film.close()
                self._archive.keep(self.stream_id)
        except Exception:
            _log.exception("the recording of %s cannot be completed", self.stream_id)
            self._archive.drop(self.stream_id)
        self._film = None
        return facts

    async def facts(self) -> Facts | None:
        """What the finished film is; None while the stream runs, or if the film failed."""
        if self._facts is None:
            return None
        try:
            return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(self._facts)), PATIENCE_S)
        except TimeoutError:
            return None


class Recordings:
    """All recordings of live streams, and the routes to them.

    Args:
        archive: Where the films go.
        fps: Pictures per second of a stream, about.
        account: Who asks.
    """

    def __init__(self, archive: Archive, fps: float, account: Account) -> None:
        self._archive, self._fps, self._account = archive, fps, account
        self._recorders: dict[str, Recorder] = {}

    def begin(self, stream_id: str, owner: str, size: tuple[int, int]) -> Recorder:
        """Begins to record a stream, whose pictures have a height and a width [pixel]."""
        recorder = Recorder(self._archive, stream_id, owner, size, self._fps)
        self._recorders[stream_id] = recorder
        while len(self._recorders) > REMEMBERED:
            self._forget(next(iter(self._recorders.values())))
        return recorder

    def _forget(self, recorder: Recorder) -> None:
        recorder.end()
        del self._recorders[recorder.stream_id]
        self._archive.submit(self._archive.drop, recorder.stream_id)

    def close(self) -> None:
        """Ends what is still being recorded."""
        for recorder in self._recorders.values():
            recorder.end()

    async def get(self, request: web.Request) -> web.Response:
        """Answers for one stream."""
        owner = self._account(request)
        recorder = self._recorders.get(request.match_info["stream_id"])
        if recorder is None or recorder.owner != owner:
            raise refusal(web.HTTPNotFound, "Recording not found")
        facts = await recorder.facts()
        return web.json_response(
            {
                "stream_id": recorder.stream_id,
                **self._archive.urls(request, recorder.stream_id),
                "frame_count": facts and facts.frame_count,
                "duration_seconds": facts and facts.duration_s,
            }
        )

    async def list(self, request: web.Request) -> web.Response:
        """Answers with a page of the asker's streams, newest first."""
        owner = self._account(request)
        own = [recorder for recorder in reversed(self._recorders.values()) if recorder.owner == owner]
        shown, about = page(request, own)
        return web.json_response({"recordings": [await _about(recorder) for recorder in shown], **about})

    def add_routes(self, app: web.Application) -> None:
        """Serves ``/recordings`` and ``/stream-recordings``."""
        app.router.add_get("/recordings/{stream_id}", self.get)
        app.router.add_get("/stream-recordings", self.list)


async def _about(recorder: Recorder) -> dict[str, Any]:
    facts = await recorder.facts()
    height, width = recorder.size
    return {
        "stream_id": recorder.stream_id,
        "width": width,
        "height": height,
        "started_at": recorder.started_at.isoformat(),
        "ended_at": recorder.ended_at and recorder.ended_at.isoformat(),
        "duration_seconds": facts and facts.duration_s,
    }
