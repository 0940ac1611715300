"""Video files, decoded to small frames at the world's own rate."""

from __future__ import annotations

import importlib
import logging
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from adversarl.errors import AdversarlError, MissingExtra
from adversarl_mujoco.compositing import Image

SUFFIXES = (".mp4", ".mov", ".webm", ".mkv", ".avi")
RATE = 20
"""Frames per second that are kept: one per control step [Hz]."""
LONGEST = 12.0
"""What is kept of a video [s]."""
SHORT_EDGE = 192
"""Edge to which frames are scaled down [pixel]."""
BUDGET = 256 * 2**20
"""Memory for decoded videos, in each process [bytes]."""
_log = logging.getLogger(__name__)
_lock = threading.Lock()
_decoded: dict[Path, list[Image]] = {}


class FilmError(AdversarlError):
    """A video that cannot be decoded."""

    def __init__(self, path: Path, cause: str) -> None:
        super().__init__(
            f"the video {path} cannot be decoded: {cause}. Remove it, or convert it: ffmpeg -i {path.name} new.mp4"
        )


class Film:
    """A video file.

    Raises:
        FilmError: It is no video.
        MissingExtra: PyAV is not installed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.length = _length(path)

    def frame(self, index: int) -> Image:
        """A frame, RGB; of a file that ends earlier than it says, the last. Shape (h, w, 3)."""
        with _lock:
            frames = _decoded.pop(self.path, None) or _decode(self.path)
            _decoded[self.path] = frames  # the one used last stands last
            while len(_decoded) > 1 and sum(len(f) * f[0].nbytes for f in _decoded.values()) > BUDGET:
                del _decoded[next(iter(_decoded))]
        return frames[min(index, len(frames) - 1)]


def _av(path: Path) -> Any:
    try:
        return importlib.import_module("av")
    except ImportError as error:
        raise MissingExtra(f"the video {path}", "av", "'adversarl-mujoco[video]'") from error


def _length(path: Path) -> int:
    """Number of frames at `RATE`, at most those of `LONGEST` seconds."""
    av = _av(path)
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            seconds = float(stream.duration * stream.time_base) if stream.duration else (container.duration or 0) / 1e6
            if next(container.decode(stream), None) is None:  # found out now rather than in the middle of a run
                raise FilmError(path, "it has no frame")
    except (av.error.FFmpegError, IndexError) as error:
        raise FilmError(path, str(error)) from error
    return max(1, round(min(seconds, LONGEST) * RATE))


def _decode(path: Path) -> list[Image]:
    av = _av(path)
    frames: list[Image] = []
    try:
        with av.open(str(path)) as container:
            start = 0.0
            for index, frame in enumerate(container.decode(video=0)):
                seconds = frame.time if frame.time is not None else index / RATE
                start = start if index else seconds  # what was cut out of a longer video keeps its clock
                seconds -= start
                if seconds > LONGEST:
                    break
                while len(frames) <= seconds * RATE + 1e-6:
                    frames.append(_small(frame.to_ndarray(format="rgb24")))
    except av.error.FFmpegError as error:
        if not frames:
            raise FilmError(path, str(error)) from error
        _log.warning("%s; its first %.1f s are used", FilmError(path, str(error)), len(frames) / RATE)
    if not frames:
        raise FilmError(path, "it has no frame")
    return frames


def _small(frame: Image) -> Image:
    height, width = frame.shape[:2]
    scale = SHORT_EDGE / min(height, width)
    if scale >= 1:
        return frame
    size = (max(1, round(scale * width)), max(1, round(scale * height)))
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
