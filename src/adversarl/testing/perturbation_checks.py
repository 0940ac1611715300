"""Checks of a backend's perturbations: grounding, effect, isolation, exact restoring."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

import numpy as np

from adversarl.errors import NoTeacher, PerturbationError
from adversarl.interfaces.backend import Backend, BackendOptions, PerturbableVectorEnv
from adversarl.testing.kit import conformance, demand
from adversarl.testing.traces import ENVS, SEEDS, Frame, follow, look, play, same, world_of
from adversarl.types import Axis, Perturbation

SEEN = ("visual", "sensor")
"""Groups that show in observations whatever the robot does; others may take until something is touched."""

PATIENCE = 60
"""Control steps within which a change must show; a visual one must in the very next observation."""


def _everything(world: PerturbableVectorEnv, intensity: float) -> list[Perturbation]:
    return [Perturbation(axis.name, intensity, seed=i) for i, axis in enumerate(world.axes)]


def _put(world: PerturbableVectorEnv, perturbations: Sequence[Perturbation], envs: Sequence[int] = (0, 1)) -> None:
    world.perturb(envs, [perturbations] * len(envs))


def _restore(world: PerturbableVectorEnv) -> None:
    world.restore(range(world.num_envs))


@conformance("backend")
def axes_are_described(cls: type[Backend], options: BackendOptions) -> None:
    """Axes have unique kebab-case names and say unit, nominal value, bound, source and phrase."""
    with world_of(cls, options) as world:
        names = [axis.name for axis in world.axes]
        demand(names, "the world has no axes", "List what it can vary in `axes`")
        demand(len(set(names)) == len(names), f"axes share a name: {names}", "Name each axis once")
        for axis in world.axes:
            kebab = re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", axis.name)
            demand(kebab, f"'{axis.name}' is no kebab-case name", "Write it like light-position")
            texts = ("summary", "unit", "nominal", "bound", "source", "phrase")
            empty = [text for text in texts if not getattr(axis, text)]
            demand(
                not empty, f"axis '{axis.name}' has no {', '.join(empty)}", "Fill it in: listings and prompts use it"
            )


@conformance("backend")
def prompts_ground_to_their_axis(cls: type[Backend], options: BackendOptions) -> None:
    """Each axis' phrase with ``at 40 %`` is understood completely, as that axis at intensity 0.4."""
    with world_of(cls, options) as world:
        for axis in world.axes:
            text = f"{axis.phrase} at 40 %"
            grounding = world.ground(text)
            found = [(p.axis, round(p.intensity, 9)) for p in grounding.perturbations]
            demand(
                grounding.complete and found == [(axis.name, 0.4)],
                f'"{text}" was grounded to {found}, not understood: {list(grounding.not_understood)}',
                f"Ground it to '{axis.name}' at intensity 0.4 alone",
            )
            demand(world.ground(text) == grounding, f'"{text}" was grounded in two ways', "Ground deterministically")
            _put(world, grounding.perturbations)


@conformance("backend")
def nonsense_is_reported(cls: type[Backend], options: BackendOptions) -> None:
    """Words it does not know are listed, never dropped and never an exception."""
    with world_of(cls, options) as world:
        for text in ("frobnicate the zworble", f"{world.axes[0].phrase} at 40 % and frobnicate the zworble"):
            grounding = world.ground(text)
            demand(
                any("zworble" in words for words in grounding.not_understood) and not grounding.complete,
                f'"{text}" left not_understood = {list(grounding.not_understood)}',
                "Put every word that was taken for nothing into not_understood",
            )


@conformance("backend")
def back_to_normal_is_understood(cls: type[Backend], options: BackendOptions) -> None:
    """The prompt ``back to normal`` asks to restore."""
    with world_of(cls, options) as world:
        grounding = world.ground("back to normal")
        demand(
            grounding.restore and grounding.complete and not grounding.perturbations,
            f'"back to normal" was grounded to {grounding}',
            "Ground it to Grounding(text, restore=True)",
        )


