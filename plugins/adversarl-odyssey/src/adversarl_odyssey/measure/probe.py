"""What a bare client sees of a stream: pictures per second, and how soon prompts and actions show."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.measure.figures import median, milliseconds, percentiles
from adversarl_odyssey.measure.watch import Watched
from adversarl_odyssey.sentences import VOCABULARY, encode

DARK = "The room is almost dark."
LIMIT_S = 5.0
"""How long a change, or an acknowledgement, is waited for [s]."""
SHAM_S = 0.5
"""How long the detector watches without a prompt, to see how often it is wrong [s]."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured.

    Attributes:
        scene: The prompt that the stream starts with.
        seconds: How long pictures are counted [s].
        repeats: Prompts, and as many actions.
        settle_s: Pause before each of them [s].
        seed: Of the pauses' random parts, which keep prompts from falling in step with pictures.
        portrait: Whether the stream is upright.
    """

    scene: str
    seconds: float = 10.0
    repeats: int = 20
    settle_s: float = 1.2
    seed: int = 0
    portrait: bool = False


async def pictures(found: Watched, seconds: float) -> dict[str, Any]:
    """Pictures per second, their size, and the times between them [ms]."""
    begun = time.monotonic()
    await asyncio.sleep(seconds)
    times = [picture.time_s for picture in found.frames.since(begun)]
    if len(times) < 2:
        raise OdysseyError(f"{len(times)} pictures came in {seconds:g} s{found.trouble}", "Is the service alright?")
    return {
        "fps": round((len(times) - 1) / (times[-1] - times[0]), 2),
        "n": len(times),
        "seconds": seconds,
        "width": found.frames.size[0],
        "height": found.frames.size[1],
        "interval_ms": milliseconds(percentiles(np.diff(times).tolist())),
    }


async def prompts(found: Watched, plan: Plan) -> dict[str, Any]:
    """Darkness and light in turn, as complete descriptions."""
    texts = [f"{plan.scene} {DARK}", plan.scene]
    return await _reactions(found, texts, None, plan)


async def actions(found: Watched, plan: Plan) -> dict[str, Any]:
    """The robot moves one way and the other; it holds still in between."""
    still = np.where([dimension == len(VOCABULARY) - 1 for dimension in range(len(VOCABULARY))], -1.0, 0.0)
    texts = [encode(still + np.eye(len(VOCABULARY))[1] * sign) for sign in (-1, 1)]
    return await _reactions(found, texts, encode(still), plan)


async def _reactions(found: Watched, texts: list[str], rest: str | None, plan: Plan) -> dict[str, Any]:
    """Sends texts in turn and waits for each to show; `rest` is sent afterwards, where there is one."""
    rng = np.random.default_rng(plan.seed)
    rows = []
    if rest:
        await found.interact(rest, LIMIT_S)
    for repeat in range(plan.repeats):
        await found.renew()
        await asyncio.sleep(plan.settle_s + float(rng.uniform(0, 0.1)))
        rows.append(await _reaction(found, texts[repeat % len(texts)]))
        if rest:
            await found.interact(rest, LIMIT_S)
    return _summary(rows)


async def _reaction(found: Watched, text: str) -> dict[str, Any]:
    """One text: whether the detector was wrong just before it, and the times until it is acknowledged and seen."""
    wrong, _ = await found.change(found.quiet(), time.monotonic(), SHAM_S)
    before = found.quiet()
    sent, acknowledged = await found.interact(text, LIMIT_S)
    newer = await found.picture_after(acknowledged, LIMIT_S)
    seen, judge = await found.change(before, sent, LIMIT_S)
    return {
        "false_alarm": wrong is not None,
        "acknowledged_s": acknowledged - sent,
        "next_picture_s": newer - sent,
        "seen_s": None if seen is None else seen - sent,
        "noise": judge.noise,
    }


def _summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    seen = [row["seen_s"] for row in rows if row["seen_s"] is not None]
    return {
        "acknowledged_ms": _spread([row["acknowledged_s"] for row in rows]),
        "next_picture_ms": _spread([row["next_picture_s"] for row in rows]),
        "first_changed_ms": _spread(seen),
        "unseen": len(rows) - len(seen),
        "false_alarms": sum(row["false_alarm"] for row in rows),
        "noise_grey_levels": round(float(np.median([row["noise"] for row in rows])), 2) if rows else None,
        "n": len(rows),
    }


def _spread(values: list[float]) -> dict[str, Any]:
    return milliseconds({**median(values), **percentiles(values, (95,))})
