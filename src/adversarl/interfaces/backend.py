"""Backends: worlds that obey prompts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from adversarl.presets import Preset
from adversarl.types import Axis, Grounding, Perturbation

if TYPE_CHECKING:
    from adversarl.interfaces.trials import Trace

Observation = dict[str, NDArray[Any]]
Indices = Sequence[int] | NDArray[np.intp]
Notice = Callable[[str], None]
"""Tells the user something worth knowing."""
Seeds = int | Sequence[int | None] | None


class PerturbableVectorEnv(gymnasium.vector.VectorEnv[Observation, NDArray[Any], NDArray[Any]]):
    """A `gymnasium.vector.VectorEnv` whose worlds can be changed while they run.

    The closed loop drives it so::

        observation, info = world.reset(seed=[7, 8])
        while training:
            world.perturb([0], [world.ground("dim the lights").perturbations])
            observation, reward, terminated, truncated, info = world.step(actions)
            done = terminated | truncated
            world.restore(np.flatnonzero(done))
            observation, _ = world.reset(seed=seeds, options={"reset_mask": done})

    Contract:
        * Observation `Dict(image: uint8 (H, W, 3), proprio: float32 (p,))`; action `Box(-1, 1, (a,))`.
        * Autoreset is gymnasium's `AutoresetMode.DISABLED`: the caller resets finished environments with
          ``options={"reset_mask": bool (num_envs,)}``, after it has decided what their next world looks like.
          `adversarl.make` returns a loop with `AutoresetMode.SAME_STEP` on top.
        * ``reset(seed=[...])`` honours one integer per environment (None keeps that environment's own
          generator); a seed fixes the episode completely, together with the perturbations in force.
        * Time limits are ``truncated``, never ``terminated``; a solved task is ``terminated``. An environment that is
          stepped on then goes on, and may be unsolved again: whoever judges by pictures may not have seen it.
        * ``info["success"]`` is bool, Shape (num_envs,).
    """

    metadata: ClassVar[dict[str, Any]] = {"autoreset_mode": AutoresetMode.DISABLED}  # type: ignore[misc]
    num_envs: int
    axes: tuple[Axis, ...]
    """Axes that this world can vary."""
    presets: tuple[Preset, ...] = ()
    """Published ways of randomizing this world."""
    failure_kinds: tuple[str, ...] = ()
    """Names that `failure_kind` can give, such as ``dropped``; empty where the world cannot say."""
    task: str = ""
    """The task in English, such as ``pick up the cube``."""
    max_episode_steps: int
    """Time limit, [control steps]."""
    pictures: bool = True
    """Whether observations have to show anything; where nobody looks, a world may leave them as they are, from the next
    step or reset on."""
    empty: bool = False
    """Whether `frames` leave out the robot and the things, in a world that can show its room alone."""
    truth: bool = True
    """Whether ``info["success"]`` is what the world knows, not what somebody sees in its pictures."""
    exhausted: str = ""
    """Why the world must not go on, such as a budget that is spent; a run then saves and stops. Empty while it may."""

    def connect(self, notice: Notice, folder: Path | None) -> None:
        """Is told, before the first reset of a run, how to tell the user something, and where the run lies."""
        del notice, folder

    def scalars(self) -> dict[str, float]:
        """What the world measures of itself, under names such as ``odyssey/cost_usd``; for trackers."""
        return {}

    def reset(self, *, seed: Seeds = None, options: dict[str, Any] | None = None) -> tuple[Observation, dict[str, Any]]:
        """Starts episodes in the environments of ``options["reset_mask"]``, or in all of them."""
        raise NotImplementedError

    def ground(self, text: str) -> Grounding:
        """Turns a prompt into perturbations, deterministically; never raises for words it does not know."""
        raise NotImplementedError

    def perturb(self, indices: Indices, perturbations: Sequence[Sequence[Perturbation]]) -> None:
        """Puts perturbations in force, one sequence per index; visible from the next step or reset on.

        They add to what is in force; the same axis and target replaces what stood. They outlive a reset.

        Raises:
            PerturbationError: An axis, target or value that this world does not have.
        """
        raise NotImplementedError

    def restore(self, indices: Indices) -> None:
        """Brings nominal conditions back exactly: nothing stays in force in these environments."""
        raise NotImplementedError

    def reserved(self, perturbation: Perturbation) -> bool:
        """Whether what it fixes, such as a colour, belongs to what is reserved for tests.

        A world that reserves something has training draw from the rest; what a prompt names is not drawn.
        """
        del perturbation
        return False

    def active(self, indices: Indices) -> list[tuple[Perturbation, ...]]:
        """What is in force in each of these environments."""
        raise NotImplementedError

    def state(self) -> NDArray[np.float32]:
        """Privileged state for teachers, critics and reward truth. Shape (num_envs, s)."""
        raise NotImplementedError

    def teacher(self, indices: Indices) -> NDArray[np.float32]:
        """The scripted expert's action from the current state. Shape (len(indices), a), in [-1, 1].

        It is a function of the current state alone, so that it can label states a student visits.

        Raises:
            NoTeacher: The world has none.
        """
        from adversarl.errors import NoTeacher

        raise NoTeacher(type(self).__name__)

    def potential(self) -> NDArray[np.float64]:
        """How near each environment is to solving the task, in units of its own. Shape (num_envs,).

        It labels the progress that reward detectors learn to see.
        """
        raise NotImplementedError

    def failure_kind(self, trace: Trace) -> str:
        """The simulator's own name for how a failed episode went wrong: one of `failure_kinds`.

        It labels what a learnt failure classifier is trained on; only the privileged states of the trace count.
        """
        raise NotImplementedError

    def frames(self, indices: Indices, size: int | tuple[int, int], *, smooth: bool = True) -> NDArray[np.uint8]:
        """Pictures of the current states for people or videos. Shape (len(indices), height, width, 3).

        Where a world has none, its observations' images are shown instead.

        Args:
            indices: Of which environments.
            size: Edge of square pictures, or (height, width) [pixel].
            smooth: Whether edges are smoothed, as people like it; costs several times as much.
        """
        raise NotImplementedError

    def backdrops(self, indices: Indices, pictures: Sequence[NDArray[np.uint8] | None], *, table: bool = False) -> None:
        """Puts pictures behind the scene, for the next step or reset on and through all resets.

        Args:
            indices: Behind which environments.
            pictures: One each, RGB, any Shape (h, w, 3), cut and scaled so that it fills the view; None takes it away.
            table: Whether it takes the place of the table top too, so that only the robot and the things remain.

        Raises:
            NotImplementedError: The world cannot tell its scene from what is behind it.
        """
        raise NotImplementedError

    def snapshot(self, indices: Indices) -> list[Any]:
        """Picklable copies of all that decides the future of these environments."""
        raise NotImplementedError

    def rewind(self, indices: Indices, snapshots: Sequence[Any]) -> Observation:
        """Brings snapshots back, perhaps into another environment index or process.

        Returns:
            The observation of all environments, equal to the one at the time of the snapshot.
        """
        raise NotImplementedError


def reset_seeds(seed: Seeds, num_envs: int) -> list[int | None]:
    """One reset seed per environment: an integer s stands for s, s + 1, ...; None for each one's own generator.

    Raises:
        ValueError: As many seeds as environments are needed.
    """
    if seed is None or isinstance(seed, int | np.integer):
        return [None if seed is None else int(seed) + i for i in range(num_envs)]
    if len(seed) != num_envs:
        raise ValueError(f"reset(seed=...) needs {num_envs} seeds, one per environment, not {len(seed)}")
    return [None if s is None else int(s) for s in seed]


class BackendOptions(BaseModel):
    """Keys that every ``[backend]`` table has."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    num_envs: int = Field(8, ge=1, le=4096, description="Number of parallel environments.")

    @classmethod
    def further_keys(cls, table: Mapping[str, Any]) -> set[str]:
        """Keys that a table may have beside the fields, where a backend gives some to another one."""
        del table
        return set()


