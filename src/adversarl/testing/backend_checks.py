"""Checks of a backend as a `gymnasium.vector.VectorEnv`: spaces, seeds, time limits, teacher, pickling."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Dict
from gymnasium.vector import AutoresetMode

from adversarl.errors import NoTeacher
from adversarl.interfaces.backend import Backend, BackendOptions, Observation, PerturbableVectorEnv
from adversarl.testing.kit import conformance, demand
from adversarl.testing.traces import ENVS, SEEDS, actions_for, digest, follow, look, play, same, world_of


@conformance("backend")
def spaces_are_declared(cls: type[Backend], options: BackendOptions) -> None:
    """Observation Dict(image, proprio), action Box(-1, 1), batched for all environments."""
    with world_of(cls, options) as world:
        demand(
            isinstance(world, PerturbableVectorEnv),
            f"make() returned a {type(world).__name__}",
            "Return a subclass of adversarl.interfaces.backend.PerturbableVectorEnv",
        )
        demand(world.num_envs == ENVS, f"make(num_envs={ENVS}) made {world.num_envs}", "Honour num_envs")
        space, action = world.single_observation_space, world.single_action_space
        demand(
            isinstance(space, Dict) and set(space.spaces) == {"image", "proprio"},
            f"single_observation_space is {space}",
            'Use gymnasium.spaces.Dict with the keys "image" and "proprio"',
        )
        _demand_box(space["image"], "image", np.uint8, 3)  # type: ignore[index]
        _demand_box(space["proprio"], "proprio", np.float32, 1)  # type: ignore[index]
        demand(
            isinstance(action, Box) and np.all(action.low == -1) and np.all(action.high == 1),
            f"single_action_space is {action}",
            "Scale actions to Box(-1, 1, (a,))",
        )


def _demand_box(space: Any, name: str, dtype: type, dimensions: int) -> None:
    demand(
        isinstance(space, Box) and space.dtype == dtype and len(space.shape) == dimensions,
        f"the space of '{name}' is {space}",
        f"Use a Box of {np.dtype(dtype).name} with {dimensions} dimension(s)",
    )


@conformance("backend")
def steps_return_what_the_spaces_promise(cls: type[Backend], options: BackendOptions) -> None:
    """Observations inside the space; rewards, flags and ``info["success"]`` of shape (num_envs,)."""
    with world_of(cls, options) as world:
        demand_inside(world, world.reset(seed=list(SEEDS))[0], "reset()")
        observation, reward, terminated, truncated, info = world.step(actions_for(world, 1)[0])
        demand_inside(world, observation, "step()")
        demand(
            np.shape(reward) == (ENVS,) and np.all(np.isfinite(reward)),
            f"the reward is {reward!r}",
            f"Return finite numbers of shape ({ENVS},)",
        )
        demand("success" in info, "info has no 'success'", 'Put info["success"], bool of shape (num_envs,), in')
        flags = {"terminated": terminated, "truncated": truncated, 'info["success"]': info["success"]}
        for name, flag in flags.items():
            demand(
                isinstance(flag, np.ndarray) and flag.dtype == np.bool_ and flag.shape == (ENVS,),
                f"{name} is {flag!r}",
                f"Return a numpy bool array of shape ({ENVS},)",
            )


def demand_inside(world: PerturbableVectorEnv, observation: Observation, where: str) -> None:
    """Fails the running check unless an observation is inside the world's space."""
    demand(
        world.observation_space.contains(observation),
        f"the observation of {where} is not inside observation_space",
        "Compare dtype, shape and bounds of each key with the space",
    )


@conformance("backend")
def state_is_a_finite_table(cls: type[Backend], options: BackendOptions) -> None:
    """The privileged state is float32 of shape (num_envs, s)."""
    with world_of(cls, options) as world:
        world.reset(seed=list(SEEDS))
        state = world.state()
        demand(
            state.ndim == 2 and len(state) == ENVS and state.dtype == np.float32 and np.all(np.isfinite(state)),
            f"state() has shape {state.shape} and dtype {state.dtype}",
            f"Return finite float32 of shape ({ENVS}, s)",
        )


@conformance("backend")
def autoreset_is_disabled(cls: type[Backend], options: BackendOptions) -> None:
    """The caller resets finished environments, after it has decided what their next world looks like."""
    with world_of(cls, options) as world:
        mode = world.metadata.get("autoreset_mode")
        demand(
            mode is AutoresetMode.DISABLED,
            f"metadata['autoreset_mode'] is {mode}",
            "Set it to gymnasium.vector.AutoresetMode.DISABLED and reset only when asked",
        )


@conformance("backend")
def the_same_seed_gives_the_same_episode(cls: type[Backend], options: BackendOptions) -> None:
    """A seed fixes the first observation and all that follows, whatever was played before."""
    with world_of(cls, options) as world:
        first = play(world, 8)
        second = play(world, 8)
        demand(first[0].same(second[0]), "reset(seed=s) twice gave two observations", "Draw from a generator made of s")
        demand(
            same(first, second),
            "the same seed and actions led to different episodes",
            "Reset every generator, buffer and solver warm start in reset()",
        )


