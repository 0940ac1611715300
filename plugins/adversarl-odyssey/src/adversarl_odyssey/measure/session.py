"""One client's session from its connection to a second stream."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from adversarl_odyssey.measure.figures import median, milliseconds
from adversarl_odyssey.measure.probe import Plan, actions, pictures, prompts
from adversarl_odyssey.measure.watch import LIMIT_S, bounded, watched


async def session(make: Callable[[], Any], plan: Plan, connects: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Connects several times, then measures one stream, ends it and starts another.

    Args:
        make: Makes a client.
        plan: How much to measure.
        connects: Connections that are timed.
        tell: Told what is under way.
    """
    times = []
    for _ in range(connects - 1):
        async with watched(make()) as found:
            times.append(found.connect_s)
    async with watched(make()) as found:
        times.append(found.connect_s)
        _, answered, shown = await found.start(plan.scene, portrait=plan.portrait)
        measured = {"pictures": await pictures(found, plan.seconds)}
        for name, measurement in (("prompts", prompts), ("actions", actions)):
            tell(name)
            measured[name] = await measurement(found, plan)
        begun = time.monotonic()
        await bounded(found.client.end_stream(), LIMIT_S, "ending a stream")
        ended = time.monotonic() - begun
        _, again, shown_again = await found.start(plan.scene, portrait=plan.portrait)
        await asyncio.sleep(0.5)
    seconds = {"started": answered, "first_picture": shown, "ended": ended}
    restart = {"restarted": again, "first_picture_again": shown_again}
    return {
        "connect_ms": milliseconds(median(times)),
        **{f"{name}_ms": round(1e3 * value, 1) for name, value in (seconds | restart).items()},
        **measured,
    }
