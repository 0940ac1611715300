"""Perturbations that are processes: they have a past, such as a delay, a drifting noise or a frozen picture."""

from __future__ import annotations

import copy
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from adversarl.types import Perturbation

Row = NDArray[np.float32]
Picture = NDArray[np.uint8]


class Effect:
    """One process of one simulation; does nothing unless a subclass says so.

    Whatever it remembers are attributes, which it sets in `begin`; a copy of the object is therefore a copy of its
    state. A simulation drives it so::

        effect.furnish(rng, model, data)            # at the reset, when the task has placed its things
        effect.begin(rng, model, data)              # at the reset or in the middle of an episode
        while in_force:
            action = effect.action(action)
            task.act(action)                        # sets the actuators' targets
            effect.control(model, data)
            ...                                     # physics, picture
            effect.image(picture)
            effect.proprio(row)
        effect.release(model, data)
    """

    def furnish(self, rng: np.random.Generator, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Puts things where an episode is about to begin; `data` holds the first positions, nothing that follows."""

    def begin(self, rng: np.random.Generator, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Starts at the current state, its memory empty; draws everything from `rng`, which it may keep."""

    def install(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Writes to the model what it had written there; called when the model was made nominal in between."""

    def release(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Takes back what it wrote to `data`; the model is made nominal by the perturber."""

    def action(self, action: Sequence[float]) -> Sequence[float]:
        """The action that the arm is given. Shape (a,), in [-1, 1]."""
        return action

    def control(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Changes what acts on the physics for the coming control step: targets, forces, timing."""

    def proprio(self, row: Row) -> None:
        """Changes in place what the policy reads of the robot. Shape (p,)."""

    def image(self, picture: Picture) -> None:
        """Changes in place what the policy sees. Shape (H, W, 3)."""


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """The processes of one simulation at one moment.

    Attributes:
        running: Copies of the processes.
        picture: What the policy was shown last, if it was not simply what the camera saw. Shape (H, W, 3).
        row: What the policy read of the robot last, likewise. Shape (p,).
    """

    running: tuple[tuple[Perturbation, Effect], ...] = ()
    picture: Picture | None = None
    row: Row | None = None


_NOTHING = Memory()


class Effects:
    """The processes in force in one simulation.

    A process is known by its perturbation: it keeps its past as long as exactly that perturbation is in force, whatever
    else begins or ends. Its random numbers follow from the seeds of perturbation and episode.
    """

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        self._model, self._data = model, data
        self._running: dict[Perturbation, Effect] = {}
        self._picture: Picture | None = None
        self._row: Row | None = None
        self._again = False
        self._index()

    def _index(self) -> None:
        """Lists who has something to do at each occasion, so that nobody costs nothing."""
        running = tuple(self._running.values())
        self._actions = _overriding("action", running)
        self._controls = _overriding("control", running)
        self._proprios = _overriding("proprio", running)
        self._images = _overriding("image", running)

    def renew(self, wanted: Mapping[Perturbation, Effect]) -> None:
        """Ends all processes and takes up those wanted; `begin` must be called for all."""
        for effect in self._running.values():
            effect.release(self._model, self._data)
        self._running = dict(wanted)
        self._index()

    def select(self, wanted: Mapping[Perturbation, Effect]) -> tuple[Perturbation, ...]:
        """Ends processes that are no longer wanted and takes up new ones, in the order wanted.

        Returns:
            The new ones, which `begin` must be called for.
        """
        for perturbation in [p for p in self._running if p not in wanted]:
            self._running.pop(perturbation).release(self._model, self._data)
        fresh = tuple(p for p in wanted if p not in self._running)
        for effect in self._running.values():
            effect.install(self._model, self._data)
        self._running = {p: self._running.get(p, effect) for p, effect in wanted.items()}
        self._index()
        return fresh

    def furnish(self, seed: int) -> None:
        """Lets the processes put their things where an episode is about to begin."""
        for perturbation, effect in self._running.items():
            effect.furnish(_stream(perturbation, seed), self._model, self._data)

    def begin(self, seed: int, perturbations: Sequence[Perturbation] | None = None) -> None:
        """Starts processes at the current state; None starts all of them anew.

        Args:
            seed: Seed of the episode.
            perturbations: Those to start.
        """
        for perturbation in self._running if perturbations is None else perturbations:
            effect = self._running[perturbation]
            effect.begin(_stream(perturbation, seed), self._model, self._data)

    def snapshot(self) -> Memory:
        """A copy of all processes."""
        if not self._running:
            return _NOTHING
        picture = None if self._picture is None else self._picture.copy()
        row = None if self._row is None else self._row.copy()
        return Memory(tuple(copy.deepcopy(self._running).items()), picture, row)

    def recall(self, memory: Memory) -> None:
        """Brings a snapshot's processes back, and shows the policy what it was shown then."""
        self._running = copy.deepcopy(dict(memory.running))
        self._picture = None if memory.picture is None else memory.picture.copy()
        self._row = None if memory.row is None else memory.row.copy()
        for effect in self._running.values():
            effect.install(self._model, self._data)
        self._index()
        self._again = True

    def proceed(self) -> None:
        """Tells that the next picture is a new one rather than that of a snapshot."""
        self._again = False

    def action(self, action: Sequence[float]) -> Sequence[float]:
        """What becomes of an action. Shape (a,)."""
        for effect in self._actions:
            action = effect.action(action)
        return action

    def control(self) -> None:
        """Lets the processes act on the physics of the coming control step."""
        for effect in self._controls:
            effect.control(self._model, self._data)

    def image(self, picture: Picture) -> None:
        """Makes of what the camera sees what the policy is shown, in place. Shape (H, W, 3)."""
        if not self._images:
            self._picture = None
        elif self._again and self._picture is not None:
            np.copyto(picture, self._picture)
        else:
            for effect in self._images:
                effect.image(picture)
            self._picture = picture.copy()

    def proprio(self, row: Row) -> None:
        """Makes of what the robot feels what the policy reads, in place. Shape (p,)."""
        if not self._proprios:
            self._row = None
        elif self._again and self._row is not None:
            np.copyto(row, self._row)
        else:
            for effect in self._proprios:
                effect.proprio(row)
            self._row = row.copy()


def _overriding(method: str, running: Sequence[Effect]) -> tuple[Effect, ...]:
    nothing: Any = getattr(Effect, method)
    return tuple(effect for effect in running if getattr(type(effect), method) is not nothing)


def _stream(perturbation: Perturbation, seed: int) -> np.random.Generator:
    """Random numbers of one process in one episode, the same on every machine."""
    axis = zlib.crc32(perturbation.axis.encode())
    return np.random.default_rng((perturbation.seed & 0xFFFFFFFFFFFFFFFF, axis, seed))
