"""Pictures with the simulator's truth, from episodes played under perturbation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adversarl.detection import OnProgress
from adversarl.errors import NoTeacher
from adversarl.interfaces.backend import Observation, PerturbableVectorEnv
from adversarl.interfaces.trials import Trial
from adversarl.labelled import LabelledFrames
from adversarl.schedule import at
from adversarl.seeding import TRAINING_SEEDS
from adversarl.types import Perturbation
from adversarl_rewards.errors import NothingToLabel
from adversarl_rewards.players import Known, Spoil, deal, expert

NOMINAL = "nominal"
NEAR = 0.6
"""Progress from which on an unsolved picture is `near`."""
JUST = 5
"""Control steps after a solved one for which an unsolved picture is `near`."""
EXPERTS = 32
"""Nominal episodes in which the expert is watched first."""
BEYOND = 3
"""How often the expert's usual length episodes last, so that they go on after success."""


def random_trials(
    axes: Sequence[str], episodes: int, rng: np.random.Generator, *, clean: float = 0.2, most: int = 3
) -> list[Trial]:
    """Trials to train on, their seeds from [0, TRAINING_SEEDS).

    Args:
        axes: Names.
        episodes: How many.
        rng: Of all that is drawn.
        clean: Share of them that is nominal.
        most: Axes that vary in one of the others at most; each at an intensity from U[0, 1].
    """
    seeds = rng.choice(TRAINING_SEEDS, episodes, replace=False, shuffle=False)
    return [Trial(int(seed), () if rng.random() < clean else _several(axes, most, rng)) for seed in seeds]


def grid_trials(
    axes: Sequence[str], intensities: Sequence[float], episodes: int, rng: np.random.Generator
) -> list[Trial]:
    """Trials to measure with, each axis alone at each intensity; their seeds are none that is trained on.

    Args:
        axes: Names.
        intensities: Where 0 is among them, it is nominal and there once.
        episodes: How many for each.
        rng: Of all that is drawn.
    """
    varied = [Perturbation(axis, intensity) for axis in axes for intensity in intensities if intensity]
    cells: list[Perturbation | None] = [*([None] if 0 in intensities else []), *varied]
    trials = []
    for cell in cells:
        for seed in rng.integers(TRAINING_SEEDS, 2 * TRAINING_SEEDS, episodes).tolist():
            trials.append(Trial(seed, () if cell is None else (cell.seeded(int(rng.integers(2**31))),)))
    return trials


def _several(axes: Sequence[str], most: int, rng: np.random.Generator) -> tuple[Perturbation, ...]:
    count = int(rng.integers(1, min(most, len(axes)) + 1)) if axes else 0
    chosen = sorted(rng.choice(len(axes), count, replace=False).tolist())
    return tuple(Perturbation(axes[i], float(rng.uniform()), seed=int(rng.integers(2**31))) for i in chosen)


def collect(
    world: PerturbableVectorEnv,
    trials: Sequence[Trial],
    rng: np.random.Generator,
    *,
    frames_per_episode: int = 6,
    on_progress: OnProgress = lambda done, total: None,
) -> LabelledFrames:
    """Plays trials, and keeps some pictures of each with what the simulator says of them.

    Players are the scripted expert and spoilt ones, see `adversarl_rewards.players`; episodes go on after success, so
    that there are pictures of what was solved and is not any more. About half of the pictures are solved ones. What is
    kept depends on the trials and `rng` alone, not on the number of environments.

    Args:
        world: Where; it is reset, and restored to nominal at the end.
        trials: What is played.
        rng: Of players and of the choice of pictures.
        frames_per_episode: How many pictures are kept of each at most; of an unsolved one fewer where they prevail.
        on_progress: Called with (finished, total) episodes after every batch.

    Raises:
        NothingToLabel: The world has no expert or no potential, or its expert solves nothing.
    """
    scale = _watch_the_expert(world, rng)
    players = [player(np.random.default_rng(rng.integers(2**63)), scale.known) for player in deal(len(trials), rng)]
    keeper, n = _Keeper(scale, frames_per_episode, rng), world.num_envs
    for first in range(0, len(trials), n):
        batch = trials[first : first + n]
        film = _play(world, batch, players[first : first + n], scale.steps)
        for env, trial in enumerate(batch):
            keeper.keep(film, env, trial, first + env)
        on_progress(first + len(batch), len(trials))
    world.restore(range(n))
    return keeper.frames(world.task)


