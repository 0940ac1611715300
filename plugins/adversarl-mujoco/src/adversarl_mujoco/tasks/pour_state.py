"""Columns of the privileged state of `pour`."""

from __future__ import annotations

from adversarl_mujoco.tasks import pick_state

STATE = {
    **pick_state.STATE,
    "lip": (slice(29, 32), "from the cup's lip to the middle of the vessel's rim, world frame [0.1 m]"),
    "tilt": (slice(32, 33), "of the gripper [rad]"),
    "shares": (slice(33, 36), "of the grains in the cup, in the vessel, spilled [1]"),
}
"""Columns of the privileged state: slice and meaning; the object is the cup."""
STATE_SIZE = 36
