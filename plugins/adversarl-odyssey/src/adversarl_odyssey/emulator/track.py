"""The video track: pictures of a stage at a steady rate."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from fractions import Fraction

import cv2
import numpy as np
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import VideoFrame
from numpy.typing import NDArray

from adversarl_odyssey.emulator.faults import Faults
from adversarl_odyssey.emulator.studio import Stage

_log = logging.getLogger(__name__)
CLOCK = 90_000
"""Ticks of the video's clock in a second (RFC 3551)."""
DAWDLE_S = 0.01
"""How often a picture that is late looks whether it still has to be [s]."""
Watcher = Callable[[NDArray[np.uint8], float], None]
"""Is shown every picture, Shape (height, width, 3), and when it was made since the start of the stream [s]."""


class StageTrack(MediaStreamTrack):
    """Shows a stage while there is one; waits while there is none.

    Args:
        fps: Pictures per second.
        faults: Whether pictures come late.
    """

    kind = "video"

    def __init__(self, fps: float, faults: Faults) -> None:
        super().__init__()
        self._period_s, self._faults = 1 / fps, faults
        self._stage: Stage | None = None
        self._watcher: Watcher | None = None
        self._staged = asyncio.Event()
        self._origin = time.monotonic()
        self._began = self._next = self._origin
        self._ticks = -1
        self.shown = 0
        """Pictures of the stage so far."""
        self.failed: Callable[[], None] = lambda: None
        """Called when the stage cannot be shown any more."""

    def show(self, stage: Stage | None, watcher: Watcher | None = None) -> None:
        """Shows a stage from now on, or nothing."""
        self._stage, self._watcher, self.shown = stage, watcher, 0
        self._began = self._next = time.monotonic()
        if stage is None:
            self._staged.clear()
        else:
            self._staged.set()

    async def recv(self) -> VideoFrame:
        """The next picture, when its time has come."""
        while self.readyState == "live":
            await self._staged.wait()
            await self._pace()
            stage = self._stage
            picture = await self._picture(stage) if stage is not None else None
            if picture is not None and stage is self._stage:
                if self._watcher is not None:
                    self._watcher(picture, time.monotonic() - self._began)
                self.shown += 1
                return self._frame(picture)
        raise MediaStreamError

    async def _pace(self) -> None:
        now = time.monotonic()
        if self._next > now:
            await asyncio.sleep(self._next - now)
        await self._dawdle()
        self._next = max(self._next + self._period_s, time.monotonic() - self._period_s)

    async def _dawdle(self) -> None:
        """Lets a picture be late, while it is wanted and has to be."""
        stage, began = self._stage, time.monotonic()
        while stage is self._stage and time.monotonic() - began < (self._faults.get("late-frames") or 0.0):
            await asyncio.sleep(DAWDLE_S)

    async def _picture(self, stage: Stage) -> NDArray[np.uint8] | None:
        try:
            return await stage.picture()
        except Exception:
            if stage is self._stage:
                _log.exception("a stage cannot be shown")
                self.show(None)
                self.failed()
            return None

    def _frame(self, picture: NDArray[np.uint8]) -> VideoFrame:
        # OpenCV converts in a third of the time that the encoder would take for it.
        planes = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420), np.uint8)
        frame = VideoFrame.from_ndarray(planes, format="yuv420p")
        ticks = int((time.monotonic() - self._origin) * CLOCK)
        self._ticks = max(self._ticks + 1, ticks)
        frame.pts, frame.time_base = self._ticks, Fraction(1, CLOCK)
        return frame
