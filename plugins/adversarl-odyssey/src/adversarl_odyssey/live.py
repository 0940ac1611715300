"""Pictures from live streams, one for each environment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adversarl.interfaces.backend import Notice
from adversarl_odyssey import account as accounts
from adversarl_odyssey.connection import END_S, LEAVE_S
from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.meter import Meter
from adversarl_odyssey.notices import Notices
from adversarl_odyssey.options import ServiceOptions
from adversarl_odyssey.sources import Shown, Source, fit
from adversarl_odyssey.stream import LONGEST_PAUSE_S, LONGEST_WAIT_S, Stream
from adversarl_odyssey.tally import scalars

GRACE = 0.1
"""A world that goes on though its budget is spent is stopped when it has cost so much more, relative to the budget."""
GRACE_S = 300.0
"""It is not stopped earlier than after so long with all its streams [s]: a run needs time to save."""


class LiveSource(Source):
    """Streams of Odyssey, or of an emulator.

    No stream is opened before the first `begin`. All streams of the process live on one thread; those of one key share
    its `max_streams`, its meter and its limit.

    Args:
        options: How to reach the service, and its limits.
        num_envs: Number of environments, each with a stream of its own.
        size: Edge of the pictures [pixel].

    Raises:
        OdysseyError: No key, no client, or more environments than streams.
    """

    def __init__(self, options: ServiceOptions, num_envs: int, size: int) -> None:
        if num_envs > options.max_streams:
            sentence = (
                f"backend.num_envs = {num_envs} needs more streams than backend.max_streams = {options.max_streams}"
            )
            raise OdysseyError(
                sentence, "Lower backend.num_envs, or raise backend.max_streams if the account has more."
            )
        self._options, self._size = options, size
        self._notices = Notices()
        self._account = accounts.join(options)
        self._told: Meter | None = None
        self._streams = [
            Stream(self._account, options, env, self, lambda: self.meter, self._notices) for env in range(num_envs)
        ]
        self._fitted: list[tuple[int, NDArray[np.uint8]] | None] = [None] * num_envs
        self._patience_s = _patience(options)
        self._closed = False
        self._account.loop.do(self._account.add(self._streams), self._patience_s)

    @property
    def meter(self) -> Meter:
        """What all streams of the run cost."""
        return self._told or self._account.meter

    def connect(self, notice: Notice, folder: Path | None = None) -> None:
        """Notices go to the user, and what streams cost into the run folder."""
        self._notices.notice = notice
        if folder is not None:
            self._told = self._account.meter_in(folder)
        self._look()

    def begin(self, env: int, scene: str, *, restart: bool) -> None:
        """See `Source.begin`; where a new stream is due anyway it begins now, between episodes."""
        self._stream(env).desk.begin(scene, restart=restart)
        self._look()

    def prompt(self, env: int, text: str) -> None:
        """See `Source.prompt`."""
        self._stream(env).desk.prompt(text)

    def act(self, env: int, text: str) -> None:
        """See `Source.act`."""
        self._stream(env).desk.act(text)

    def start_from(self, env: int, picture: NDArray[np.uint8]) -> None:
        """See `Source.start_from`; streams that are renewed begin with it too."""
        self._stream(env).first = picture

    def show(self, env: int, *, fresh: bool) -> Shown:
        """See `Source.show`; a fresh picture is also newer than the one that was returned last."""
        try:
            shown = self._stream(env).desk.show(fresh=fresh, patience_s=self._patience_s)
        finally:
            self._look()
        self._stop_if_overspent()
        return replace(shown, picture=self._fit(env, shown))

    def paid(self, seconds: float, why: str) -> None:
        """Counts it too."""
        self.meter.book(self._options.price_usd_per_hour, seconds, why)

    def scalars(self) -> dict[str, float]:
        """Cost [USD], stream time [h], latencies [s] and counts of disturbances."""
        self._look()
        return self.meter.scalars() | scalars(stream.desk.tally for stream in self._streams)

    def close(self) -> None:
        """Ends the streams, all at once."""
        if not self._closed:
            self._closed = True
            accounts.leave(self._account, self._streams)
        self._notices.tell(all_of_them=True)

    def _stream(self, env: int) -> Stream:
        if self._closed:
            raise OdysseyError("the environment is closed", "Make it again.")
        return self._streams[env]

    def _look(self) -> None:
        self.exhausted = self.meter.exhausted(self._options.max_cost_usd)
        self._notices.tell()

    def _stop_if_overspent(self) -> None:
        """For worlds whose user does not look at `exhausted`."""
        options = self._options
        more = options.price_usd_per_hour * len(self._streams) * GRACE_S / 3600
        if self.exhausted and self.meter.cost_usd > options.max_cost_usd + max(more, GRACE * options.max_cost_usd):
            raise OdysseyError(self.exhausted, "Raise backend.max_cost_usd to go on.")

    def _fit(self, env: int, shown: Shown) -> NDArray[np.uint8]:
        known = self._fitted[env]
        if known is None or known[0] != shown.number:
            known = self._fitted[env] = shown.number, fit(shown.picture, self._size)
        return known[1]


def _patience(options: ServiceOptions) -> float:
    """Longer than all that is tried may take [s]."""
    attempt = 2 * options.connect_timeout_s + 4 * options.frame_timeout_s + END_S + 2 * LEAVE_S
    attempt += LONGEST_PAUSE_S + LONGEST_WAIT_S
    return (options.retries + 1) * attempt + options.connect_timeout_s