@dataclass(frozen=True, slots=True)
class _Film:
    """What happened in a batch of episodes.

    Attributes:
        frames: From the reset on. Shape (T + 1, n, H, W, 3).
        success: Likewise. Shape (T + 1, n).
        potential: Likewise. Shape (T + 1, n).
        actions: Of each step. Shape (T, n, a).
    """

    frames: NDArray[np.uint8]
    success: NDArray[np.bool_]
    potential: NDArray[np.float64]
    actions: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Scale:
    """What the expert showed: where progress is 0 and 1, how long episodes are to be, and how it acted."""

    start: float
    solved: float
    steps: int
    known: Known

    def progress(self, potential: NDArray[np.float64]) -> NDArray[np.float64]:
        """In [0, 1]."""
        return np.clip((potential - self.start) / (self.solved - self.start), 0.0, 1.0)


def _watch_the_expert(world: PerturbableVectorEnv, rng: np.random.Generator) -> _Scale:
    """Nominal episodes of the expert, of the whole time limit."""
    n, mine = world.num_envs, expert(rng, Known(1, (), np.zeros(0, np.float32)))
    trials = [Trial(int(seed)) for seed in rng.integers(TRAINING_SEEDS, size=EXPERTS)]
    batches = [trials[first : first + n] for first in range(0, EXPERTS, n)]
    shown, world.pictures = world.pictures, False
    try:
        films = [_play(world, batch, [mine] * len(batch), world.max_episode_steps) for batch in batches]
    finally:
        world.pictures = shown
    success, potential, actions = (
        [getattr(film, name)[:, env] for film, batch in zip(films, batches, strict=True) for env in range(len(batch))]
        for name in ("success", "potential", "actions")
    )
    lengths = [int(np.argmax(one)) for one in success if one.any()]
    if not lengths:
        problem = f"the scripted expert solved none of {EXPERTS} nominal episodes in {world.max_episode_steps} steps"
        raise NothingToLabel(world.task, problem, "Give the task more time or an expert that can do it")
    grip = np.concatenate([a[s[1:]] for a, s in zip(actions, success, strict=True)]).mean(axis=0)
    usual = max(2, int(np.median(lengths)))
    start = float(np.median([one[0] for one in potential]))
    solved = float(np.median(np.concatenate([p[s] for p, s in zip(potential, success, strict=True)])))
    return _Scale(start, solved, min(world.max_episode_steps, BEYOND * usual), Known(usual, tuple(actions), grip))


def _play(world: PerturbableVectorEnv, trials: Sequence[Trial], players: Sequence[Spoil], steps: int) -> _Film:
    """Plays one trial in each environment for so many steps."""
    everyone = range(world.num_envs)
    padded = [trials[min(env, len(trials) - 1)] for env in everyone]
    _change(world, padded, 0)
    observation, info = world.reset(seed=[trial.seed for trial in padded])
    frames, success, potential = [_pictures(world, observation)], [info["success"].copy()], [_potential(world)]
    taken = []
    for step in range(steps):
        actions = _teacher(world)
        for env, player in enumerate(players):
            actions[env] = player(step, actions[env])
        taken.append(np.clip(actions, -1.0, 1.0))
        if step:
            _change(world, padded, step)
        observation, _, _, _, info = world.step(taken[-1])
        frames.append(_pictures(world, observation))
        success.append(info["success"].copy())
        potential.append(_potential(world))
    return _Film(np.array(frames), np.array(success), np.array(potential), np.array(taken, np.float32))


