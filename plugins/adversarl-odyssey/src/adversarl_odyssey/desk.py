"""Where the thread of a world and the loop of the streams meet: what is asked of a stream, and what it shows."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.options import ServiceOptions
from adversarl_odyssey.sources import Shown
from adversarl_odyssey.tally import Tally
from adversarl_odyssey.wishes import Asked, Said, World
from adversarl_odyssey.words import Order

Due = Literal["", "unused", "restart", "rotate", "stuck"]
LISTEN_S = 0.5
"""How often a waiting world makes sure that there still is somebody to wait for [s]."""


@dataclass(slots=True)
class Unseen:
    """What was said and acknowledged, and when each was [s]."""

    order: Order
    sent_s: float
    heard_s: float


class Desk:
    """One lock, held for moments only, around what both threads know of one stream.

    Args:
        options: Time-outs and limits.
        poke: Wakes the loop up; called from the world's thread.
        clock: Gives the time [s].
    """

    def __init__(
        self, options: ServiceOptions, poke: Callable[[], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.tally = Tally()
        self._options, self._poke, self.clock = options, poke, clock
        self._changed = threading.Condition()
        self._asked = Asked()
        self._world: World | None = None
        self._up = self._released = self._closed = False
        self._saying: Order | None = None
        self._said: Said | None = None
        self._sent_s = math.nan
        self._quiet_s = math.inf
        self._unseen = list[Unseen]()
        self._picture: NDArray[np.uint8] | None = None
        self._number = self._returned = 0
        self._arrived_s = self._sent_from_s = self._made_from_s = -math.inf
        self._latency_s = math.nan
        self._renewed = False
        self._failure: Exception | None = None

    # The world's thread.

    def begin(self, scene: str, *, restart: bool) -> None:
        """An episode begins; see `Source.begin`."""
        with self._changed:
            asked, now = self._asked, self.clock()
            asked.begin(scene, now)
            self._failure = None
            self._use(now)
            world = self._world
            if world is not None and (restart or world.too_old(now + asked.longest_s, self._options.max_stream_s)):
                asked.anew = asked.anew or not world.is_new(scene, now)
            elif world is not None and (world.told or world.scene != scene):
                asked.words.scene = scene
        self._poke()

    def prompt(self, text: str) -> None:
        """Conditions changed; see `Source.prompt`. An empty text brings the scene back."""
        with self._changed:
            self._asked.change(text, self._world)
        self._poke()

    def act(self, text: str) -> None:
        """The robot does something; see `Source.act`."""
        with self._changed:
            self._asked.words.action = text
        self._poke()

    def show(self, *, fresh: bool, patience_s: float) -> Shown:
        """See `Source.show`; the picture is the one that came, Shape (h, w, 3).

        Args:
            fresh: Whether the picture must be newer than all that was asked for, and than the last one returned.
            patience_s: A bound in case that the loop itself is stuck [s].
        """
        with self._changed:
            self._use(self.clock())
            give_up_s = self.clock() + patience_s
            while not self._ready(fresh):
                self._raise(give_up_s)
                self._changed.wait(min(LISTEN_S, self._options.idle_s / 2))
                self._use(self.clock())
            return self._take()

    def _use(self, now: float) -> None:
        if self._asked.scene is None:
            raise RuntimeError("begin() comes before show()")
        self._asked.used_s, self._released = now, False
        if self._world is None:
            self._poke()

    def _ready(self, fresh: bool) -> bool:
        if self._failure is not None or self._picture is None:
            return False
        return not fresh or (self._settled and self._number > self._returned)

    def _raise(self, give_up_s: float) -> None:
        if self._failure is not None:
            raise self._failure
        if self._closed:
            raise OdysseyError("the stream is closed", "Make the environment again.")
        if self.clock() >= give_up_s:
            sentence = "the client has not answered for longer than all its time-outs together"
            raise OdysseyError(sentence, "This is a bug of the client; please report it with `client` and versions.")

    def _take(self) -> Shown:
        picture, now, tally = self._picture, self.clock(), self.tally
        assert picture is not None
        dropped = max(0, self._number - self._returned - 1)
        taken = Shown(picture, self._number, now - self._arrived_s, self._latency_s, dropped, self._renewed)
        self._returned, self._renewed, self._asked.permitted = self._number, False, False
        self._asked.used_s = now
        if self._world is not None and self._shows(self._world.begun_s):
            self._world.seen = True
        tally.shown, tally.dropped, tally.age_s = tally.shown + 1, tally.dropped + dropped, tally.age_s + taken.age_s
        return taken

    # The loop of the streams.

    @property
    def wanted(self) -> bool:
        """Whether there should be a stream."""
        with self._changed:
            return self._asked.scene is not None and self._failure is None and not self._unused()

    def release(self, unused_s: float) -> bool:
        """Gives the stream up until it is used again, if nobody has looked for so long [s]; says whether."""
        with self._changed:
            self._released = self._released or self.clock() - self._asked.used_s > unused_s
            return self._released

    @property
    def released(self) -> bool:
        """Whether it was given up and not used since."""
        with self._changed:
            return self._released

    def unused_s(self) -> float:
        """For how long nobody has looked [s]."""
        with self._changed:
            return self.clock() - self._asked.used_s

    def opening(self) -> str:
        """A stream is about to begin; returns the scene to begin it with."""
        with self._changed:
            asked = self._asked
            assert asked.scene is not None
            self._forget(World(asked.scene))
            asked.words.scene, asked.words.prompt = None, asked.prompt
            return asked.scene

    def started(self) -> None:
        """The stream has begun."""
        with self._changed:
            assert self._world is not None
            now, tally = self.clock(), self.tally
            self._world.begun_s, self._quiet_s, self._up = now, now, True
            if tally.starts and not self._asked.permitted:
                self._world.surprising = True
                tally.renewals += 1
            tally.starts += 1

    def take(self) -> Order | None:
        """What is to be said now."""
        with self._changed:
            order = self._asked.words.take()
            if order is not None and self._world is not None:
                self._saying, self._sent_s = order, self.clock()
                self._said = self._asked.said(order, self._world)
            return order

    def acknowledged(self) -> None:
        """The service has heard what was said last."""
        with self._changed:
            self._quiet_s = self.clock()
            if self._saying is not None:
                self._unseen.append(Unseen(self._saying, self._sent_s, self._quiet_s))
            self._saying = None

    def refused(self) -> str:
        """The service does not take what was said last, which is never said again; returns it."""
        with self._changed:
            said, self._said = self._said, None
            if said is None or self._world is None:
                return ""
            self._saying, self._quiet_s = None, self.clock()
            self._unseen = [unseen for unseen in self._unseen if unseen.order is not said.order]
            self.tally.refused += 1
            self._asked.forgo(said, self._world)
            return said.order.text

    def frame(self, picture: NDArray[np.uint8]) -> bool:
        """A picture has arrived; returns whether it shows all that was asked for. Keeps it without copying."""
        with self._changed:
            self._made_from_s, self._sent_from_s, self._arrived_s = self._sent_from_s, self._arrived_s, self.clock()
            self._picture = picture
            self._number += 1
            self.tally.frames += 1
            world, settled = self._world, self._settled
            if world is not None and world.surprising and self._shows(world.begun_s):
                self._renewed, world.surprising = True, False
            while self._unseen and self._shows(self._unseen[0].heard_s):
                self._saw(self._unseen.pop(0))
            if settled or self._number == 1:
                self._changed.notify_all()
            return settled

    def due(self, attentive_s: float) -> Due:
        """What has to happen to the open stream now.

        Args:
            attentive_s: Since when the loop has had time to take pictures [s]; a busy process is no stuck stream.
        """
        with self._changed:
            now, world = self.clock(), self._world
            if self._unused():
                return "unused"
            if self._asked.anew:
                return "restart"
            if world is not None and world.too_old(now, self._options.max_stream_s):
                return "rotate"
            since = max(self._arrived_s, attentive_s, world.begun_s if world else now)
            in_use = now - self._asked.used_s < self._options.frame_timeout_s
            return "stuck" if in_use and now - since > self._options.frame_timeout_s else ""

    def down(self) -> None:
        """There is no stream any more."""
        with self._changed:
            self._forget(None)

    def fail(self, error: Exception) -> None:
        """Nothing more can be done; `show` raises it until the next episode begins."""
        with self._changed:
            self._failure = error
            self._changed.notify_all()

    def close(self) -> None:
        """Nobody will be waited for any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _forget(self, world: World | None) -> None:
        """What was said to the last stream counts no longer."""
        self._world, self._up, self._saying, self._said = world, False, None, None
        self._unseen.clear()
        self._asked.anew = False

    @property
    def _settled(self) -> bool:
        """Whether the latest picture shows all that was asked for."""
        quiet = self._up and self._saying is None and not self._asked.words and not self._asked.anew
        return quiet and self._shows(self._quiet_s)

    def _shows(self, since_s: float) -> bool:
        """Whether the latest picture was made after a time.

        aiortc, on which the SDK and our own client stand, hands a picture out when the first packet of the next one
        arrives; so a picture was sent from about the time on at which the one before it was handed out. Since pictures
        are made and sent one after another, it was made from about the time on at which the one before that was.
        """
        return self._made_from_s > since_s

    def _unused(self) -> bool:
        return self._released or self.clock() - self._asked.used_s > self._options.idle_s

    def _saw(self, said: Unseen) -> None:
        self._latency_s = self._arrived_s - said.sent_s
        if said.order.kind == "action":
            self.tally.actions += 1
            self.tally.action_latency_s += self._latency_s
        else:
            self.tally.prompts += 1
            self.tally.prompt_latency_s += self._latency_s
