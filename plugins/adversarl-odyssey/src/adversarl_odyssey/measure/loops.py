"""What a training loop sees of a stream: the age of pictures, those it never saw, and what waiting for them costs."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import numpy as np

from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl_odyssey.live import LiveSource
from adversarl_odyssey.measure.figures import median, milliseconds, percentiles
from adversarl_odyssey.options import ServiceOptions
from adversarl_odyssey.sentences import VOCABULARY, ActionEncoder
from adversarl_odyssey.sources import Source

SIZE = 84
"""Edge of the observations [pixel]."""
HOLD = 5
"""Steps for which an action is kept, so that there is something to merge."""


def stepping(options: ServiceOptions, seconds: float, rate: float, seed: int, *, fresh: bool) -> dict[str, Any]:
    """A loop that wants `rate` steps per second of one stream, with a new random action every `HOLD` steps.

    Args:
        options: How to reach the service.
        seconds: How long it runs [s].
        rate: Wanted steps per second [Hz].
        seed: Of the actions.
        fresh: Whether each step after a sentence waits for a picture newer than its acknowledgement, as a pure world
            does; else it takes the latest picture, as a hybrid world does.
    """
    with closing(LiveSource(options, 1, SIZE)) as source:
        begun = time.monotonic()
        source.begin(0, options.scene, restart=True)
        source.show(0, fresh=True)
        opened = time.monotonic() - begun
        return {"opened_s": round(opened, 2), **_steps(source, seconds, rate, seed, fresh=fresh)}


def _steps(source: Source, seconds: float, rate: float, seed: int, *, fresh: bool) -> dict[str, Any]:
    rng, encoder = np.random.default_rng(seed), ActionEncoder(VOCABULARY, 0.2, rate)
    ages, waits, latencies = list[float](), list[float](), list[float]()
    number, dropped, repeated, said, late = -1, 0, 0, 0, 0
    count, action = round(seconds * rate), np.zeros(len(VOCABULARY))
    begun = time.monotonic()
    for step in range(count):
        if step % HOLD == 0:
            action = rng.uniform(-1, 1, len(VOCABULARY))
        asked = time.monotonic()
        text = encoder.say(action, asked)
        if text:
            source.act(0, text)
            said += 1
        shown = source.show(0, fresh=fresh and text is not None)
        ages.append(shown.age_s)
        if text and fresh:
            waits.append(time.monotonic() - asked)
        if np.isfinite(shown.latency_s) and (not latencies or latencies[-1] != shown.latency_s):
            latencies.append(shown.latency_s)
        dropped, repeated, number = dropped + shown.dropped, repeated + (shown.number == number), shown.number
        pause = begun + (step + 1) / rate - time.monotonic()
        late += pause < 0
        time.sleep(max(0.0, pause))
    return {
        "steps": count,
        "steps_per_s": round(count / (time.monotonic() - begun), 2),
        "late_steps": late,
        "sentences": said,
        "age_ms": milliseconds(percentiles(ages)),
        "action_to_picture_ms": milliseconds({**median(waits or latencies), **percentiles(waits or latencies, (95,))}),
        "dropped": dropped,
        "repeated": repeated,
    }


def speed(world: PerturbableVectorEnv, seconds: float, rng: np.random.Generator) -> float:
    """Environment steps per second with random actions, resets included."""
    begun, steps = time.monotonic(), 0
    while (spent := time.monotonic() - begun) < seconds:
        actions = rng.uniform(-1, 1, world.action_space.shape or ()).astype(np.float32)
        *_, terminated, truncated, _ = world.step(actions)
        steps += world.num_envs
        done = terminated | truncated
        if done.any():
            world.reset(seed=[None] * world.num_envs, options={"reset_mask": done})
    return steps / spent


def ratio(
    make: Callable[[str], PerturbableVectorEnv], rounds: int, seconds: float, seed: int, names: tuple[str, str]
) -> dict[str, Any]:
    """How fast a world with streams is beside the same world without any, in rounds of one run.

    Args:
        make: Makes the world of a name.
        rounds: Rounds in which both are measured one after the other.
        seconds: Of each measurement [s].
        seed: Of the actions and the first reset.
        names: The world with streams, and the one without.
    """
    rng = np.random.default_rng(seed)
    with closing(make(names[1])) as plain:
        plain.reset(seed=seed)
        alone = speed(plain, seconds, rng)
        with closing(make(names[0])) as streamed:
            streamed.reset(seed=seed)
            pairs = [(speed(streamed, seconds, rng), speed(plain, seconds, rng)) for _ in range(rounds)]
    with_streams, without = np.median(np.asarray(pairs), axis=0)
    return {
        "num_envs": plain.num_envs,
        "alone_steps_per_s": round(alone, 1),
        "streamed_steps_per_s": round(float(with_streams), 1),
        "plain_steps_per_s": round(float(without), 1),
        "ratio": {name: round(value, 3) if isinstance(value, float) else value for name, value in _of(pairs).items()},
    }


def _of(pairs: list[tuple[float, float]]) -> dict[str, Any]:
    return median([streamed / plain for streamed, plain in pairs])