def _pictures(world: PerturbableVectorEnv, observation: Observation) -> NDArray[np.uint8]:
    """What the cameras see; nothing where nobody looks. Shape (num_envs, H, W, 3)."""
    return observation["image"].copy() if world.pictures else np.zeros((world.num_envs, 0, 0, 3), np.uint8)


def _change(world: PerturbableVectorEnv, trials: Sequence[Trial], step: int) -> None:
    """Puts in force what is due."""
    for env, trial in enumerate(trials):
        now = at(step, trial.perturbations)
        if step == 0 or now != at(step - 1, trial.perturbations):
            world.restore([env])
            world.perturb([env], [now])


def _teacher(world: PerturbableVectorEnv) -> NDArray[np.float32]:
    try:
        return np.array(world.teacher(range(world.num_envs)), np.float32)
    except NoTeacher:
        problem = f"{type(world).__name__} has no scripted teacher to solve the task"
        raise NothingToLabel(world.task, problem, "Collect in a simulator that has one, such as `mujoco`") from None


def _potential(world: PerturbableVectorEnv) -> NDArray[np.float64]:
    try:
        return np.array(world.potential())
    except NotImplementedError:
        problem = f"{type(world).__name__} has no potential to say how near success is"
        raise NothingToLabel(world.task, problem, "Collect in a simulator that has one, such as `mujoco`") from None


class _Keeper:
    """Chooses pictures of episodes: solved ones and others alike, and near ones among the others."""

    def __init__(self, scale: _Scale, count: int, rng: np.random.Generator) -> None:
        self.scale, self.count, self.rng = scale, count, rng
        self._rows: list[tuple[NDArray[np.uint8], bool, float, int, str, float, str]] = []
        self._lead = 0
        """Unsolved pictures kept so far minus solved ones."""

    def keep(self, film: _Film, env: int, trial: Trial, episode: int) -> None:
        """Some of one episode."""
        success, progress = film.success[:, env], self.scale.progress(film.potential[:, env])
        kinds = kinds_of(success, progress)
        now = at(0, trial.perturbations) or trial.perturbations
        axis = "+".join(sorted({p.axis for p in now})) or NOMINAL
        intensity = max((p.intensity for p in now), default=0.0)
        for step in self._choose(kinds):
            row = film.frames[step, env], bool(success[step]), float(progress[step])
            self._rows.append((*row, episode, axis, intensity, str(kinds[step])))

    def _choose(self, kinds: NDArray[np.str_]) -> list[int]:
        """Steps whose pictures are kept."""
        solved, near, apart = (np.flatnonzero(kinds == kind) for kind in ("solved", "near", "apart"))
        others = int(np.clip((self.count - self._lead) // 2, 1, self.count))
        chosen = self._some(solved, self.count - min(others, len(near) + len(apart)))
        others = others if chosen else max(others, self.count // 2)
        chosen += self._some(near, (others + 1) // 2)
        chosen += self._some(apart, others - int((kinds[chosen] == "near").sum()))
        self._lead += sum(-1 if kinds[step] == "solved" else 1 for step in chosen)
        return sorted(chosen)

    def _some(self, steps: NDArray[np.intp], count: int) -> list[int]:
        return [int(step) for step in self.rng.choice(steps, min(count, len(steps)), replace=False)]

    def frames(self, task: str) -> LabelledFrames:
        """All that was kept."""
        frames, success, progress, episode, axis, intensity, kind = zip(*self._rows, strict=True)
        return LabelledFrames(
            task,
            np.array(frames),
            np.array(success),
            np.array(progress, np.float32),
            np.array(episode, np.int64),
            np.array(axis),
            np.array(intensity, np.float32),
            np.array(kind),
        )


def kinds_of(success: NDArray[np.bool_], progress: NDArray[np.float64]) -> NDArray[np.str_]:
    """What each picture of one episode shows, see `LabelledFrames.kind`. Shape (T,)."""
    steps = np.arange(len(success))
    last = np.maximum.accumulate(np.where(success, steps, -len(steps) - JUST))
    near = (progress >= NEAR) | (steps - last <= JUST)
    return np.select([success, near], ["solved", "near"], "apart")
