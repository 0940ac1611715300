"""What this world can vary, and how: one class per axis, its specification beside it."""

from adversarl_mujoco.axes.catalog import AXES
from adversarl_mujoco.axes.perturber import Perturber
from adversarl_mujoco.axes.settings import RenderSettings

__all__ = ["AXES", "Perturber", "RenderSettings"]
