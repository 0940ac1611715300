"""How long detectors take, beside one step of the world that they look at."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

import numpy as np

from adversarl.detection import FrameDetector
from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.labelled import LabelledFrames
from adversarl_rewards.bench.measure import BATCH

BATCHES = (1, BATCH)
ROUNDS = 7
SECONDS = 0.2
"""Least time of a measurement [s]."""
STEP = "step"
Spent = tuple[float, float]
"""Milliseconds a unit of work: by the clock, and of the processor."""
Measure = Callable[[], Spent]


def speeds(
    detectors: Mapping[str, FrameDetector], world: PerturbableVectorEnv, truth: LabelledFrames, rng: np.random.Generator
) -> dict[str, dict[str, Any]]:
    """Milliseconds a frame in batches of 1 and 16, and how many steps of the world that is.

    Machines are shared and noisy, so all take turns for several rounds; times are medians over the rounds, and ratios
    medians of the ratios within a round. ``ms`` is what one waits, ``cpu_ms`` the time of all this process' threads,
    which does not count what else the machine is at, nor the work of a graphics card.

    Args:
        detectors: By label.
        world: One environment on one thread; it is reset and stepped.
        truth: Frames to ask about.
        rng: Chooses them, and acts.
    """
    measures: dict[tuple[str, int], Measure] = {(STEP, 0): _stepping(world, rng)}
    for label, detector in detectors.items():
        measures |= {(label, size): _judging(detector, truth, size, rng) for size in BATCHES}
    for measure in measures.values():
        measure()
    rounds = [{key: measure() for key, measure in measures.items()} for _ in range(ROUNDS)]
    step = {name: median(one[STEP, 0][i] for one in rounds) for i, name in enumerate(("step_ms", "step_cpu_ms"))}
    return {label: {**step, **_row(label, rounds)} for label in detectors}


def _row(label: str, rounds: Sequence[Mapping[tuple[str, int], Spent]]) -> dict[str, Any]:
    return {
        str(size): {
            "ms": median(one[label, size][0] for one in rounds),
            "cpu_ms": median(one[label, size][1] for one in rounds),
            "steps": median(one[label, size][0] / one[STEP, 0][0] for one in rounds),
        }
        for size in BATCHES
    }


def timed_while_asked(ms: Mapping[int, Sequence[float]]) -> dict[str, Any]:
    """The same of a detector that costs, from the calls that were made anyway; beside no step of the world."""
    times = {size: median(ms[size]) if size in ms else None for size in BATCHES}
    rows = {str(size): {"ms": spent, "cpu_ms": None, "steps": None} for size, spent in times.items()}
    return {"step_ms": None, "step_cpu_ms": None, **rows}


def _judging(detector: FrameDetector, truth: LabelledFrames, size: int, rng: np.random.Generator) -> Measure:
    def measure() -> Spent:
        def call() -> int:
            detector.judge(truth.frames[rng.integers(len(truth), size=size)], truth.task)
            return size

        return _per_unit(call)

    return measure


def _stepping(world: PerturbableVectorEnv, rng: np.random.Generator) -> Measure:
    world.reset(seed=int(rng.integers(2**31)))
    shape = world.action_space.shape or ()

    def step() -> int:
        _, _, terminated, truncated, _ = world.step(rng.uniform(-1, 1, shape).astype(np.float32))
        if (terminated | truncated).any():
            world.reset(options={"reset_mask": terminated | truncated})
        return world.num_envs

    return lambda: _per_unit(step)


def _per_unit(call: Callable[[], int]) -> Spent:
    begun, busy, units = time.perf_counter(), time.process_time(), 0
    while True:
        units += call()
        passed = time.perf_counter() - begun
        if passed >= SECONDS:
            return 1000 * passed / units, 1000 * (time.process_time() - busy) / units
