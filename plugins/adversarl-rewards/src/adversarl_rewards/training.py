"""From a world to a trained reward detector, and what the detector is worth."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from adversarl.detection import FrameDetector, FrameOptions
from adversarl.errors import NotTrainable, PerturbationError
from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.labelled import LabelledFrames
from adversarl.seeding import generator
from adversarl_rewards.bench.figures import figures
from adversarl_rewards.bench.judged import judged
from adversarl_rewards.collect import collect, grid_trials, random_trials
from adversarl_rewards.errors import NothingToLabel

HELD_OUT = 0.25
"""Share of the axes that training never sees, unless they are named."""
VALIDATION = 0.1
"""Share of the episodes to choose and calibrate by."""
TESTED = 0.5
"""Intensity at which axes are tested."""
FRAMES_PER_EPISODE = 14
TEST_FRAMES = 6
VISUAL = "visual"
Show = Callable[[str, int, int], None]
"""Called with a phase (``frames``, ``training``, ``test``), how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be trained and how.

    Attributes:
        detector: Class of the detector.
        options: Its options; what its file is called in them does not count.
        out: The file.
        episodes: How many are played to train on.
        tests: How many are played for each test.
        seed: Of everything.
        hold_out: Names of axes to keep out; None draws a quarter of them.
    """

    detector: type[FrameDetector]
    options: FrameOptions
    out: Path
    episodes: int = 2000
    tests: int = 240
    seed: int = 0
    hold_out: Sequence[str] | None = None


def train(world: PerturbableVectorEnv, plan: Plan, show: Show = lambda phase, done, total: None) -> dict[str, Any]:
    """Collects pictures, trains a detector on them and measures it on others.

    The file appears when everything is done; whatever ends the training before leaves what was there.

    Args:
        world: Where; it is reset.
        plan: What is trained.
        show: Told how it goes on.

    Returns:
        What was trained on and what came of it; JSON-ready.

    Raises:
        NotTrainable: The detector has nothing to train.
        NothingToLabel: The world has no expert or no potential, or too little was played to learn from.
        PerturbationError: An axis to keep out that the world does not have.
    """
    if plan.detector.fit.__func__ is FrameDetector.fit.__func__:  # type: ignore[attr-defined]
        raise NotTrainable(plan.detector.__name__)
    usual, aside = split_axes(world, plan.hold_out, plan.seed)
    training, validation = _material(world, plan, usual, show)
    plan.out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = plan.out.with_name(f".{plan.out.stem}.unfinished{plan.out.suffix}")
    try:
        found = plan.detector.fit(
            plan.options,
            training,
            validation,
            unfinished,
            seed=plan.seed,
            on_progress=lambda done, total: show("training", done, total),
        )
        about = _about(world, plan, training, validation, usual, aside)
        about |= {"tests": _measured(world, plan, unfinished, usual, aside, show)}
        plan.detector.note(unfinished, about)
        os.replace(unfinished, plan.out)
    finally:
        unfinished.unlink(missing_ok=True)
    return about | {"trained": found}


def split_axes(
    world: PerturbableVectorEnv, hold_out: Sequence[str] | None, seed: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Visual axes to train under, and those to keep out.

    Raises:
        PerturbationError: One of `hold_out` is none of them.
    """
    names = [axis.name for axis in world.axes if axis.group == VISUAL]
    for name in hold_out or ():
        if name not in names:
            raise PerturbationError("visual axis", name, names)
    if hold_out is None:
        order = generator(seed, "reward train", "axes").permutation(len(names))
        hold_out = [names[i] for i in order[: round(HELD_OUT * len(names))]]
    return tuple(name for name in names if name not in hold_out), tuple(sorted(set(hold_out)))


def _material(
    world: PerturbableVectorEnv, plan: Plan, axes: Sequence[str], show: Show
) -> tuple[LabelledFrames, LabelledFrames]:
    """Pictures to train on and to validate by, of different episodes."""
    rng = generator(plan.seed, "reward train", "frames")
    frames = collect(
        world,
        random_trials(axes, plan.episodes, rng),
        rng,
        frames_per_episode=FRAMES_PER_EPISODE,
        on_progress=lambda done, total: show("frames", done, total),
    )
    chosen = rng.permutation(plan.episodes)[: max(1, round(VALIDATION * plan.episodes))]
    aside = np.isin(frames.episode, chosen)
    parts = frames.rows(~aside), frames.rows(aside)
    for part in parts:
        if part.success.all() or not part.success.any():
            counts = f"{int(part.success.sum())} of {len(part)} pictures of {plan.episodes} episodes are solved"
            raise NothingToLabel(world.task, counts, "Ask for more --episodes")
    return parts


def _about(
    world: PerturbableVectorEnv,
    plan: Plan,
    training: LabelledFrames,
    validation: LabelledFrames,
    usual: Sequence[str],
    aside: Sequence[str],
) -> dict[str, Any]:
    return {
        "task": world.task,
        "seed": plan.seed,
        "episodes": plan.episodes,
        "training": {"n": len(training), "solved": int(training.success.sum())},
        "validation": {"n": len(validation), "solved": int(validation.success.sum())},
        "axes": list(usual),
        "held_out_axes": list(aside),
    }


def _measured(
    world: PerturbableVectorEnv, plan: Plan, file: Path, usual: Sequence[str], aside: Sequence[str], show: Show
) -> dict[str, Any]:
    """Figures of the detector at its own thresholds, on episodes that nothing was trained on."""
    detector = plan.detector(plan.options.model_copy(update={plan.detector.trained: str(file)}))
    rng = generator(plan.seed, "reward train", "tests")
    tests = {"nominal": grid_trials((), (0.0,), plan.tests, rng)}
    for name, axes in {"same_axes": usual, "held_out_axes": aside}.items():
        if axes:
            tests[name] = grid_trials(axes, (TESTED,), -(-plan.tests // len(axes)), rng)
    found, done, total = {}, 0, sum(map(len, tests.values()))
    for name, trials in tests.items():
        truth = collect(
            world, trials, rng, frames_per_episode=TEST_FRAMES, on_progress=partial(_part_of, show, done, total)
        )
        done += len(trials)
        rows = judged(truth, detector.judge(truth.frames, world.task), plan.options)
        kinds = {kind: figures(rows.rows(rows.kind == kind), rng) for kind in ("near", "apart")}
        false = {kind: row["false_positives"] for kind, row in kinds.items()}
        found[name] = {**figures(rows, rng), "false_positives_of": false}
    return found


def _part_of(show: Show, before: int, total: int, done: int, of: int) -> None:
    """Tells how far a test has come, as a part of all tests."""
    del of
    show("test", before + done, total)
