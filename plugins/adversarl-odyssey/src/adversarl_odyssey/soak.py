"""Plays for long against an emulator whose faults take turns, and looks for what leaks or is lost."""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.manifest import manifest
from adversarl_odyssey import account
from adversarl_odyssey.bench import borrowed_key
from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.measure import jobs
from adversarl_odyssey.measure.player import Ledger, Player
from adversarl_odyssey.measure.resources import give_back, usage
from adversarl_odyssey.measure.served import Served
from adversarl_odyssey.measure.verdict import report
from adversarl_odyssey.measure.worlds import catalogue, make_world
from adversarl_odyssey.options import ClientKind
from adversarl_odyssey.sdk import find_sdk

NUM_ENVS = 2
PACE_S = 0.04
"""Least time of a step, so that the emulator has something left of the machine [s]."""
WORLDS = ("odyssey-hybrid", "odyssey")
"""They take turns, each for all faults."""
SETTLE_S = 5.0
"""How long after the end of all worlds things may take to go away [s]."""
FORGIVEN_S = 30.0
"""How long after its fault a refusal may reach a world [s]."""
FAILED_S = 5.0
"""Pause before a world is made anew that failed [s]."""
CLOSE_S = 120.0
"""How long a world may take to end after it was told to [s]."""
KINDS = {
    "late-frames": ("late-frames=0.5",),
    "drop-connection": ("drop-connection=4",),
    "expire-token": ("expire-token=4",),
    "max-stream": ("max-stream=4",),
    "malformed": ("malformed=6",),
    "rate-limit": ("rate-limit=2", "drop-connection=6"),
    "busy": ("busy=3", "drop-connection=6"),
    "lease-denied": ("lease-denied=2", "drop-connection=6"),
    "refuse-prompt": ("refuse-prompt=2",),
    "no-streamer": ("no-streamer=2", "drop-connection=6"),
    "concurrent": ("concurrent", "drop-connection=6"),
    "quota": ("quota", "drop-connection=3"),
    "suspended": ("suspended", "drop-connection=3"),
    "fail-jobs": ("fail-jobs=1",),
}
"""Settings of each fault; those that refuse sessions need connections that break to be noticed."""
REFUSING = ("concurrent", "quota", "suspended")
"""Under these a world may stop for good; it is made anew when they are over, as a run is resumed."""

Tell = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class SoakSettings:
    """How long, and with what.

    Attributes:
        seconds: How long faults take turns [s].
        fault_s: How long each lasts, and half as long the rest after it [s].
        line_s: Seconds between lines.
        size: Width and height of the emulator's pictures [pixel].
        fps: Its pictures per second.
        client: See `ServiceOptions.client`.
        seed: Root of all that is drawn.
    """

    seconds: float = 1800.0
    fault_s: float = 20.0
    line_s: float = 5.0
    size: tuple[int, int] = (320, 176)
    fps: float = 10.0
    client: ClientKind = "auto"
    seed: int = 0