@conformance("backend")
def another_seed_gives_another_episode(cls: type[Backend], options: BackendOptions) -> None:
    """Seeds are honoured, and environments have different ones."""
    with world_of(cls, options) as world:
        first = play(world, 0)[0]
        other = play(world, 0, seeds=(SEEDS[0] + 1000, SEEDS[1]))[0]
        demand(not first.same(other, 0), "another seed gave the same first observation", "Use the seed in reset()")
        demand(first.same(other, 1), "the seed of environment 0 changed environment 1", "Seed environments apart")


@conformance("backend")
def the_reset_mask_is_respected(cls: type[Backend], options: BackendOptions) -> None:
    """``options={"reset_mask": ...}`` restarts the chosen environments and leaves the others alone."""
    mask = np.array([False, True])
    with world_of(cls, options) as world:
        before = play(world, 5)[-1]
        seeds = [None, SEEDS[1]]
        after = look(world, world.reset(seed=seeds, options={"reset_mask": mask})[0], before.reward)
        demand(before.same(after, 0), "an environment outside reset_mask changed", "Reset only where the mask is True")
        fresh = look(world, world.reset(seed=list(SEEDS))[0], before.reward)
        demand(after.same(fresh, 1), "an environment inside reset_mask was not reset", "Reset where the mask is True")


@conformance("backend")
def two_worlds_run_alike(cls: type[Backend], options: BackendOptions) -> None:
    """Two worlds with the same seeds and actions give the same hashes, also where no seed is given to reset."""
    digests = []
    for _ in range(2):
        with world_of(cls, options) as world:
            unseeded = [look(world, world.reset()[0]), *follow(world, 2)]
            digests.append(digest([*unseeded, *play(world, 8)]))
    demand(
        digests[0] == digests[1],
        f"two identical runs have the hashes {digests[0][:12]} and {digests[1][:12]}",
        "Derive every generator from make(seed=...) or reset(seed=...), none from the clock or a global one",
    )


@conformance("backend")
def neighbours_do_not_matter(cls: type[Backend], options: BackendOptions) -> None:
    """An episode is the same alone and beside others, so that evaluation does not depend on num_envs."""
    with world_of(cls, options) as world:
        beside = play(world, 6)
    with world_of(cls, options, num_envs=1) as world:
        alone = play(world, 6, seeds=SEEDS[:1])
    equal = all(a.same(b, slice(0, 1)) for a, b in zip(alone, beside, strict=True))
    demand(equal, "an episode differs when another environment runs beside it", "Share no generator or buffer")


@conformance("backend")
def the_time_limit_truncates(cls: type[Backend], options: BackendOptions) -> None:
    """After max_episode_steps an episode is truncated, not terminated, and never truncated earlier."""
    with world_of(cls, options) as world:
        world.reset(seed=list(SEEDS))
        limit, solved = world.max_episode_steps, np.zeros(ENVS, dtype=bool)
        still = np.zeros_like(actions_for(world, 1)[0])
        for step in range(1, limit + 1):
            _, _, terminated, truncated, info = world.step(still)
            running = ~solved
            solved |= terminated
            demand(step == limit or not np.any(truncated & running), f"truncated at step {step} of {limit}", _LIMIT)
        cut = running & terminated & ~info["success"]
        demand(not cut.any(), f"terminated at the time limit of {limit} steps", _LIMIT)
        demand(np.all(truncated | solved), f"not truncated after {limit} steps", _LIMIT)


_LIMIT = "Set truncated, and only truncated, at step max_episode_steps; terminated is for a solved task"


@conformance("backend")
def the_teacher_stays_in_bounds(cls: type[Backend], options: BackendOptions) -> None:
    """Where there is a scripted teacher, its actions are valid and depend on the state alone."""
    with world_of(cls, options) as world:
        world.reset(seed=list(SEEDS))
        for _ in range(5):
            try:
                actions = world.teacher(range(ENVS))
            except NoTeacher:
                return
            demand(
                world.action_space.contains(actions),
                f"teacher() returned {actions!r}",
                "Clip to [-1, 1] and return float32 of shape (len(indices), a)",
            )
            again = world.teacher([1])[0]
            demand(
                np.array_equal(actions[1], again),
                "two calls in one state gave two actions",
                "Keep no memory in the teacher: it labels states that a student visits",
            )
            world.step(actions)


@conformance("backend")
def the_backend_can_be_pickled(cls: type[Backend], options: BackendOptions) -> None:
    """A backend travels to other processes and makes the same world there."""
    backend = pickle.loads(pickle.dumps(cls(options)))
    with world_of(cls, options) as world:
        here = play(world, 0)[0]
    copy = backend.make(seed=0, num_envs=ENVS)
    there = play(copy, 0)[0]
    copy.close()
    demand(here.same(there), "an unpickled backend made another world", "Keep all settings in options")
