"""Measures the service, or the emulator of it: its streams, jobs and words, and what a training loop sees of them."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.metadata import version
from typing import Any

from adversarl.errors import did_you_mean
from adversarl.manifest import manifest
from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.measure.probe import DARK, Plan
from adversarl_odyssey.options import ClientKind, ServiceOptions
from adversarl_odyssey.sdk import KEY, URL, Sdk, api_key, find_sdk, has_key, hide, is_loopback, service_url

SECTIONS = {
    "stream": "connect, pictures per second, prompts and actions until they show, end, restart",
    "jobs": "simulate, download, decode, list, cancel, recordings",
    "loop": "a training loop of 20 steps per second: age of pictures, waits, drops",
    "hybrid": "steps per second of the hybrid world beside the same world without streams",
    "effects": "by how much the sentence of each axis changes the picture",
}
SIZES = ((640, 352), (1280, 704))
"""Width and height at which the emulator is measured [pixel]; the second is the service's own."""
CONNECTS = 5
RATE = 20.0
"""Steps per second that the training loop wants [Hz]."""
HYBRID_ENVS, HYBRID_ROUNDS = 2, 8
SCRIPT_S = 4.0
"""Length of a simulated video [s]."""
PACKAGES = ("aiohttp", "aiortc", "av", "opencv-python-headless")
PRICES = (1.0, 2.0)
"""Lowest and highest price of an hour of one stream in the vendor's material [USD]."""

Tell = Callable[[str], None]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """What is measured, where.

    Attributes:
        url: Address of a running service; None starts an emulator for each size.
        sections: Names in `SECTIONS`.
        sizes: Of the emulator's pictures, width and height [pixel].
        fps: The emulator's pictures per second.
        seconds: How long pictures are counted, and steps are taken [s].
        repeats: Prompts, and as many actions.
        effect_repeats: How often the sentence of each axis is tried.
        wait_s: How long such a sentence has to take effect [s].
        seed: Root of all that is drawn.
        client: See `ServiceOptions.client`.
    """

    url: str | None = None
    sections: tuple[str, ...] = tuple(SECTIONS)
    sizes: tuple[tuple[int, int], ...] = SIZES
    fps: float = 20.0
    seconds: float = 10.0
    repeats: int = 20
    effect_repeats: int = 3
    wait_s: float = 1.0
    seed: int = 0
    client: ClientKind = "auto"
    service: ServiceOptions = field(default_factory=ServiceOptions)

    def plan(self) -> Plan:
        """How much is measured of a bare stream."""
        return Plan(self.service.scene, self.seconds, self.repeats, seed=self.seed)


def given_url(url: str | None) -> str | None:
    """The address that was asked for by option or by the variable ODYSSEY_API_URL; None where there is none."""
    if url or os.environ.get(URL, "").strip():
        return service_url(ServiceOptions(api_url=url or None))
    return None


def chosen(names: list[str]) -> tuple[str, ...]:
    """The sections asked for, or all.

    Raises:
        OdysseyError: There is none of that name.
    """
    for name in names:
        if name not in SECTIONS:
            raise OdysseyError(f"the benchmark has no section '{name}'", did_you_mean(name, SECTIONS))
    return tuple(dict.fromkeys(names)) or tuple(SECTIONS)


def stream_seconds(settings: Settings) -> float:
    """Seconds of streams, and of simulated videos, that the benchmark takes from a service; generously [s]."""
    reaction = 1.2 + 0.1 + 0.5 + 2.0
    parts = {
        "stream": 60 + settings.seconds + 2 * settings.repeats * reaction + 5 * CONNECTS,
        "jobs": 4 * SCRIPT_S + 10,
        "loop": 2 * (20 + settings.seconds),
        "hybrid": HYBRID_ENVS * (30 + 2 * HYBRID_ROUNDS * settings.seconds / 2),
        "effects": 20 + settings.effect_repeats * 3 * (settings.wait_s + 0.2) * len(sentences()),
    }
    return sum(parts[name] for name in settings.sections)


def cost(settings: Settings) -> str:
    """What the benchmark will cost at a service that takes money, as a sentence."""
    hours = stream_seconds(settings) / 3600
    low, high = (price * hours for price in PRICES)
    return (
        f"About {60 * hours:.0f} minutes of streams at {settings.url}: {low:.2f} to {high:.2f} USD "
        f"at {PRICES[0]:g} to {PRICES[1]:g} USD an hour, simulated videos counted as streams."
    )


def is_free(settings: Settings) -> bool:
    """Whether only this machine is asked."""
    return settings.url is None or is_loopback(settings.url)


def measure(settings: Settings, tell: Tell) -> dict[str, Any]:
    """Everything, as one document.

    Args:
        settings: What to measure.
        tell: Told what is under way.
    """
    found: dict[str, Any] = {}
    names = settings.sizes if settings.url is None else settings.sizes[:1]
    for number, size in enumerate(names):
        label = f"{size[0]}x{size[1]}" if settings.url is None else "service"
        sections = [name for name in settings.sections if number == 0 or name in ("stream", "loop", "jobs")]
        with _service(settings, size) as (url, key):
            sdk = find_sdk(settings.client, url)
            options = settings.service.model_copy(update={"api_url": url, "client": sdk.name})
            here = replace(settings, service=options)
            found[label] = {name: _section(name, here, sdk, key, partial(_told, tell, label)) for name in sections}
    return {**_about(settings, sdk), "results": found}


