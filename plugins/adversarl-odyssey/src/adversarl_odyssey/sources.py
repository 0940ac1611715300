"""Where the pictures of a world come from: live streams, a bank of videos, a recording."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adversarl.interfaces.backend import Notice


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture of one environment's world, and how it came.

    Attributes:
        picture: RGB, uint8, cut and scaled by `fit`. Shape (size, size, 3).
        number: Running number of the picture in its environment; equal numbers are equal pictures.
        age_s: How long ago it arrived [s].
        latency_s: From the sending of the last sentence to the first picture that came after the service had
            acknowledged it [s]; nan until there is one.
        dropped: Pictures that arrived since the last call and were not returned.
        renewed: Whether the stream was begun anew since the last call though nobody asked for it, so that the world in
            the picture is not the one that was.
    """

    picture: NDArray[np.uint8]
    number: int
    age_s: float = 0.0
    latency_s: float = float("nan")
    dropped: int = 0
    renewed: bool = False


NOTHING = Shown(np.zeros((1, 1, 3), np.uint8), number=-1)
"""Of an environment that nothing has been seen of."""


def info_of(shown: Sequence[Shown | None]) -> dict[str, NDArray[Any]]:
    """How the pictures of all environments came, for ``info``; each of Shape (num_envs,)."""
    known = [one or NOTHING for one in shown]
    return {
        "frame_number": np.array([one.number for one in known]),
        "frame_age_s": np.array([one.age_s for one in known]),
        "frame_latency_s": np.array([one.latency_s for one in known]),
        "frames_dropped": np.array([one.dropped for one in known]),
        "stream_renewed": np.array([one.renewed for one in known]),
    }


class Source(ABC):
    """Pictures for the environments of one world.

    A world calls it so::

        source.begin(env, scene, restart=True)   # at a reset
        source.prompt(env, text)                 # conditions changed
        source.act(env, "move the gripper left") # what the policy wants (pure worlds only)
        shown = source.show(env, fresh=True)     # at each reset and step

    Only `show` waits. Errors of the service that cannot be mended are raised by it as `OdysseyError`; all
    others are retried behind it.
    """

    exhausted: str = ""
    """See `PerturbableVectorEnv.exhausted`."""

    @abstractmethod
    def begin(self, env: int, scene: str, *, restart: bool) -> None:
        """An episode begins.

        Args:
            env: Index of the environment.
            scene: The complete description of the world it begins in.
            restart: Whether the world must be a new one (a new stream), or the running one may be led back by words.
        """

    @abstractmethod
    def prompt(self, env: int, text: str) -> None:
        """Asks for a change of the world; the last one counts if several wait."""

    def act(self, env: int, text: str) -> None:
        """Tells what the robot does; waits behind prompts and never holds them up, and the last one counts."""
        del env, text

    @abstractmethod
    def show(self, env: int, *, fresh: bool) -> Shown:
        """The latest picture.

        Args:
            env: Index of the environment.
            fresh: Whether it has to be newer than the acknowledgement of everything asked for before; waits up to
                `frame_timeout_s` for it.

        Raises:
            OdysseyError: The service refuses for good, or retrying did not help.
        """

    def start_from(self, env: int, picture: NDArray[np.uint8]) -> None:
        """The picture that streams of an environment begin with, where the service can begin with one.

        Args:
            env: Index of the environment.
            picture: RGB. Shape (h, w, 3).
        """
        del env, picture

    def position(self, env: int) -> Any:
        """Where among its pictures an environment is, picklable; None for sources that cannot go back to it."""
        del env

    def seek(self, env: int, position: Any) -> None:
        """Goes back to a `position`, perhaps one from another process, where it can."""
        del env, position

    def connect(self, notice: Notice, folder: Path | None = None) -> None:
        """Is told how to tell the user something, such as that a stream was renewed, and where the run lies."""
        del notice, folder

    def paid(self, seconds: float, why: str) -> None:
        """Is told what was paid beside the streams, such as a video [s]."""
        del seconds, why

    def scalars(self) -> dict[str, float]:
        """Cost, latencies and counts of disturbances, under ``odyssey/...``."""
        return {}

    @abstractmethod
    def close(self) -> None:
        """Ends everything that was begun, streams first; may be called twice."""


def fit(picture: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """The largest centred square of a picture, scaled by area. Shape (size, size, 3).

    Args:
        picture: RGB. Shape (h, w, 3).
        size: Edge of the result [pixel].
    """
    import cv2

    height, width = picture.shape[:2]
    edge = min(height, width)
    top, left = (height - edge) // 2, (width - edge) // 2
    square = picture[top : top + edge, left : left + edge]
    method = cv2.INTER_AREA if edge > size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(square, (size, size), interpolation=method), dtype=np.uint8)
