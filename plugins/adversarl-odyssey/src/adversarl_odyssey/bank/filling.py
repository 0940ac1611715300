"""Fills a bank: asks the service for videos, waits for them, and brings them home."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

from adversarl_odyssey.bank.download import Gone, download
from adversarl_odyssey.bank.store import Bank, Entry
from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.options import ServiceOptions
from adversarl_odyssey.sdk import Sdk, api_key, find_sdk, hide, service_url
from adversarl_odyssey.troubles import trouble_of

T = TypeVar("T")
DOWNLOADS = 3
"""How often a video that comes damaged is fetched before its job is paid once more."""
LONGEST_PAUSE_S = 60.0
GOODBYE_S = 10.0
"""How long an interrupted process waits for the name of a job that it has just asked for [s]."""
FULL = re.compile(r": 429\b")
"""What clients say where so many jobs wait already that the service takes no more."""
REFUSED = re.compile(r"(simulation|taken): (400|413|415|422)\b")
"""What clients say where the service refuses one script and would take another."""
LOST = re.compile(r"not found|no such job|not authorized to access|somebody else", re.IGNORECASE)
"""What clients say of a job that the service forgot, or that was made with another account's key."""
OnChange = Callable[[Entry], None]


class Filling:
    """Makes the videos that a bank wants; what it knows is in the manifest at any time.

    A bank is filled so::

        with bank.locked():
            wanted = [bank.add(script) for script in scripts]
            await Filling(bank, options, poll_s=2, max_queued=10).run(wanted)

    Args:
        bank: The bank, locked.
        options: How to reach the service.
        poll_s: Pause between two looks at the jobs [s].
        max_queued: Most jobs at once.
        on_change: Called with every entry that changed.
    """

    def __init__(
        self,
        bank: Bank,
        options: ServiceOptions,
        *,
        poll_s: float,
        max_queued: int,
        on_change: OnChange = lambda entry: None,
    ) -> None:
        self._bank, self._options, self._on_change = bank, options, on_change
        self._poll_s, self._max_queued = poll_s, max_queued
        url = service_url(options)
        self._sdk: Sdk = find_sdk(options.client, url)
        self._url = url
        self._client: Any = None
        self._troubles = 0
        self._not_before = 0.0
        self._spent_usd = 0.0
        self._damaged: Counter[str] = Counter()
        self._disturbed: Counter[str] = Counter()

    async def run(self, entries: Sequence[Entry]) -> None:
        """Goes on until every entry is done or has failed for good, and so does all else that was paid for before.

        Raises:
            OdysseyError: The service refuses for good, or cannot be reached any more; jobs go on there.
        """
        paid = (name for name, entry in self._bank.entries.items() if entry.status == "running")
        names = list(dict.fromkeys([*(entry.script.hash for entry in entries), *paid]))
        self._client = self._make()
        try:
            while left := self._left(names):
                await self._look_at([entry for entry in left if entry.status == "running"])
                await self._send_some(names)
                if self._left(names):
                    # Disturbances hold up everything, a full queue only what is to be sent.
                    rest = self._not_before - time.monotonic() if self._troubles else 0.0
                    await asyncio.sleep(max(self._poll_s, rest))
        finally:
            await self._drop(self._client)

    async def _look_at(self, running: Sequence[Entry]) -> None:
        """Looks at jobs, those last that made trouble, up to the first disturbance: it would be the next one's too."""
        for entry in sorted(running, key=lambda entry: self._disturbed[entry.script.hash]):
            await self._look(entry)
            if self._troubles:
                return

    def _make(self) -> Any:
        """A client, which logs in when it is first used."""
        return self._sdk.Odyssey(api_key(), api_url=self._url, enable_telemetry=False)

    def _left(self, names: Sequence[str]) -> list[Entry]:
        """Entries that are neither done nor given up."""
        return [e for e in map(self._bank.entries.__getitem__, names) if e.status not in ("done", "failed")]

    async def _send_some(self, names: Sequence[str]) -> None:
        """Asks for as many jobs as may be queued."""
        running = sum(self._bank.entries[name].status == "running" for name in names)
        for entry in map(self._bank.entries.__getitem__, names):
            if running >= self._max_queued or time.monotonic() < self._not_before:
                return
            if entry.status in ("wanted", "sending"):
                running += await self._send(entry)

    async def _send(self, entry: Entry) -> bool:
        """Asks for a job; False where that has to wait, or is refused for good."""
        self._check_budget(entry)
        self._put(replace(entry, status="sending"))
        script = entry.script
        asked = asyncio.ensure_future(
            self._in_time(self._client.simulate(script=script.entries(), portrait=script.portrait))
        )
        try:
            job = await asyncio.shield(asked)
        except asyncio.CancelledError:
            await self._last_word(entry, asked)
            raise
        except Exception as error:
            if REFUSED.search(str(error)):
                self._put(replace(entry, status="failed", error=hide(str(error))))
                return False
            self._put(replace(entry, status="wanted"))
            trouble = trouble_of(error)
            if FULL.search(str(error)) and trouble.kind != "fatal":
                self._pause(trouble.wait_s)
            else:
                await self._endure(error, entry)
            return False
        self._troubles = 0
        self._put(self._sent(entry, job.job_id))
        return True

    def _check_budget(self, entry: Entry) -> None:
        """Failed jobs may have to be paid too, so that more is spent than the scripts cost."""
        ceiling = self._options.max_cost_usd
        if self._spent_usd + self._cost_usd(entry) > ceiling:
            problem = f"max_cost_usd = {ceiling:g} does not suffice: {self._spent_usd:.4f} USD are spent"
            raise OdysseyError(problem, "Raise backend.max_cost_usd; what was paid is not paid again")

    def _cost_usd(self, entry: Entry) -> float:
        return entry.script.seconds / 3600 * self._options.price_usd_per_hour

    def _sent(self, entry: Entry, job_id: str) -> Entry:
        cost = self._cost_usd(entry)
        self._spent_usd += cost
        paid = entry.cost_usd + cost
        return replace(entry, status="running", job_id=job_id, attempts=entry.attempts + 1, error=None, cost_usd=paid)

    async def _last_word(self, entry: Entry, asked: asyncio.Future[Any]) -> None:
        """Takes the name of a job that was asked for when the process was interrupted."""
        try:
            job = await asyncio.wait_for(asked, GOODBYE_S)
        except TimeoutError:
            return  # nobody knows, and the entry says so
        except Exception:
            self._put(replace(entry, status="wanted"))
        else:
            self._put(self._sent(entry, job.job_id))

    async def _look(self, entry: Entry) -> None:
        """Sees how far a job is, and brings its video home."""
        try:
            job = await self._in_time(self._client.get_simulate_status(entry.job_id))
        except ValueError as error:
            if not LOST.search(str(error)):
                return await self._endure(error, entry)
            return self._again(entry, f"the service does not give the job out any more ({error})")
        except Exception as error:
            return await self._endure(error, entry)
        status = str(getattr(job.status, "value", job.status))
        if status == "completed":
            return await self._fetch(entry, job)
        self._troubles = 0
        if status in ("failed", "cancelled"):
            self._again(entry, job.error_message or f"the job was {status}")
        return None

    async def _fetch(self, entry: Entry, job: Any) -> None:
        url = next((stream.video_url for stream in job.streams if stream.video_url), None)
        if url is None:
            return self._again(entry, "the job was completed without a video")
        try:
            facts = await download(url, self._bank, entry, self._options.connect_timeout_s)
        except Gone as error:
            self._damaged[job.job_id] += 1
            return self._again(entry, str(error)) if self._damaged[job.job_id] >= DOWNLOADS else None
        except Exception as error:
            return await self._endure(error, entry)
        self._troubles = 0
        self._put(
            replace(
                entry,
                status="done",
                error=None,
                frames=facts.frames,
                duration_s=facts.duration_s,
                width=facts.width,
                height=facts.height,
            )
        )
        return None

    def _again(self, entry: Entry, words: str) -> None:
        """Asks once more for what failed, unless it was asked for often enough."""
        status = "wanted" if entry.attempts <= self._options.retries else "failed"
        self._put(replace(entry, status=status, job_id=None, error=hide(words)))  # type: ignore[arg-type]

    def _put(self, entry: Entry) -> None:
        self._bank.put(entry)
        self._on_change(entry)

    async def _in_time(self, call: Awaitable[T]) -> T:
        """What a call of the client gives; it has no time limit of its own."""
        return await asyncio.wait_for(call, self._options.connect_timeout_s)

    async def _endure(self, error: Exception, entry: Entry) -> None:
        """Waits after a disturbance that will pass, ever longer; raises where none will."""
        trouble = trouble_of(error)
        self._disturbed[entry.script.hash] += 1
        self._troubles = max(self._troubles + 1, self._disturbed[entry.script.hash])
        if trouble.kind == "fatal" or self._troubles > self._options.retries:
            raise OdysseyError(trouble.sentence, trouble.action) from error
        self._pause(trouble.wait_s)
        await self._drop(self._client)  # its token may be what is wrong
        self._client = self._make()

    def _pause(self, asked_s: float) -> None:
        """Asks for no job for a while, which is the longer the more disturbances there were."""
        pause = min(LONGEST_PAUSE_S, max(asked_s, self._poll_s) * 2 ** max(0, self._troubles - 1))
        self._not_before = time.monotonic() + pause * random.uniform(0.5, 1.0)

    async def _drop(self, client: Any) -> None:
        with suppress(Exception):
            await asyncio.wait_for(client.disconnect(), GOODBYE_S)
