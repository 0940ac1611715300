"""One stream: opened when it is wanted, led to where it should be, renewed when it is disturbed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from adversarl_odyssey.connection import Connection, Disturbed, surely
from adversarl_odyssey.desk import Desk
from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.meter import Meter
from adversarl_odyssey.notices import Notices
from adversarl_odyssey.options import ServiceOptions
from adversarl_odyssey.troubles import Trouble
from adversarl_odyssey.words import Order

if TYPE_CHECKING:
    from adversarl_odyssey.account import Account

TICK_S = 0.25
"""How often an open stream is looked after if nothing happens [s]."""
LAG_S = 1.0
"""If it is looked after so much later, the process was busy, and missing pictures are no fault of the stream [s]."""
PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
"""Bounds of the pause before the first and before late attempts; each is drawn evenly from zero to its bound [s].

Full jitter: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
"""
LONGEST_WAIT_S = 120.0
"""If the service asks to wait for longer [s], the run had better be resumed then."""
SHORT_S = 1.0
"""A stream that the service ends so soon counts as a disturbance, so that none is begun over and over [s]."""
SAY_TWICE = 2
"""How often a sentence is said before silence counts as a disturbance."""


class Stream:
    """The stream of one environment; `live` runs on the loop, everything else meets it at the desk.

    Args:
        account: Whose stream it is.
        options: Limits and time-outs.
        env: Index of its environment, for notices.
        owner: The source that it belongs to.
        meter: Gives the meter of the run.
        notices: Where to say what happened.
    """

    def __init__(
        self,
        account: Account,
        options: ServiceOptions,
        env: int,
        owner: object,
        meter: Callable[[], Meter],
        notices: Notices,
    ) -> None:
        self.options, self.owner = options, owner
        self.desk = Desk(options, lambda: account.loop.call(self._something.set))
        self._account, self._env, self._meter, self._notices = account, env, meter, notices
        self._something = asyncio.Event()
        self._jitter = random.Random()
        self._tries = 0
        self.first: NDArray[np.uint8] | None = None
        """What streams begin with, where the service can; Shape (h, w, 3)."""

    def give_way(self, unused_s: float) -> None:
        """Frees its place for a stream of another world, unless somebody looks; it is opened again when it is used."""
        if self.desk.release(unused_s):
            self._tell("way", "another world needs the place of a stream, which is begun anew later")
            self._something.set()

    async def live(self) -> None:
        """Lives until it is cancelled; ends whatever it has begun."""
        try:
            while True:
                await self._until_wanted()
                try:
                    async with self._account.place(self):
                        await self._connect()
                except Disturbed as disturbed:
                    await self._recover(disturbed.trouble)
                except Exception as error:
                    self.desk.fail(error)
        finally:
            self.desk.close()

    async def _until_wanted(self) -> None:
        while not self.desk.wanted:
            self._something.clear()
            if not self.desk.wanted:
                await self._something.wait()

    async def _connect(self) -> None:
        """One connection and the streams on it."""
        options, loop = self.options, asyncio.get_running_loop()
        until = loop.time() + options.connect_timeout_s
        connection = Connection(self._account.client(options), self._on_picture, self._on_nonsense)
        try:
            await connection.open(options.connect_timeout_s)
            again = self.desk.wanted
            while again:
                again = await self._play(connection, max(options.frame_timeout_s, until - loop.time()))
                until = loop.time() + options.connect_timeout_s
        except Disturbed:
            self.desk.tally.reconnects += 1
            raise
        finally:
            self.desk.down()
            await surely(connection.close())

    async def _play(self, connection: Connection, limit_s: float) -> bool:
        """One stream from start to end; returns whether another one should follow on the connection."""
        meter, loop = self._meter(), asyncio.get_running_loop()
        entry, why, again, begun = meter.begin(self.options.price_usd_per_hour), "closed", False, loop.time()
        try:
            scene = self.desk.opening()
            portrait, picture = self.options.portrait, self._picture(connection)
            entry.stream = await connection.start(scene, portrait=portrait, limit_s=limit_s, picture=picture)
            self.desk.started()
            why = await self._serve(connection)
            again = why != "unused"
        except Disturbed as disturbed:
            why = disturbed.trouble.sentence
            if disturbed.trouble.kind != "rotate" or loop.time() - begun < SHORT_S:
                raise
            self._tell("rotate", f"{why}; a new one begins. {disturbed.trouble.action}")
            again = True
        finally:
            try:
                sound = await surely(connection.stop())
            finally:
                meter.end(entry, why)
        return again and sound and self.desk.wanted

    def _picture(self, connection: Connection) -> NDArray[np.uint8] | None:
        if self.first is not None and not connection.takes_pictures:
            self._tell("words", "the service cannot begin with a picture, so the stream begins with words alone")
            return None
        return self.first

    async def _serve(self, connection: Connection) -> str:
        """Says what there is to say; returns why the stream is to end."""
        loop = asyncio.get_running_loop()
        attentive = due_at = self.desk.clock()
        while True:
            # Before a trouble: a service may end the stream over words, which must not be said to the next one.
            if (refusal := connection.refusal()) is not None:
                text = self.desk.refused()
                self._tell("refused", f"{refusal.sentence}; it goes on without '{text}'. {refusal.action}")
            if connection.trouble is not None:
                raise Disturbed(connection.trouble)
            now = self.desk.clock()
            attentive = now if now - due_at > LAG_S else attentive
            due = self.desk.due(attentive)
            if due == "stuck":
                sentence = f"no picture has come for {self.options.frame_timeout_s:g} s"
                raise Disturbed(Trouble("transient", sentence, "Look at the connection, or raise frame_timeout_s."))
            if due:
                return due
            order = self.desk.take()
            if order is not None:
                await self._say(connection, order)
                due_at = self.desk.clock() + TICK_S
                continue
            self._something.clear()
            due_at = self.desk.clock() + TICK_S
            await self._nap(loop)

    async def _nap(self, loop: asyncio.AbstractEventLoop) -> None:
        """Until something happens, a tick at most; cheaper than a task with a time-out."""
        tick = loop.call_later(TICK_S, self._something.set)
        try:
            await self._something.wait()
        finally:
            tick.cancel()

    async def _say(self, connection: Connection, order: Order) -> None:
        for attempt in range(SAY_TWICE):
            self.desk.tally.resent += attempt > 0
            if await connection.say(order.text, self.options.frame_timeout_s):
                return self.desk.acknowledged()
        sentence = f"a sentence was not acknowledged, though it was said {SAY_TWICE} times"
        raise Disturbed(Trouble("transient", sentence, "Look at the connection, or raise frame_timeout_s."))

    async def _recover(self, trouble: Trouble) -> None:
        """Waits before the next attempt, or gives up."""
        self._tries += 1
        sentence, action, given_up = trouble.sentence, trouble.action, trouble.kind in ("fatal", "refused")
        if not given_up and trouble.wait_s > LONGEST_WAIT_S:
            sentence += f", and the service asks to wait for {trouble.wait_s:.0f} s"
            action, given_up = "Resume the run, or try again, then.", True
        elif not given_up and self._tries > self.options.retries:
            sentence, given_up = f"{sentence}, and {self.options.retries} further attempts did not help", True
        if given_up:
            self._tries = 0
            return self.desk.fail(OdysseyError(sentence, action))
        bound = min(LONGEST_PAUSE_S, PAUSE_S * 2 ** (self._tries - 1))
        pause = trouble.wait_s + self._jitter.uniform(0.0, bound)
        kind, _, _ = trouble.sentence.partition(" (")
        self._tell(kind, f"{trouble.sentence}; the stream is begun anew after {pause:.1f} s")
        await asyncio.sleep(pause)

    def _on_picture(self, picture: Any) -> None:
        if self.desk.frame(picture):
            self._tries = 0

    def _on_nonsense(self, text: str) -> None:
        self._tell("nonsense", f"the service sent something that the client does not understand ({text})")

    def _tell(self, kind: str, text: str) -> None:
        self._notices.add(kind, f"environment {self._env}: {text}")