@conformance("backend")
def active_tells_what_is_in_force(cls: type[Backend], options: BackendOptions) -> None:
    """Perturbations add up, replace their like, outlive a reset, and end with restore()."""
    with world_of(cls, options) as world:
        first, *rest = _everything(world, 0.5)
        _put(world, [first], [0])
        _put(world, rest, [0])
        world.reset(seed=list(SEEDS))
        names = sorted(p.axis for p in world.active([0])[0])
        expected = sorted(axis.name for axis in world.axes)
        demand(
            names == expected,
            f"active() names {names} instead of {expected}",
            "Add perturbations; keep them over a reset",
        )
        _put(world, [Perturbation(first.axis, 0.25)], [0])
        intensities = [p.intensity for p in world.active([0])[0] if p.axis == first.axis]
        demand(
            intensities == [0.25], f"'{first.axis}' is in force at {intensities}", "Replace the same axis and target"
        )
        world.restore([0])
        demand(world.active([0, 1]) == [(), ()], "something is in force after restore()", "Clear it all")


@conformance("backend")
def impossible_perturbations_are_refused(cls: type[Backend], options: BackendOptions) -> None:
    """An unknown axis or target is a `PerturbationError` and changes nothing."""
    with world_of(cls, options) as world:
        good = Perturbation(world.axes[0].name, 0.5)
        for bad in (Perturbation("zworble", 0.5), Perturbation(world.axes[0].name, 0.5, target="zworble")):
            try:
                _put(world, [good, bad], [0])
            except PerturbationError:
                demand(
                    world.active([0]) == [()], "a refused call changed the world", "Validate before changing anything"
                )
            else:
                demand(False, f"{bad} was accepted", "Raise adversarl.errors.PerturbationError")


@conformance("backend")
def every_axis_has_an_effect(cls: type[Backend], options: BackendOptions) -> None:
    """Intensity 1 from the reset on changes what is seen: at once if visual, else within `PATIENCE` steps."""
    with world_of(cls, options) as world:
        for axis in world.axes:
            steps = _steps(world, axis)
            shown = any(_differs_when_perturbed(world, axis, seed, -1, steps) for seed in range(3))
            demand(
                shown,
                f"axis '{axis.name}' at intensity 1 changes nothing within {steps} steps",
                "Apply it at the reset",
            )


def _steps(world: PerturbableVectorEnv, axis: Axis) -> int:
    """Control steps within which an axis must show; a sensor may fail only now and then."""
    return 1 if axis.group == "visual" else min(PATIENCE, world.max_episode_steps)


def _differs_when_perturbed(world: PerturbableVectorEnv, axis: Axis, seed: int, onset: int, steps: int) -> bool:
    """Whether an episode differs from its nominal twin once an axis is at its bound from step `onset` on."""
    change = partial(_put, perturbations=[Perturbation(axis.name, 1.0, seed=seed)])
    length = max(onset, 0) + steps
    if axis.group in SEEN:
        nominal, perturbed = play(world, length), play(world, length, {onset: change})
    else:
        nominal, perturbed = _guided(world, length, None, onset), _guided(world, length, change, onset)
    _restore(world)
    return not same(nominal, perturbed)


def _guided(world: PerturbableVectorEnv, steps: int, change: partial[None] | None, onset: int) -> list[Frame]:
    """An episode of the teacher, who touches things as random actions may not; random actions if there is none."""
    try:
        world.teacher([0])
    except NoTeacher:
        return play(world, steps, {onset: change} if change else {})
    if change and onset < 0:
        change(world)
    frames = [look(world, world.reset(seed=list(SEEDS))[0])]
    for number in range(steps):
        if change and number == onset:
            change(world)
        observation, reward, terminated, truncated, _ = world.step(world.teacher(range(ENVS)))
        frames.append(look(world, observation, reward))
        if np.any(terminated | truncated):
            break  # what follows is no part of the episode
    return frames


@conformance("backend")
def changes_show_mid_episode(cls: type[Backend], options: BackendOptions) -> None:
    """A mid-episode axis acts while the episode runs, a visual one in the next observation; others wait."""
    with world_of(cls, options) as world:
        for axis in world.axes:
            steps = _steps(world, axis)
            shown = any(_differs_when_perturbed(world, axis, seed, 3, steps) for seed in range(3))
            if axis.mid_episode:
                demand(
                    shown, f"axis '{axis.name}' did not act mid-episode", "Apply it in step(), or set mid_episode=False"
                )
            else:
                demand(
                    not shown,
                    f"axis '{axis.name}' acted before the reset",
                    "Wait for the reset, or set mid_episode=True",
                )


