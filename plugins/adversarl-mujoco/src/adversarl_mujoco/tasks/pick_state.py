"""Columns of the privileged state of `pick`."""

from __future__ import annotations

STATE = {
    "grasp_point": (slice(0, 3), "relative to `tabletop.START` [0.2 m]"),
    "velocity": (slice(3, 6), "of the grasp point, world frame [m/s]"),
    "opening": (slice(6, 7), "of the gripper, 0 closed, 1 open [1]"),
    "offset": (slice(7, 10), "from grasp point to where the object is held, its middle if it is a cube [0.1 m]"),
    "object": (slice(10, 13), "relative to its rest in the middle of the table [0.1 m]"),
    "object_velocity": (slice(13, 16), "world frame [m/s]"),
    "object_spin": (slice(16, 19), "body frame [5 rad/s]"),
    "object_axes": (slice(19, 25), "x and y axes of the object, world frame [1]"),
    "touch": (slice(25, 27), "force at each finger, saturating at 1 [10 N]"),
    "flags": (slice(27, 29), "grasped, solved [1]"),
}
"""Columns of the privileged state: slice and meaning."""
STATE_SIZE = 29
