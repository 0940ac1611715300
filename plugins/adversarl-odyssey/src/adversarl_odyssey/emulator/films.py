"""Films of streams: an MP4 written picture by picture, a small preview, a thumbnail and the events."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

VIDEO, PREVIEW, THUMBNAIL, EVENTS = "video.mp4", "preview.mp4", "thumbnail.jpg", "events.json"
TICKS = 60_000
"""Ticks of a film's clock per second: whole for all usual rates, and MPEG-4 allows no more than 65,535."""
PREVIEW_EDGE, PREVIEW_S, PREVIEW_FPS = 320, 5.0, 10.0


@dataclass(frozen=True, slots=True)
class Facts:
    """What a finished film is.

    Attributes:
        frame_count: Number of pictures; without any, there are no files but the events.
        duration_s: From the first picture to the end of the last one [s].
        height: Of the pictures [pixel].
        width: Of the pictures [pixel].
    """

    frame_count: int
    duration_s: float
    height: int
    width: int


def find_codec() -> str:
    """The best encoder that this PyAV ships."""
    for name in ("libx264", "libopenh264"):
        with contextlib.suppress(av.codec.codec.UnknownCodecError):
            return av.Codec(name, "w").name
    return "mpeg4"


class Strand:
    """One MP4 file that is being written.

    Args:
        path: Where.
        size: Even height and width [pixel].
        fps: Pictures per second, about.
        codec: Name of the encoder.
    """

    def __init__(self, path: Path, size: tuple[int, int], fps: float, codec: str) -> None:
        self.size = size
        self._container = av.open(str(path), "w", format="mp4")
        options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "20"} if codec == "libx264" else {}
        stream = self._container.add_stream(codec, rate=Fraction(fps).limit_denominator(1001), options=options)
        assert isinstance(stream, VideoStream)
        self._stream = stream
        self._stream.height, self._stream.width = size
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, TICKS)
        self._stream.codec_context.thread_count = 1
        if not options:
            self._stream.bit_rate = max(200_000, int(0.2 * size[0] * size[1] * fps))

    def add(self, frame: av.VideoFrame, ticks: int, duration: int) -> None:
        """Writes a picture that is shown from a time on for so long [ticks]."""
        frame.pts, frame.time_base = ticks, Fraction(1, TICKS)
        for packet in self._stream.encode(frame):
            with contextlib.suppress(AttributeError):  # PyAV before 14 leaves the last picture's duration to the file
                packet.duration = duration
            self._container.mux(packet)

    def close(self) -> None:
        """Writes what is left, and the index without which the file is none."""
        try:
            self._container.mux(self._stream.encode(None))
        finally:
            self._container.close()


class Film:
    """Writes the files of one stream into a folder; memory does not grow with its length.

    Its maker calls it so, from any thread but one at a time::

        film = Film(folder, fps=20.0)
        film.note(0.0, "start", "a robot at a table")
        film.add(picture, 0.0)
        facts = film.close()

    Args:
        folder: An empty folder.
        fps: Pictures per second, about; the times given with the pictures count.
        codec: Name of the encoder; default: the best there is.
    """

    def __init__(self, folder: Path, fps: float, codec: str | None = None) -> None:
        self.folder, self.fps = folder, fps
        self._codec = codec or find_codec()
        self._video: Strand | None = None
        self._preview: Strand | None = None
        self._events: list[dict[str, Any]] = []
        self._first = self._last = self._last_preview = 0
        self._count = 0

    def note(self, t_s: float, kind: str, prompt: str | None = None, applied: str | None = None) -> None:
        """Notes what the stream was told at a time since its begin [s]."""
        said = {"prompt": prompt, "applied_prompt": applied}
        self._events.append({"timestamp_ms": round(1000 * t_s), "type": kind, **{k: v for k, v in said.items() if v}})

    def add(self, picture: NDArray[np.uint8], t_s: float) -> None:
        """Adds a picture.

        Args:
            picture: RGB; an odd last row or column is cut off. Shape (h, w, 3), the same for all.
            t_s: Since the begin of the stream [s]; one that is not after the last one's is left out.

        Raises:
            ValueError: Its size is another one.
        """
        ticks = round(t_s * TICKS)
        if self._count and ticks <= self._last:
            return
        if self._video is None:
            self._begin(picture, ticks)
        height, width = self._even(picture)
        if self._video is None or self._video.size != (height, width):
            raise ValueError(f"a picture of {height} x {width} came into a film of another size")
        whole = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[:height, :width]), format="rgb24")
        frame = whole.reformat(format="yuv420p")
        self._show(frame, ticks - self._first)
        self._video.add(frame, ticks - self._first, round(TICKS / self.fps))
        self._last, self._count = ticks, self._count + 1

    def _even(self, picture: NDArray[np.uint8]) -> tuple[int, int]:
        return picture.shape[0] // 2 * 2, picture.shape[1] // 2 * 2

    def _begin(self, picture: NDArray[np.uint8], ticks: int) -> None:
        from PIL import Image

        height, width = self._even(picture)
        scale = min(1.0, PREVIEW_EDGE / max(height, width))
        small = (max(2, round(height * scale) // 2 * 2), max(2, round(width * scale) // 2 * 2))
        self._video = Strand(self.folder / VIDEO, (height, width), self.fps, self._codec)
        self._preview = Strand(self.folder / PREVIEW, small, min(self.fps, PREVIEW_FPS), self._codec)
        thumbnail = Image.fromarray(picture)
        thumbnail.thumbnail((PREVIEW_EDGE, PREVIEW_EDGE))
        thumbnail.save(self.folder / THUMBNAIL, quality=85)
        self._first, self._last_preview = ticks, -TICKS

    def _show(self, frame: av.VideoFrame, ticks: int) -> None:
        """Takes a picture into the preview, if it belongs there."""
        step = round(TICKS / min(self.fps, PREVIEW_FPS))
        if self._preview is None or ticks > PREVIEW_S * TICKS or ticks - self._last_preview < step - 1:
            return
        height, width = self._preview.size
        self._preview.add(frame.reformat(width=width, height=height), ticks, step)
        self._last_preview = ticks

    def close(self) -> Facts:
        """Ends the files; the film is complete then."""
        height, width = self._video.size if self._video is not None else (0, 0)
        duration = (self._last - self._first) / TICKS + 1 / self.fps if self._count else 0.0
        facts = Facts(self._count, round(duration, 4), height, width)
        self._close_strands()
        told = {"fps": self.fps, "width": width, "height": height, "frame_count": self._count}
        times = {"duration_seconds": facts.duration_s, "video_starts_at_ms": round(1000 * self._first / TICKS)}
        events = json.dumps({**told, **times, "events": self._events}, indent=1)
        (self.folder / EVENTS).write_text(events, encoding="utf-8")
        return facts

    def abandon(self) -> None:
        """Closes the files of a film that nobody is going to see; may be called twice, and after `close`."""
        with contextlib.suppress(OSError):
            self._close_strands()

    def _close_strands(self) -> None:
        strands, self._video, self._preview = (self._video, self._preview), None, None
        with contextlib.ExitStack() as stack:
            for strand in strands:
                if strand is not None:
                    stack.callback(strand.close)