@conformance("backend")
def perturbing_one_environment_leaves_the_others_alone(cls: type[Backend], options: BackendOptions) -> None:
    """Everything at the bound in environment 0 changes no bit of environment 1."""
    with world_of(cls, options) as world:
        nominal = play(world, 6)
        change = partial(_put, perturbations=_everything(world, 1.0), envs=[0])
        perturbed = play(world, 6, {-1: change, 2: change})
        demand(same(nominal, perturbed, 1), "perturbing environment 0 changed environment 1", "Keep worlds apart")


@conformance("backend")
def intensity_zero_is_nominal(cls: type[Backend], options: BackendOptions) -> None:
    """All axes at intensity 0 give the nominal episode, bit for bit."""
    with world_of(cls, options) as world:
        nominal = play(world, 6)
        zero = play(world, 6, {-1: partial(_put, perturbations=_everything(world, 0.0))})
        demand(same(nominal, zero), "intensity 0 differs from nominal", "Interpolate from the nominal value")


@conformance("backend")
def restoring_is_exact(cls: type[Backend], options: BackendOptions) -> None:
    """After restore() and a reset, pixels, state and rewards are those of a world that was never perturbed."""
    with world_of(cls, options) as world:
        nominal = play(world, 6)
        change = partial(_put, perturbations=_everything(world, 1.0))
        play(world, 4, {-1: change, 2: change})
        _restore(world)
        demand(same(nominal, play(world, 6)), "restore() left traces", _EXACT)


@conformance("backend")
def restoring_mid_episode_is_exact(cls: type[Backend], options: BackendOptions) -> None:
    """After restore() in a running episode the picture is nominal again, for all that only changes pictures."""
    with world_of(cls, options) as world:
        visual = [p for p, a in zip(_everything(world, 1.0), world.axes, strict=True) if a.group == "visual"]
        visual = [p for p in visual if any(a.name == p.axis and a.mid_episode for a in world.axes)]
        nominal = play(world, 6)
        after = play(world, 6, {1: partial(_put, perturbations=visual), 3: _restore})
        demand(same(nominal[4:], after[4:]), "restore() mid-episode left traces in the picture or the physics", _EXACT)


_EXACT = "Store nominal values once and write them back, rather than undoing changes"


@conformance("backend")
def perturbations_repeat(cls: type[Backend], options: BackendOptions) -> None:
    """A seeded perturbation draws the same each time, whatever came before it."""
    with world_of(cls, options) as world:
        change = partial(_put, perturbations=_everything(world, 0.7))
        first = play(world, 6, {-1: change})
        _restore(world)
        follow(world, 3)
        second = play(world, 6, {-1: change})
        demand(
            same(first, second), "the same perturbations gave two worlds", "Draw what is open from perturbation.seed"
        )


@conformance("backend")
def backdrops_show_and_go(cls: type[Backend], options: BackendOptions) -> None:
    """Where a world lets pictures be put behind its scene, they show there alone, and leave no trace."""
    picture = np.full((30, 40, 3), (0, 255, 0), np.uint8)
    with world_of(cls, options) as world:
        before = play(world, 2)
        try:
            world.backdrops([0], [picture])
        except NotImplementedError:
            return
        shown = play(world, 2)
        changed = np.any(before[-1].image[0] != shown[-1].image[0])
        demand(changed, "a picture behind environment 0 is not to be seen", "Draw it where nothing stands before it")
        demand(before[-1].same(shown[-1], 1), "a picture behind environment 0 shows in environment 1", _BEHIND)
        same_physics = all(np.array_equal(a.state, b.state) for a, b in zip(before, shown, strict=True))
        demand(same_physics, "a picture behind the scene changed the physics", "Change pixels only")
        world.backdrops([0], [None])
        demand(same(before, play(world, 2)), "a picture stayed behind environment 0", _BEHIND)


_BEHIND = "Keep one picture per environment, and none for None"
