"""The vector environment: many simulations in one process, physics and pictures on a few threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from adversarl.interfaces.backend import Indices, Observation, PerturbableVectorEnv, Seeds, reset_seeds
from adversarl.interfaces.trials import Trace
from adversarl.types import Grounding, Perturbation
from adversarl_mujoco.axes.base import chosen
from adversarl_mujoco.axes.splits import Split
from adversarl_mujoco.parts import Scene
from adversarl_mujoco.pool import Helper, Pool
from adversarl_mujoco.presets import PRESETS
from adversarl_mujoco.renderers import Draws, Kind, Viewer, make_renderer, parallel
from adversarl_mujoco.simulation import MakeTask, Simulation, Snapshot
from adversarl_mujoco.tasks.base import Task


class MujocoVectorEnv(PerturbableVectorEnv):
    """Tabletop environments in one process.

    Every thread owns a renderer, every environment its model, simulation and abstract scene, so any thread can
    serve any environment and results do not depend on their number.

    Action, Shape (num_envs, 4) unless the task says otherwise: displacement of the grasp point along the world's x, y,
    z in units of `control.MAX_STEP`, and the gripper (-1 opens, +1 closes).

    Args:
        scene: The compiled scene.
        make_task: Makes each environment's task.
        num_envs: Number of environments.
        threads: Number of threads, at most `num_envs`.
        image_size: Edge of the picture [pixel].
        renderer: Which one draws, see `adversarl_mujoco.renderers`.
        max_episode_steps: Time limit [control steps].
        axes: Names of the axes offered to curricula, in this order; None offers all.
        split: Which part of colours, directions and places perturbations draw from.
        seed: Root of the environments' own generators.

    Raises:
        NoGL: No OpenGL context can be made.
        NoVulkan: The renderer is ``pbr`` and Vulkan does not work.
        PerturbationError: `axes` names one that does not exist.
    """

    presets = PRESETS

    def __init__(
        self,
        scene: Scene,
        make_task: MakeTask,
        *,
        num_envs: int,
        threads: int,
        image_size: int,
        renderer: Kind = "classic",
        max_episode_steps: int,
        axes: tuple[str, ...] | None,
        embeddings: bool = False,
        split: Split = "all",
        seed: int,
    ) -> None:
        self._embeddings = embeddings
        self.num_envs, self.max_episode_steps = num_envs, max_episode_steps
        self.image_size, self._kind = image_size, renderer
        streams = np.random.SeedSequence(seed).spawn(num_envs)
        self.simulations = [Simulation(scene, make_task, np.random.default_rng(s), split) for s in streams]
        first = self.simulations[0]
        self.task, self.failure_kinds = first.task.text, first.task.failure_kinds
        self.axes = chosen(first.perturber.axes, axes)
        self._targets = {axis.name: axis.targets[0] for axis in first.perturber.axes if axis.targets}
        self._define_spaces(first.task)
        self._model = scene.model
        self._here = threading.local()
        self._renderer()
        self._pool = Pool(min(threads, num_envs, parallel(renderer)))
        self._pool.everywhere(lambda: self._renderer().make_current())
        self._images = np.zeros((num_envs, image_size, image_size, 3), np.uint8)
        self._rows = list(self._images)
        self._state: NDArray[np.float32] | None = None

    def _define_spaces(self, task: Task) -> None:
        size = self.image_size
        self._proprio = np.zeros((self.num_envs, task.proprio_size), np.float32)
        self.single_observation_space = gymnasium.spaces.Dict(
            image=gymnasium.spaces.Box(0, 255, (size, size, 3), np.uint8),
            proprio=gymnasium.spaces.Box(-np.inf, np.inf, (task.proprio_size,), np.float32),
        )
        self.single_action_space = gymnasium.spaces.Box(-1, 1, (task.action_size,), np.float32)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)

    def _renderer(self) -> Draws:
        """This thread's renderer, its context made current."""
        renderer: Draws | None = getattr(self._here, "renderer", None)
        if renderer is None:
            helping = isinstance(threading.current_thread(), Helper)
            renderer = self._here.renderer = make_renderer(self._kind, self._model, self.image_size, second=helping)
        renderer.make_current()
        return renderer

    def _observation(self) -> Observation:
        return {"image": self._images.copy(), "proprio": self._proprio.copy()}

    def _run(self, envs: Iterable[int], prepare: Callable[[int], None], *, advance: bool) -> NDArray[np.float64]:
        """Prepares environments, advances them if asked for, renders them; returns rewards. Shape (num_envs,).

        Helping threads do nothing but physics and rendering: work that holds Python's global lock makes threads wait
        for each other, and waiting costs more than the work.
        """
        rewards = np.zeros(self.num_envs)
        self._state = None

        def work(take: Callable[[], int | None]) -> list[int]:
            draw = self._renderer().draw if self.pictures else None
            simulations, rows, handled = self.simulations, self._rows, []
            while (env := take()) is not None:
                simulation = simulations[env]
                if advance:
                    simulation.advance()
                if draw is not None:
                    draw(simulation.view, rows[env])
                    simulation.effects.image(rows[env])
                handled.append(env)
            return handled

        def conclude(env: int) -> None:
            simulation = self.simulations[env]
            if advance:
                rewards[env] = simulation.conclude()
            simulation.task.proprio(self._proprio[env])
            simulation.effects.proprio(self._proprio[env])

        self._pool.run(envs, work, prepare, conclude)
        return rewards

    def reset(
        self,
        *,
        seed: Seeds = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Observation, dict[str, Any]]:
        """Begins episodes in all environments, or in those of ``options["reset_mask"]``.

        Args:
            seed: One per environment; an integer s stands for s, s + 1, ...; None uses each one's own generator.
            options: ``{"reset_mask": bool array of Shape (num_envs,)}``.
        """
        seeds = reset_seeds(seed, self.num_envs)
        mask = (options or {}).get("reset_mask")
        envs = range(self.num_envs) if mask is None else np.flatnonzero(mask).tolist()
        self._run(envs, lambda env: self.simulations[env].reset(seeds[env]), advance=False)
        return self._observation(), {"success": self._solved()}

    def step(
        self, actions: NDArray[Any]
    ) -> tuple[Observation, NDArray[Any], NDArray[Any], NDArray[Any], dict[str, Any]]:
        """Advances all environments by one control step of 1/20 s; finished ones must be reset by the caller."""
        rows = np.asarray(actions).tolist()
        rewards = self._run(range(self.num_envs), lambda env: self.simulations[env].act(rows[env]), advance=True)
        success = [simulation.task.solved for simulation in self.simulations]
        late = [s.steps >= self.max_episode_steps and not s.task.solved for s in self.simulations]
        info = {"success": np.array(success)}
        return self._observation(), rewards, np.array(success), np.array(late), info

    def _solved(self) -> NDArray[np.bool_]:
        return np.array([s.task.solved for s in self.simulations])

    def ground(self, text: str) -> Grounding:
        """Turns a prompt into perturbations of this world's axes; what `perturb` would refuse is not understood."""
        from adversarl_mujoco.grounding import ground
        from adversarl_mujoco.grounding.frames import meaning

        found = ground(text, self.axes, embeddings=self._embeddings)
        problem_of = self.simulations[0].perturber.problem
        refused = {one: problem for one in found.perturbations if (problem := problem_of(one))}
        if not refused:
            return found
        meant = {meaning(one) for one in refused}
        return replace(
            found,
            perturbations=tuple(one for one in found.perturbations if one not in refused),
            understood=tuple(pair for pair in found.understood if pair[1] not in meant),
            not_understood=(*found.not_understood, *refused.values()),
        )

    def reserved(self, perturbation: Perturbation) -> bool:
        """Whether it fixes a colour or a direction that belongs to tests; see `PerturbableVectorEnv.reserved`."""
        return self.simulations[0].perturber.check(perturbation).reserved(perturbation.value)

    def perturb(self, indices: Indices, perturbations: Sequence[Sequence[Perturbation]]) -> None:
        """Puts perturbations in force from the next step or reset on; see `PerturbableVectorEnv.perturb`."""
        for env, changes in zip(indices, perturbations, strict=True):
            simulation = self.simulations[env]
            kept = {self._key(p): p for p in simulation.active}
            for perturbation in changes:
                simulation.perturber.check(perturbation)
                kept[self._key(perturbation)] = perturbation
            simulation.active = tuple(kept.values())

    def _key(self, perturbation: Perturbation) -> tuple[str, str | None]:
        """What two perturbations have in common of which one replaces the other: axis and target."""
        return perturbation.axis, perturbation.target or self._targets.get(perturbation.axis)

    def restore(self, indices: Indices) -> None:
        """Brings nominal conditions back from the next step or reset on."""
        for env in indices:
            self.simulations[env].active = ()

    def active(self, indices: Indices) -> list[tuple[Perturbation, ...]]:
        """What is in force in each of these environments."""
        return [self.simulations[env].active for env in indices]

    def state(self) -> NDArray[np.float32]:
        """Privileged state; columns in the task's module. Shape (num_envs, s)."""
        return self._states().copy()

    def _states(self) -> NDArray[np.float32]:
        """The state, computed once between two changes of it. Shape (num_envs, s)."""
        if self._state is None:
            self._state = np.empty((self.num_envs, self.simulations[0].task.state_size), np.float32)
            for simulation, row in zip(self.simulations, self._state, strict=True):
                simulation.task.state(row)
        return self._state

    def potential(self) -> NDArray[np.float64]:
        """The tasks' potentials; see `adversarl_mujoco.tasks.shaped.ShapedTask`. Shape (num_envs,)."""
        return np.array([simulation.task.potential for simulation in self.simulations])

    def teacher(self, indices: Indices) -> NDArray[np.float32]:
        """The scripted expert's actions. Shape (len(indices), a)."""
        chosen = np.asarray(indices, dtype=np.intp)
        states = self._states()[chosen]
        actions = np.empty((len(chosen), *(self.single_action_space.shape or ())), np.float32)
        # An expert knows how large its own things are; environments with things of nominal size share one.
        alike: dict[tuple[Any, ...], list[int]] = {}
        for row, env in enumerate(chosen.tolist()):
            halves = self.simulations[env].task.layout.halves
            alike.setdefault(tuple(sorted(halves.items())), []).append(row)
        for rows in alike.values():
            actions[rows] = self.simulations[int(chosen[rows[0]])].task.teach(states[rows])
        return actions

    def snapshot(self, indices: Indices) -> list[Snapshot]:
        """Picklable copies of all that decides the future of these environments."""
        return [self.simulations[env].snapshot() for env in indices]

    def rewind(self, indices: Indices, snapshots: Sequence[Snapshot]) -> Observation:
        """Brings snapshots back and renders them again."""
        wanted = dict(zip((int(env) for env in indices), snapshots, strict=True))
        self._run(wanted, lambda env: self.simulations[env].rewind(wanted[env]), advance=False)
        return self._observation()

    def failure_kind(self, trace: Trace) -> str:
        """How a failed episode went wrong, by the task's thresholds; see `adversarl_mujoco.tasks.failures`."""
        return self.simulations[0].task.failure_kind(trace.state)

    def frames(self, indices: Indices, size: int | tuple[int, int], *, smooth: bool = True) -> NDArray[np.uint8]:
        """Pictures of the current states for people or videos; see `PerturbableVectorEnv.frames`.

        The renderer of the last size is kept for the next call from the same thread.
        """
        viewer: Viewer = self._here.__dict__.setdefault("viewer", Viewer(self._kind, self._model))
        return viewer.draw([self.simulations[env].view for env in indices], size, smooth=smooth, empty=self.empty)

    def backdrops(self, indices: Indices, pictures: Sequence[NDArray[np.uint8] | None], *, table: bool = False) -> None:
        """Puts pictures behind the scene; see `PerturbableVectorEnv.backdrops`."""
        for env, picture in zip(indices, pictures, strict=True):
            view = self.simulations[env].view
            view.backdrop, view.backdrop_covers_table = picture, table

    def close_extras(self, **kwargs: Any) -> None:
        """Frees GL contexts and ends the threads."""
        del kwargs
        self._pool.everywhere(self._free)
        self._pool.stop()

    def _free(self) -> None:
        for name in ("viewer", "renderer"):
            renderer: Draws | Viewer | None = self._here.__dict__.pop(name, None)
            if renderer is not None:
                renderer.close()
