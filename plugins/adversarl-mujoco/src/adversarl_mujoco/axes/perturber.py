"""Puts perturbations in force on one model, and takes them back exactly."""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np

from adversarl.errors import PerturbationError
from adversarl.types import Axis, Perturbation
from adversarl_mujoco.axes.base import WorldAxis, draws
from adversarl_mujoco.axes.catalog import WORLD_AXES
from adversarl_mujoco.axes.settings import Layout, RenderSettings
from adversarl_mujoco.axes.stage import Stage
from adversarl_mujoco.parts import Scene

_RANK: dict[str, int] = {axis.spec.name: rank for rank, axis in enumerate(WORLD_AXES)}
_NOMINAL = RenderSettings()


class Perturber:
    """The looks of one model, each environment having its own.

    The vector environment calls it so, whenever the set of perturbations in force has changed::

        settings = perturber.apply(active)
        mujoco.mj_forward(model, data)  # cameras, lights and bodies have moved
        frame = renderer.draw(data, settings)
    """

    def __init__(self, model: mujoco.MjModel, scene: Scene, target: str) -> None:
        self._stage = Stage(model, scene, target)
        self._fields = self._stage.fields
        self._nominal = tuple(field.copy() for field in self._fields)

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
        for axis, perturbation in chosen:
            u = draws(perturbation.seed, perturbation.axis, axis.stream(perturbation.target, stage))
            axis.apply(stage, perturbation, u)
        return RenderSettings(stage.shadows, tuple(stage.filters))

    @property
    def layout(self) -> Layout:
        """How the next episode begins."""
        return self._stage.layout

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Specifications of all axes, with the targets of this scene, in canonical order."""
        return tuple(axis.specification(self._stage) for axis in WORLD_AXES)

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

    def _restore(self) -> None:
        for field, nominal in zip(self._fields, self._nominal, strict=True):
            np.copyto(field, nominal)
        self._stage.clear()


def _order(perturbation: Perturbation) -> tuple[int, str, float, str, int]:
    """Axes in canonical order; the rest only makes equal axes and targets independent of the order given."""
    rank = _RANK[perturbation.axis]
    return rank, perturbation.target or "", perturbation.intensity, repr(perturbation.value), perturbation.seed
