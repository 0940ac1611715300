"""The pictures that a recipe asks for: a live stream, one that is kept, or what was kept before."""

from __future__ import annotations

from pathlib import Path

from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.options import ServiceOptions
from adversarl_odyssey.sources import Source


def open_source(options: ServiceOptions, num_envs: int, size: int) -> Source:
    """Where a world's pictures come from; nothing is connected before one is asked for.

    Args:
        options: Keys of the backend.
        num_envs: Number of environments.
        size: Edge of the pictures [pixel].

    Raises:
        OdysseyError: The recipe asks for both a recording and a playback, or the recording is not there.
    """
    from adversarl_odyssey.recording import Playback, Recording

    if options.playback is not None:
        if options.record is not None:
            advice = "Leave one of the keys out of [backend]"
            raise OdysseyError("a run cannot both record and play back", advice)
        return Playback(Path(options.playback), size)
    from adversarl_odyssey.live import LiveSource

    live: Source = LiveSource(options, num_envs, size)
    return live if options.record is None else Recording(live, Path(options.record))
