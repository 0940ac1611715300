"""All axes, in the order in which they are applied."""

from __future__ import annotations

from adversarl.types import Axis
from adversarl_mujoco.axes.actuation import ACTUATION_AXES
from adversarl_mujoco.axes.background import BACKGROUND_AXES
from adversarl_mujoco.axes.base import WorldAxis
from adversarl_mujoco.axes.camera import CAMERA_AXES
from adversarl_mujoco.axes.clutter import CLUTTER_AXES
from adversarl_mujoco.axes.dynamics import DYNAMICS_AXES
from adversarl_mujoco.axes.geometry import GEOMETRY_AXES
from adversarl_mujoco.axes.image import IMAGE_AXES
from adversarl_mujoco.axes.lights import LIGHT_AXES
from adversarl_mujoco.axes.sensors import SENSOR_AXES
from adversarl_mujoco.axes.surfaces import SURFACE_AXES
from adversarl_mujoco.axes.weather import WEATHER_AXES

_SCENE = (*LIGHT_AXES, *SURFACE_AXES, *CAMERA_AXES, *CLUTTER_AXES)
_VISUAL = (*_SCENE, *BACKGROUND_AXES, *WEATHER_AXES, *IMAGE_AXES)
WORLD_AXES: tuple[WorldAxis, ...] = (*_VISUAL, *GEOMETRY_AXES, *DYNAMICS_AXES, *ACTUATION_AXES, *SENSOR_AXES)
AXES: tuple[Axis, ...] = tuple(axis.spec for axis in WORLD_AXES)
"""Specifications of all axes, in canonical order."""
