"""Columns of the privileged state of `insert`."""

from __future__ import annotations

from adversarl_mujoco.tasks import pick_state

STATE = {
    **pick_state.STATE,
    "hole": (slice(29, 32), "from the peg's tip to the middle of the hole's mouth, world frame [0.1 m]"),
    "depth": (slice(32, 33), "of the tip below the mouth, 0 outside the hole [0.1 m]"),
    "misalignment": (slice(33, 34), "angle between the axes of peg and hole [rad]"),
}
"""Columns of the privileged state: slice and meaning; the object is the peg."""
STATE_SIZE = 34