def _told(tell: Tell, label: str, what: str) -> None:
    tell(f"{label}: {what}")


def _about(settings: Settings, sdk: Sdk) -> dict[str, Any]:
    keys = ("sections", "fps", "seconds", "repeats", "effect_repeats", "wait_s", "seed")
    return {
        "machine": machine(),
        "client": {"name": sdk.name, "version": sdk.version},
        "service": settings.url or "emulator",
        "settings": {key: getattr(settings, key) for key in keys},
    }


def machine() -> dict[str, Any]:
    """Versions, cores, and how busy the machine was."""
    found = manifest()
    found["versions"] |= {name: version(name) for name in PACKAGES}
    return {**found, "load": round(os.getloadavg()[0], 2)}


@contextmanager
def _service(settings: Settings, size: tuple[int, int]) -> Iterator[tuple[str, str]]:
    """Address and key of what is measured; the key stands in the environment meanwhile, where worlds look for it."""
    with ExitStack() as stack:
        if settings.url is not None:
            yield settings.url, api_key()
            return
        from adversarl_odyssey.measure.served import Served

        served = stack.enter_context(Served(size, settings.fps))
        with borrowed_key(served.key):
            yield served.url, served.key


@contextmanager
def borrowed_key(key: str) -> Iterator[None]:
    """Lets worlds of this process use a key for a while."""
    before = os.environ[KEY] if has_key() else None
    os.environ[KEY] = key
    try:
        yield
    finally:
        os.environ.pop(KEY)
        if before is not None:
            os.environ[KEY] = before


def errors(found: dict[str, Any]) -> list[str]:
    """What could not be measured, and why."""
    return [
        f"{label}, {name}: {section['error']}"
        for label, sections in found["results"].items()
        for name, section in sections.items()
        if "error" in section
    ]


def _section(name: str, settings: Settings, sdk: Sdk, key: str, tell: Tell) -> dict[str, Any]:
    tell(name)
    begun = time.monotonic()
    section = {"stream": _stream, "jobs": _jobs, "loop": _loop, "hybrid": _hybrid, "effects": _effects}[name]
    try:
        found = section(settings, partial(_client, sdk, key, settings), tell)
    except Exception as error:
        _log.debug("section %s", name, exc_info=True)
        found = {"error": hide(f"{type(error).__name__}: {error}")}
    return {**found, "took_s": round(time.monotonic() - begun, 1)}


def _client(sdk: Sdk, key: str, settings: Settings) -> Any:
    url, patience = settings.service.api_url, round(settings.service.connect_timeout_s)
    return sdk.Odyssey(key, api_url=url, enable_telemetry=False, advanced=sdk.AdvancedConfig(queue_timeout_s=patience))


def _stream(settings: Settings, make: Callable[[], Any], tell: Tell) -> dict[str, Any]:
    from adversarl_odyssey.measure.session import session

    return asyncio.run(session(make, settings.plan(), CONNECTS, tell))


def _jobs(settings: Settings, make: Callable[[], Any], tell: Tell) -> dict[str, Any]:
    from adversarl_odyssey.measure import jobs

    async def all_jobs() -> dict[str, Any]:
        scene = settings.service.scene
        steps = jobs.script(scene, f"{scene} {DARK}", SCRIPT_S)
        async with jobs.aclosing_client(make()) as client:
            made, listed = await jobs.simulation(client, steps), await jobs.listing(client, steps)
        return {"simulate": made, "listing": listed, "recording": await jobs.recorded_stream(make, scene, SCRIPT_S)}

    return asyncio.run(all_jobs())


def _loop(settings: Settings, make: Callable[[], Any], tell: Tell) -> dict[str, Any]:
    from adversarl_odyssey.measure.loops import stepping

    arguments = (settings.service, settings.seconds, RATE, settings.seed)
    tell("loop that takes the latest picture")
    latest = stepping(*arguments, fresh=False)
    tell("loop that waits for its actions to show")
    return {"rate_hz": RATE, "latest": latest, "waiting": stepping(*arguments, fresh=True)}


def _hybrid(settings: Settings, make: Callable[[], Any], tell: Tell) -> dict[str, Any]:
    from adversarl_odyssey.measure.loops import ratio
    from adversarl_odyssey.measure.worlds import make_world

    options = settings.service.model_dump(include={"api_url", "client"})
    build = partial(make_world, num_envs=HYBRID_ENVS, seed=settings.seed, options=options)
    return ratio(build, HYBRID_ROUNDS, settings.seconds / 2, settings.seed, ("odyssey-hybrid", "mujoco"))


def sentences() -> dict[str, str]:
    """What is said for each axis at its bound."""
    from adversarl_odyssey.measure.worlds import catalogue

    return catalogue()


def _effects(settings: Settings, make: Callable[[], Any], tell: Tell) -> dict[str, Any]:
    from adversarl_odyssey.measure.effects import effects
    from adversarl_odyssey.measure.watch import watched

    async def all_axes() -> list[dict[str, Any]]:
        scene = settings.service.scene
        async with watched(make()) as found:
            await found.start(scene)
            return await effects(found, scene, sentences(), settings.effect_repeats, settings.wait_s, tell)

    return {"axes": asyncio.run(all_axes())}
