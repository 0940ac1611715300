"""Videos of a bank, decoded to small pictures at the rate of control steps."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.sources import fit

RATE = 20
"""Pictures per second that are kept: one per control step [Hz]."""
Pictures = list[NDArray[np.uint8]]
_lock = threading.Lock()
_decoded: dict[tuple[Path, int], tuple[Pictures, int]] = {}
"""Pictures and the memory that they take [bytes]; those used last stand last."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a video file holds: pictures, length [s], and the size of a picture [pixel]."""

    frames: int
    duration_s: float
    width: int
    height: int


class BadVideo(Exception):
    """A file that cannot be decoded to its end; the text says why."""


def examine(path: Path) -> Facts:
    """Decodes a file to its end.

    Raises:
        BadVideo: It is no video, is cut off, or holds no picture.
    """
    frames, size, first, last = 0, (0, 0), 0.0, 0.0
    for time, frame in _frames(path):
        first = time if frames == 0 else first
        last, size, frames = time, (frame.width, frame.height), frames + 1
    rate = (frames - 1) / (last - first) if last > first else RATE
    return Facts(frames, round(frames / rate, 3), *size)


def _frames(path: Path) -> Any:
    """Pairs (time [s], frame)."""
    found = False
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            step = 1 / (stream.average_rate or Fraction(RATE))
            for index, frame in enumerate(container.decode(stream)):
                found = True
                yield float(index * step) if frame.time is None else frame.time, frame
    except (av.error.FFmpegError, IndexError, OSError) as error:
        raise BadVideo(" ".join(str(error).split())) from error
    if not found:
        raise BadVideo("it holds no picture")


def pictures(path: Path, size: int, budget: int) -> Pictures:
    """All pictures of a video, cut and scaled by `fit`, one per control step; kept for others who want them.

    Args:
        path: The file.
        size: Edge of a picture [pixel].
        budget: Memory for all videos together, in this process [bytes]; the one asked for stays, whatever it takes.

    Raises:
        OdysseyError: The file is gone or damaged.
    """
    key = (path, size)
    with _lock:
        held = _decoded.pop(key, None)
        if held is None:
            found = _decode(path, size)
            held = found, len({id(picture) for picture in found}) * found[0].nbytes
            _make_room(budget - held[1])
        _decoded[key] = held
    return held[0]


def _make_room(budget: int) -> None:
    used = sum(memory for _, memory in _decoded.values())
    while _decoded and used > budget:
        used -= _decoded.pop(next(iter(_decoded)))[1]


def _decode(path: Path, size: int) -> Pictures:
    kept: Pictures = []
    start = 0.0
    try:
        for time, frame in _frames(path):
            start = start if kept else time  # what was cut out of a longer video keeps its clock
            picture = fit(frame.to_ndarray(format="rgb24"), size)
            while len(kept) <= (time - start) * RATE + 1e-6:
                kept.append(picture)
    except BadVideo as error:
        problem = f"the video {path} cannot be decoded: {error}"
        raise OdysseyError(problem, "Remove its folder and make it again with: adversarl odyssey bank") from None
    return kept


def to_and_fro(step: int, length: int) -> int:
    """Which picture is shown at a step of a video that runs to its end and back again for ever."""
    if length == 1:
        return 0
    place = step % (2 * length - 2)
    return min(place, 2 * length - 2 - place)
