"""The benchmark: frames, detectors, figures."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from adversarl.detection import OnProgress
from adversarl.errors import AdversarlError, LiveWorld, PerturbationError
from adversarl.interfaces.backend import Notice, PerturbableVectorEnv
from adversarl.labelled import LabelledFrames
from adversarl.manifest import manifest
from adversarl.plugins import Plugins
from adversarl.recipe import Choice, Recipe
from adversarl.seeding import generator
from adversarl_rewards.bench.errors import NoAxes
from adversarl_rewards.bench.figures import by_condition
from adversarl_rewards.bench.frames import INTENSITIES, Design, frames_of, stratified
from adversarl_rewards.bench.judged import judged
from adversarl_rewards.bench.lineup import Entrant, Lineup, line_up, recipe_of, split_overrides
from adversarl_rewards.bench.measure import INTERRUPTED, Asked, ask
from adversarl_rewards.bench.speed import speeds, timed_while_asked

FRAMES_PER_EPISODE = 6
Show = Callable[[str], OnProgress]
"""Begins a phase, such as ``frames`` or a detector's name; what it returns is told how it goes on."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be measured; see the options of ``adversarl bench rewards``."""

    detectors: tuple[str, ...] = ()
    recipe: Path | None = None
    backend: str = "mujoco"
    overrides: tuple[str, ...] = ()
    axes: tuple[str, ...] = ()
    intensities: tuple[float, ...] = INTENSITIES
    episodes: int = 8
    seed: int = 0
    frames: Path | None = None
    max_frames: int | None = None


def benchmark(request: Request, plugins: Plugins, show: Show, notice: Notice) -> dict[str, Any]:
    """Measures; what a detector was asked before Ctrl-C, or before it must not go on, counts.

    Args:
        request: What.
        plugins: What is installed.
        show: Told how it goes on.
        notice: Tells the user what detectors have to say.

    Raises:
        AdversarlError: Something cannot be used.
    """
    labels = [one.partition("=")[0] for one in request.detectors]
    ours, theirs = split_overrides(request.overrides, labels, plugins)
    recipe = recipe_of(request.recipe, request.backend, ours, plugins)
    with closing(line_up(request.detectors, theirs, recipe, plugins)) as lineup:
        found: dict[str, Any] = {
            "benchmark": "rewards",
            "design": None,
            "frames": None,
            "runs": [manifest() | {"load": os.getloadavg()[0]}],
            "stopped": "",
            "reference": lineup.truths,
            "missing": lineup.missing,
            "detectors": {},
        }
        if lineup.entrants:
            _measure(found, request, recipe, lineup, show, notice)
    return found


def _measure(
    found: dict[str, Any], request: Request, recipe: Recipe, lineup: Lineup, show: Show, notice: Notice
) -> None:
    choice, rng = recipe["backend"], generator(request.seed, "bench rewards", "figures")
    _refuse_live(choice)
    with closing(choice.make().make(seed=request.seed)) as world:
        design = design_of(request, choice, world)
        truth = frames_of(design, request.frames, lambda: design.make(world, show("frames")))
    order = stratified(truth, generator(request.seed, "bench rewards", "order"))[: request.max_frames]
    found |= {"design": design.to_json(), "frames": _about(truth)}
    quick = dict[str, Entrant]()
    for entrant in lineup.entrants:
        entrant.detector.connect(notice, None)
        try:
            asked = ask(entrant.detector, truth, order, show(entrant.label))
        except AdversarlError as error:
            if request.detectors:
                raise
            found["missing"][entrant.label] = str(error)
            continue
        found["detectors"][entrant.label] = _result(entrant, asked, truth, rng)
        if asked.stopped == INTERRUPTED:
            found["stopped"] = INTERRUPTED
            return
        if not asked.paid:
            quick[entrant.label] = entrant
    try:
        _time(found["detectors"], quick, choice, truth, rng, request.seed)
    except KeyboardInterrupt:
        found["stopped"] = INTERRUPTED


def _refuse_live(choice: Choice) -> None:
    if choice.make().live:
        problem = "which never repeat, so that detectors would not be compared on the same ones. Measure in a simulator"
        raise LiveWorld(choice.component.name, f"{problem}: --set backend.use=mujoco")


def design_of(request: Request, choice: Choice, world: PerturbableVectorEnv) -> Design:
    """Which frames a request asks for.

    Raises:
        NoAxes: None is named, and the world has no visual one.
        PerturbationError: The world has no axis of that name.
    """
    known = [axis.name for axis in world.axes]
    for axis in request.axes:
        if axis not in known:
            raise PerturbationError("axis", axis, known)
    axes = request.axes or tuple(axis.name for axis in world.axes if axis.group == "visual")
    if not axes:
        raise NoAxes(choice.component.name)
    intensities = tuple(sorted({one for one in request.intensities if one}))
    backend = {"use": choice.component.name, **choice.options.model_dump(mode="json", exclude={"num_envs", "threads"})}
    nominal = request.episodes * len(axes)
    return Design(backend, world.task, axes, intensities, request.episodes, nominal, FRAMES_PER_EPISODE, request.seed)


def _about(truth: LabelledFrames) -> dict[str, Any]:
    kinds, counts = np.unique(truth.kind, return_counts=True)
    return {
        "n": len(truth),
        "episodes": len(np.unique(truth.episode)),
        "size": list(truth.frames.shape[1:3]),
        "solved": float(truth.success.mean()),
        "kinds": dict(zip(kinds.tolist(), counts.tolist(), strict=True)),
    }


def _result(entrant: Entrant, asked: Asked, truth: LabelledFrames, rng: np.random.Generator) -> dict[str, Any]:
    rows = judged(truth.rows(asked.rows), asked.found, entrant.detector.options)
    n = len(rows)
    return {
        **entrant.about(),
        "run": 0,
        "stopped": asked.stopped,
        **by_condition(rows, getattr(entrant.detector, "held_out_axes", ()), rng),
        "cost_usd": asked.cost_usd,
        "usd_per_1000": 1000 * asked.cost_usd / n if n else None,
        "speed": timed_while_asked(asked.ms),
    }


def _time(
    results: dict[str, Any],
    entrants: dict[str, Entrant],
    choice: Choice,
    truth: LabelledFrames,
    rng: np.random.Generator,
    seed: int,
) -> None:
    """Replaces times by those of detectors and the world taking turns."""
    if not entrants:
        return
    options = {"num_envs": 1} | ({"threads": 1} if "threads" in type(choice.options).model_fields else {})
    alone = type(choice.options).model_validate(choice.options.model_dump() | options)
    with closing(choice.component.load()(alone).make(seed=seed)) as world:
        found = speeds({label: entrant.detector for label, entrant in entrants.items()}, world, truth, rng)
    for label, row in found.items():
        results[label]["speed"] = row


def rounded(content: Any) -> Any:
    """JSON with numbers of four digits, which is more than is known of any."""
    if isinstance(content, dict):
        return {key: rounded(value) for key, value in content.items()}
    if isinstance(content, Sequence) and not isinstance(content, str):
        return [rounded(value) for value in content]
    return float(f"{content:.4g}") if isinstance(content, float) else content
