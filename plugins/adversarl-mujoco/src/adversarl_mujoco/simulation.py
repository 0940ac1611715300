"""One environment without its pixels: model, physics, control, task, perturbations."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import filterfalse
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from adversarl.types import Perturbation
from adversarl_mujoco.axes import Perturber
from adversarl_mujoco.axes.splits import Split
from adversarl_mujoco.control import Arm
from adversarl_mujoco.effects import Effects, Memory
from adversarl_mujoco.parts import Scene
from adversarl_mujoco.render import View
from adversarl_mujoco.scene import SUBSTEP
from adversarl_mujoco.scenes.variety import Variety
from adversarl_mujoco.tasks.base import Task
from adversarl_mujoco.timing import CONTROL_FREQUENCY

SUBSTEPS = round(1 / (CONTROL_FREQUENCY * SUBSTEP))
"""Physics steps per control step."""
MakeTask = Callable[[Scene, mujoco.MjModel, mujoco.MjData, Sequence[Arm]], Task]
_STATE = int(mujoco.mjtState.mjSTATE_INTEGRATION)
_UNSEEN: tuple[Perturbation, ...] = (Perturbation("nothing", 0.0),)
"""A tuple that is no simulation's: what is in force must be looked at again."""
_HALVINGS = 6


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that decides the future of one environment.

    Attributes:
        physics: MuJoCo's integration state.
        sensors: The readings of the last substep, which the state does not determine.
        generator: State of the environment's own random generator.
        seed: Seed of the running episode.
        steps: Control steps since the reset.
        memory: The task's memory.
        applied: Perturbations that the model shows.
        active: Perturbations in force from the next step on.
        effects: Those of them that are processes.
    """

    physics: NDArray[np.float64]
    sensors: NDArray[np.float64]
    generator: dict[str, Any]
    seed: int
    steps: int
    memory: tuple[Any, ...]
    applied: tuple[Perturbation, ...]
    active: tuple[Perturbation, ...]
    effects: Memory


class Simulation:
    """Physics of one environment; every environment owns its model, so that perturbations stay its own.

    `mj_step` would leave positions and contacts as they were before its last substep. A control step is therefore
    the second half of a substep, with the new controls, whole ones, and the first half of the next, which computes
    all that follows from the state: picture and state belong together, and a rewound state gives the same picture.
    """

    def __init__(self, scene: Scene, make_task: MakeTask, rng: np.random.Generator, split: Split = "all") -> None:
        self.model = copy.copy(scene.model)
        self.data = mujoco.MjData(self.model)
        self.rng = rng
        self.view = View(self.model, self.data, scene.camera)
        self.arms = [Arm(self.model, self.data, mount) for mount in scene.mounts]
        self.task = make_task(scene, self.model, self.data, self.arms)
        for arm, start in zip(self.arms, self.task.start, strict=True):
            arm.find_home(start)
        home = [angle for arm in self.arms for angle in arm.home]
        self.perturber = Perturber(self.model, scene, self.task.target, home, split)
        self.effects = Effects(self.model, self.data)
        self.active: tuple[Perturbation, ...] = ()
        self._seen: tuple[Perturbation, ...] = ()
        self._applied: tuple[Perturbation, ...] = ()
        self.seed = self.steps = 0
        self._variety = Variety(scene, self.task.target)
        self._base: tuple[Perturbation, ...] = ()
        self._belts = [self.data.joint(name).qpos for name in scene.belts]

    def reset(self, seed: int | None) -> None:
        """Begins an episode; None draws its seed from the environment's own generator."""
        self.seed = int(self.rng.integers(2**31)) if seed is None else seed
        self._seen = self.active
        self._base = self._variety.draw(self.seed)
        self._apply(self._variety.beneath(self._base, self.active))
        mujoco.mj_resetData(self.model, self.data)
        self.effects.renew(self.perturber.effects)
        self._arrange()
        self.task.place(np.random.default_rng(self.seed), self.perturber.layout)
        for arm in self.arms:
            arm.hold()
        self.effects.furnish(self.seed)
        self.steps = self.view.step = 0
        self._settle()
        if self.perturber.layout.joints:
            self._untangle()
        if self.task.prepare():
            self._settle()
        self.effects.begin(self.seed)
        self.effects.proceed()
        self.task.begin()

    def act(self, action: Sequence[float]) -> None:
        """Puts perturbations in force if they changed, and sets the actuators' targets for the coming step."""
        if self.active is not self._seen:
            self._change()
        effects = self.effects
        effects.proceed()
        self.task.act(effects.action(action))
        effects.control()
        self.view.step = self.steps + 1

    def _change(self) -> None:
        """Puts the perturbations in force that need no reset; those that do stay as they were."""
        waits = self.perturber.waits
        self._seen = self.active
        now = (*filter(waits, self._applied), *filterfalse(waits, self.active))
        now = self._variety.beneath(filterfalse(waits, self._base), now)
        if now != self._applied:
            self.effects.begin(self.seed, self._apply(now))
            self._settle()

    def advance(self) -> None:
        """Runs the physics of one control step; almost all of it without Python's global lock."""
        model, data = self.model, self.data
        mujoco.mj_step2(model, data)
        mujoco.mj_step(model, data, SUBSTEPS - 1)
        for belt in self._belts:
            belt.fill(0.0)  # a belt has carried its load on; the next stretch of it looks and feels the same
        mujoco.mj_step1(model, data)

    def conclude(self) -> float:
        """Reads the new state and returns the reward."""
        for arm in self.arms:
            arm.update()
        self.steps += 1
        return self.task.reward()

    def snapshot(self) -> Snapshot:
        """A copy of all that decides the future."""
        physics = np.empty(mujoco.mj_stateSize(self.model, _STATE))
        mujoco.mj_getState(self.model, self.data, physics, _STATE)
        return Snapshot(
            physics,
            self.data.sensordata.copy(),
            dict(copy.deepcopy(self.rng.bit_generator.state)),
            self.seed,
            self.steps,
            self.task.memory(),
            self._applied,
            self.active,
            self.effects.snapshot(),
        )

    def rewind(self, snapshot: Snapshot) -> None:
        """Brings a snapshot back."""
        self._apply(snapshot.applied)
        self.active, self._seen = snapshot.active, _UNSEEN
        self.effects.recall(snapshot.effects)
        self._arrange()
        mujoco.mj_setState(self.model, self.data, snapshot.physics, _STATE)
        self._settle()
        self.data.sensordata[:] = snapshot.sensors
        self.rng.bit_generator.state = copy.deepcopy(snapshot.generator)
        self.seed = snapshot.seed
        self._base = self._variety.draw(self.seed)
        self.steps = self.view.step = snapshot.steps
        self.task.remember(snapshot.memory)

    def _settle(self) -> None:
        """Computes everything that follows from state and model; changes neither."""
        mujoco.mj_step1(self.model, self.data)
        for arm in self.arms:
            arm.update()

    def _apply(self, perturbations: tuple[Perturbation, ...]) -> tuple[Perturbation, ...]:
        """Changes the model; returns the processes that have yet to begin."""
        if perturbations == self._applied:
            return ()
        self.view.configure(self.perturber.apply(perturbations))
        self._applied = perturbations
        return self.effects.select(self.perturber.effects)

    def _arrange(self) -> None:
        """Tells task and arms how the episode's things differ from nominal."""
        layout = self.perturber.layout
        self.task.arrange(layout)
        for arm in self.arms:
            arm.raise_floor(layout.table)

    def _untangle(self) -> None:
        """Brings arms that begin inside of something nearer to their home posture, by halves."""
        for arm in self.arms:
            home = np.array(arm.home)
            for _ in range(_HALVINGS):
                if not arm.collides():
                    break
                arm.set_joints(home + (arm.joints - home) / 2)
                arm.hold()
                self._settle()
