"""Puts perturbations in force on one model, and takes them back exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import mujoco
import numpy as np

from adversarl.errors import PerturbationError
from adversarl.types import Axis, Perturbation
from adversarl_mujoco.axes.base import WorldAxis, draws
from adversarl_mujoco.axes.catalog import WORLD_AXES
from adversarl_mujoco.axes.settings import Layout, RenderSettings
from adversarl_mujoco.axes.splits import Split
from adversarl_mujoco.axes.stage import Stage
from adversarl_mujoco.effects import Effect
from adversarl_mujoco.parts import Scene

_RANK: dict[str, int] = {axis.spec.name: rank for rank, axis in enumerate(WORLD_AXES)}
_NOMINAL = RenderSettings()
_MECHANICAL = ("geometry", "dynamics")
"""Groups whose axes write to `Physics.fields`."""


class Perturber:
    """What varies of one model, each environment having its own.

    The vector environment calls it so, whenever the set of perturbations in force has changed::

        settings = perturber.apply(active)
        view.configure(settings)
        mujoco.mj_step1(model, data)  # cameras, lights and bodies have moved
        renderer.draw(view, out)
    """

    def __init__(
        self, model: mujoco.MjModel, scene: Scene, target: str, home: Sequence[float] = (), split: Split = "all"
    ) -> None:
        self._split = split
        self._stage = Stage(model, scene, target, home)
        self._fields = self._stage.fields
        self._nominal = tuple(field.copy() for field in self._fields)
        self._mechanical = False
        self._waiting = frozenset(axis.spec.name for axis in WORLD_AXES if not axis.spec.mid_episode)

    def apply(self, active: Sequence[Perturbation]) -> RenderSettings:
        """Makes the model nominal but for these perturbations; their order does not matter.

        Args:
            active: All that is in force.

        Returns:
            What the renderer has to do besides.

        Raises:
            PerturbationError: An axis, target or value that this world does not have; the model is then nominal.
        """
        stage = self._stage
        self._restore()
        if not active:
            return _NOMINAL
        chosen = [(self.check(perturbation), perturbation) for perturbation in active]
        chosen.sort(key=lambda pair: _order(pair[1]))
        self._mechanical = any(axis.spec.group in _MECHANICAL for axis, _ in chosen)
        for axis, perturbation in chosen:
            stream = axis.stream(perturbation.target, stage)
            u = draws(perturbation.seed, perturbation.axis, stream, axis.things, self._split)
            axis.apply(stage, perturbation, u)
        if stage.physics.derived:
            stage.physics.derive()
        return RenderSettings(stage.shadows, tuple(stage.filters))

    @property
    def layout(self) -> Layout:
        """How the next episode begins."""
        return self._stage.layout

    @property
    def effects(self) -> Mapping[Perturbation, Effect]:
        """The processes asked for, not yet begun."""
        return self._stage.effects

    def waits(self, perturbation: Perturbation) -> bool:
        """Whether a perturbation begins and ends at resets alone."""
        return perturbation.axis in self._waiting

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Specifications of the axes that this scene has something for, with their targets, in canonical order."""
        stage = self._stage
        return tuple(axis.specification(stage) for axis in WORLD_AXES if axis.possible(stage))

    def check(self, perturbation: Perturbation) -> WorldAxis:
        """The axis of a perturbation that can be carried out.

        Raises:
            PerturbationError: This world does not have its axis, target or value.
        """
        rank = _RANK.get(perturbation.axis)
        if rank is None:
            raise PerturbationError("axis", perturbation.axis, _RANK)
        WORLD_AXES[rank].check(perturbation, self._stage)
        return WORLD_AXES[rank]

    def problem(self, perturbation: Perturbation) -> str:
        """Why a perturbation cannot be carried out; empty if it can."""
        try:
            self.check(perturbation)
        except PerturbationError as error:
            return str(error)
        return ""

    def _restore(self) -> None:
        for field, nominal in zip(self._fields, self._nominal, strict=True):
            np.copyto(field, nominal)
        if self._mechanical:
            self._stage.physics.restore()
            self._mechanical = False
        self._stage.clear()


def _order(perturbation: Perturbation) -> tuple[int, int, str, float, str, int]:
    """Axes in canonical order; the rest only makes equal axes and targets independent of the order given."""
    rank = _RANK[perturbation.axis]
    return (
        WORLD_AXES[rank].phase,
        rank,
        perturbation.target or "",
        perturbation.intensity,
        repr(perturbation.value),
        perturbation.seed,
    )