class _Soak:
    """One soak; the calling thread switches faults and writes lines, another one plays."""

    def __init__(self, settings: SoakSettings, served: Served, folder: Path, tell: Tell) -> None:
        self._settings, self._served, self._folder, self._tell = settings, served, folder, tell
        self.rows, self.rests = list[dict[str, Any]](), list[dict[str, Any]]()
        self.ledgers = {name: Ledger() for name in WORLDS}
        self._rng = np.random.default_rng(settings.seed)
        self._texts = [text for level in (0.5, 1.0) for text in catalogue(level).values()]
        self.problems = list[str]()
        self._world, self._fault = "", ""
        self._renewed = 0.0
        self._scalars: Callable[[], dict[str, float]] = dict
        self._begun = time.monotonic()
        self._line_at = self._begun
        self._forgiven_until = 0.0

    def run(self) -> None:
        """Everything."""
        for name in WORLDS:
            with self._playing(name):
                self._pass(self._settings.fault_s)
        self.rest()
        end = time.monotonic() + self._settings.seconds
        while time.monotonic() < end:
            for name in WORLDS:
                with self._playing(name):
                    self._cycle(end)
                self.rest()
                if time.monotonic() >= end:
                    break

    def _cycle(self, end: float) -> None:
        for fault, switches in KINDS.items():
            if time.monotonic() >= end:
                return
            self._fault = fault
            for setting in switches:
                self._served.fault(setting)
            if fault == "fail-jobs":
                self._jobs()
            self._pass(self._settings.fault_s)
            if fault in REFUSING:
                self._forgiven_until = time.monotonic() + FORGIVEN_S
            for setting in switches:
                self._served.fault(f"{setting.partition('=')[0]}=off")
            self._pass(self._settings.fault_s / 2)
            self._fault = ""

    def _jobs(self) -> None:
        """Two jobs while nothing else is asked of the thread: the first fails, the second is made."""
        url = self._served.url
        sdk = find_sdk(self._settings.client, url)

        async def ends() -> list[str]:
            async with jobs.aclosing_client(
                sdk.Odyssey(self._served.key, api_url=url, enable_telemetry=False)
            ) as client:
                made = [await client.simulate(script=jobs.script("A table.", "It is dark.", 1.0)) for _ in range(2)]
                return [jobs.status(await jobs.finished(client, job.job_id)) for job in made]

        found = asyncio.run(ends())
        if found != ["failed", "completed"]:
            self.problems.append(f"jobs ended as {' and '.join(found)}, not as failed and completed")

    def _pass(self, seconds: float) -> None:
        """Lets time pass and writes lines."""
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end:
            if now >= self._line_at:
                self._line_at = now + self._settings.line_s
                self.rows.append(self.look())
                self._tell(self.rows[-1])
            time.sleep(min(0.2, end - now))

    @contextmanager
    def _playing(self, name: str) -> Iterator[None]:
        """A thread that plays in worlds of a name."""
        self._world, stop = name, threading.Event()
        thread = threading.Thread(target=self._play, args=(name, stop), name="soak", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(CLOSE_S)
            self._world = ""
            if thread.is_alive():
                raise OdysseyError(f"a world did not end within {CLOSE_S:g} s", "This is what the soak looks for.")

    def _play(self, name: str, stop: threading.Event) -> None:
        ledger = self.ledgers[name]
        while not stop.is_set():
            refusals = ledger.refusals
            try:
                self._visit(name, ledger, stop)
            except Exception as error:
                ledger.failures.append(f"{type(error).__name__}: {error}")
            while not stop.is_set() and self._fault in REFUSING and ledger.refusals > refusals:
                time.sleep(0.2)
            if ledger.failures:
                stop.wait(FAILED_S)

    def _visit(self, name: str, ledger: Ledger, stop: threading.Event) -> None:
        """One world from its making to its end."""
        seed = int(self._rng.integers(2**31))
        world = make_world(name, num_envs=NUM_ENVS, seed=seed, options=self._options(name))
        try:
            world.connect(lambda text: None, self._folder)
            rng, pure = np.random.default_rng(seed), name == "odyssey"
            player = Player(world, ledger, self._texts, rng, PACE_S, renews=pure)
            self._scalars = world.scalars
            player.play(stop, self._refusable)
        finally:
            self._note(world)
            world.close()

    def _refusable(self) -> bool:
        """Whether the service may refuse for good: it is told to, or was until just now."""
        return self._fault in REFUSING or time.monotonic() < self._forgiven_until

    def _options(self, name: str) -> dict[str, Any]:
        own = {"bank": str(self._folder / "bank"), "max_episode_steps": 60} if name == "odyssey" else {}
        shared = {"api_url": self._served.url, "client": self._settings.client, "max_cost_usd": 1e6}
        return {**shared, "frame_timeout_s": 3.0, "connect_timeout_s": 20.0, "idle_s": 10.0, **own}

    def _note(self, world: PerturbableVectorEnv) -> None:
        self._renewed += _renewals(world.scalars())
        self._scalars = dict

    def look(self) -> dict[str, Any]:
        """What there is now."""
        ledgers = self.ledgers.values()
        mine, there, stats = usage(), usage(self._served.pid), self._served.stats()
        return {
            "seconds": time.monotonic() - self._begun,
            "world": {"odyssey-hybrid": "hybrid", "odyssey": "pure"}.get(self._world, ""),
            "fault": self._fault,
            "begun": sum(ledger.begun for ledger in ledgers),
            "finished": sum(ledger.finished + ledger.renewed for ledger in ledgers),
            "stopped": sum(ledger.stopped for ledger in ledgers),
            "renewals": int(self._renewed + _renewals(self._scalars())),
            "sessions": int(stats["sessions"]),
            "streams": int(stats["streams"]),
            "server_tasks": int(stats["tasks"]),
            "server_threads": there.threads,
            "server_fds": there.fds,
            "server_rss_mb": there.rss_mb,
            "tasks": account.open_tasks(),
            "threads": mine.threads,
            "fds": mine.fds,
            "rss_mb": mine.rss_mb,
        }

    def rest(self) -> None:
        """What there is when nobody plays."""
        end = time.monotonic() + SETTLE_S
        while time.monotonic() < end:
            time.sleep(0.2)
        give_back()
        self.rests.append(self.look())


def soak(settings: SoakSettings, tell: Tell) -> dict[str, Any]:
    """Everything, as one document; ``problems`` is empty where nothing leaked and no episode was lost.

    Args:
        settings: How long, and with what.
        tell: Told each line.
    """
    with (
        tempfile.TemporaryDirectory(prefix="adversarl-soak-") as folder,
        Served(settings.size, settings.fps) as served,
        borrowed_key(served.key),
    ):
        found = _Soak(settings, served, Path(folder), tell)
        found.run()
        about = {"machine": manifest(), "settings": asdict(settings)}
        told = report(found.rows, found.rests, found.ledgers)
        return {**about, **told, "problems": [*told["problems"], *found.problems]}


def _renewals(scalars: dict[str, float]) -> float:
    return scalars.get("odyssey/renewals", 0.0)