class Backend(ABC):
    """A recipe for worlds: options in, `PerturbableVectorEnv` out.

    The core calls it so::

        backend = Mujoco(Mujoco.Options(task="pick", num_envs=8))
        world = backend.make(seed=0)

    Attributes:
        Options: Keys of ``[backend]``.
        tasks: Names that its key ``task`` may have; empty where there is but one task and no such key.
    """

    Options: ClassVar[type[BackendOptions]] = BackendOptions
    tasks: ClassVar[tuple[str, ...]] = ()

    def __init__(self, options: BackendOptions) -> None:
        self.options = options

    @property
    def live(self) -> bool:
        """Whether its worlds show a service's pictures as they come, which never repeat and may cost."""
        return False

    @abstractmethod
    def make(self, *, seed: int, num_envs: int | None = None) -> PerturbableVectorEnv:
        """Makes the environments.

        Args:
            seed: Root of the environments' own generators, used where `reset` is given no seed.
            num_envs: Overrides the options' number.
        """

    def reference_loop(self, seconds: float, changes: Sequence[Sequence[Perturbation]] = ()) -> float | None:
        """Frames per second of the bare simulator loop of the same scene, one environment, one thread.

        ``adversarl bench`` prints it beside the backend's own speed; None where there is no such thing.

        Args:
            seconds: How long to measure [s].
            changes: What the scene looks like; these sets of perturbations take turns.
        """
        del seconds, changes
        return None
