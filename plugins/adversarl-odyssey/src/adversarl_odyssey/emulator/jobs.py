"""Simulation jobs: a queue of scripts that are filmed one after the other."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from adversarl_odyssey.emulator.archive import Archive
from adversarl_odyssey.emulator.films import Facts, Film
from adversarl_odyssey.emulator.images import decode_image
from adversarl_odyssey.emulator.scripts import Entry, Script

_log = logging.getLogger(__name__)
Status = Literal["pending", "dispatched", "processing", "completed", "failed", "cancelled"]
STATUSES: tuple[Status, ...] = ("pending", "dispatched", "processing", "completed", "failed", "cancelled")
ACTIVE: tuple[Status, ...] = STATUSES[:3]
WAITING: tuple[Status, ...] = STATUSES[:2]
MOST_QUEUED = 10
REMEMBERED = 1000
"""Jobs in the list; the oldest of those that are over are forgotten."""
STAGE_WAIT_S = 0.1
"""How often a job asks for a stage while there is none [s]."""


class Stage(Protocol):
    """What films are taken of; see `studio.Stage`."""

    async def tell(self, text: str) -> str:
        """Obeys a sentence; returns the prompt that was applied."""

    async def picture(self) -> NDArray[np.uint8]:
        """The next picture. Shape (height, width, 3)."""

    async def close(self) -> None:
        """Ends it."""


class Studio(Protocol):
    """Where stages come from; see `studio.Studio`."""

    stages: int
    """How many there are."""
    in_use: int
    """How many of them are taken."""

    async def open(self, prompt: str, *, portrait: bool = False, image: NDArray[np.uint8] | None = None) -> Stage:
        """A stage for a prompt."""


def _now() -> str:
    return datetime.now(UTC).isoformat()


@dataclass(slots=True)
class Job:
    """What somebody wants to have filmed.

    Attributes:
        owner: Whose it is.
        scripts: What happens; forgotten when the job is over.
        portrait: Whether pictures are upright.
        id: Its name.
        status: Where it stands.
        created_at, dispatched_at, started_at, completed_at: When it reached each state, ISO 8601.
        error_message: Why it failed.
        films: Per finished script the name of its stream and what its film is.
    """

    owner: str
    scripts: tuple[Script, ...]
    portrait: bool
    id: str = field(default_factory=lambda: f"job_{secrets.token_hex(8)}")
    status: Status = "pending"
    created_at: str = field(default_factory=_now)
    dispatched_at: str | None = None
    started_at: str | None = None
    completed_at: str | None = None
    error_message: str | None = None
    films: list[tuple[str, Facts]] = field(default_factory=list)

    def finish(self, status: Status, error: str | None = None) -> None:
        """Is over."""
        self.status, self.error_message, self.completed_at, self.scripts = status, error, _now(), ()


class QueueFull(Exception):
    """As many jobs wait as may."""


class Jobs:
    """The queue, and the one that works it off.

    The server uses it so, on its event loop::

        jobs = Jobs(studio, archive, fps=20.0, live=lambda: len(streams))
        job = jobs.submit(Job(owner, scripts, portrait=False))
        await jobs.close()

    Args:
        studio: Where stages come from; one is taken at a time.
        archive: Where films go.
        fps: Pictures per second of a film.
        live: Says how many live streams run; while any does, films are taken at half their speed at most.
        fail: Says, once for each job, whether it has to fail.
        dispatch_s: How long a job is pending at least [s].
        start_s: How long it is dispatched at least [s].
    """

    def __init__(
        self,
        studio: Studio,
        archive: Archive,
        *,
        fps: float,
        live: Callable[[], int] = lambda: 0,
        fail: Callable[[], bool] = lambda: False,
        dispatch_s: float = 0.25,
        start_s: float = 0.25,
    ) -> None:
        self._studio, self._archive, self._fps, self._live, self._fail = studio, archive, fps, live, fail
        self._dispatch_s, self._start_s = dispatch_s, start_s
        self._jobs: dict[str, Job] = {}
        self._queue: deque[Job] = deque()
        self._worker: asyncio.Task[None] | None = None

    def submit(self, job: Job) -> Job:
        """Queues a job.

        Raises:
            QueueFull: `MOST_QUEUED` of its owner's wait already.
        """
        waiting = [other for other in self._queue if other.owner == job.owner and other.status in WAITING]
        if len(waiting) >= MOST_QUEUED:
            raise QueueFull
        self._jobs[job.id] = job
        self._queue.append(job)
        self._forget()
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work(), name="simulation jobs")
        return job

    def _forget(self) -> None:
        over = [job for job in self._jobs.values() if job.status not in ACTIVE]
        for job in over[: max(0, len(self._jobs) - REMEMBERED)]:
            del self._jobs[job.id]
            for stream_id, _ in job.films:
                self._archive.submit(self._archive.drop, stream_id)

    def get(self, job_id: str) -> Job | None:
        """A job by its name."""
        return self._jobs.get(job_id)

    def all(self) -> list[Job]:
        """All jobs, newest first."""
        return list(reversed(self._jobs.values()))

    def wait_minutes(self, job: Job) -> float | None:
        """About how long until a job begins, if films are taken at their own speed [min]; None once it has."""
        if job.status not in WAITING:
            return None
        earlier = [
            other for other in self._jobs.values() if other.status in ACTIVE and other.created_at < job.created_at
        ]
        return round(sum(script.duration_s for other in earlier for script in other.scripts) / 60, 3)

    def cancel(self, job: Job) -> bool:
        """Cancels a job that has not begun; returns whether it had not."""
        if job.status not in WAITING:
            return False
        job.finish("cancelled")
        return True

    async def close(self) -> None:
        """Stops work; what is not done is cancelled."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.cancel()
            await asyncio.wait([worker])
        for job in self._jobs.values():
            if job.status in ACTIVE:
                job.finish("cancelled", "The emulator was closed")

    async def _work(self) -> None:
        while self._queue:
            job = self._queue[0]
            try:
                await self._do(job)
            except Exception as error:
                _log.exception("%s failed", job.id)
                job.finish("failed", f"{type(error).__name__}: {error}")
            finally:
                self._queue.popleft()

    async def _do(self, job: Job) -> None:
        if not await self._reach(job, "pending", self._dispatch_s):
            return
        job.status, job.dispatched_at = "dispatched", _now()
        if not await self._reach(job, "dispatched", self._start_s):
            return
        if self._fail():
            job.finish("failed", "The emulator was told to fail this job")
            return
        for index, script in enumerate(job.scripts):
            stage = await self._open(job, script)
            if stage is None:
                return
            try:
                if not index:
                    job.status, job.started_at = "processing", _now()
                job.films.append(await self._film(stage, script))
            finally:
                await stage.close()
        job.finish("completed")

    async def _reach(self, job: Job, status: Status, wait_s: float) -> bool:
        """Waits in a state; returns whether the job is still in it."""
        if job.status == status:
            await asyncio.sleep(wait_s)
        return job.status == status

    async def _open(self, job: Job, script: Script) -> Stage | None:
        """A stage for a script, as soon as there is one; None if the job was cancelled meanwhile."""
        start = script.entries[0]
        image = await asyncio.to_thread(decode_image, start.image, "image")
        while job.status in ACTIVE:
            if self._studio.in_use < self._studio.stages:
                stage = await self._studio.open(start.prompt, portrait=job.portrait, image=image)
                if job.status in ACTIVE:
                    return stage
                await stage.close()
            await asyncio.sleep(STAGE_WAIT_S)
        return None

    async def _film(self, stage: Stage, script: Script) -> tuple[str, Facts]:
        """Plays a script and films it; returns the name of the stream and what the film is."""
        stream_id, run = f"str_{secrets.token_hex(8)}", self._archive.run
        film = await run(lambda: Film(self._archive.folder(stream_id), self._fps))
        try:
            film.note(0.0, "start", script.entries[0].prompt, script.entries[0].prompt)
            told = deque(script.entries[1:])
            for frame in range(max(1, round(script.duration_s * self._fps))):
                began, time_s = time.monotonic(), frame / self._fps
                while told[0].kind == "interact" and told[0].time_s <= time_s + 1e-9:
                    await _tell(stage, told.popleft(), film)
                await run(film.add, await stage.picture(), time_s)
                await self._give_way(began)
            for entry in told:
                film.note(entry.time_s, entry.kind, entry.prompt)
            facts = await run(film.close)
            await run(self._archive.keep, stream_id)
        except BaseException:
            self._archive.submit(film.abandon)
            self._archive.submit(self._archive.drop, stream_id)
            raise
        return stream_id, facts

    async def _give_way(self, began: float) -> None:
        """Leaves the studio to live streams, if there are any, at least half of the time."""
        if self._live():
            taken = time.monotonic() - began
            await asyncio.sleep(max(taken, 2 / self._fps - taken))


async def _tell(stage: Stage, entry: Entry, film: Film) -> None:
    applied = await stage.tell(entry.prompt)
    film.note(entry.time_s, entry.kind, entry.prompt, applied)
