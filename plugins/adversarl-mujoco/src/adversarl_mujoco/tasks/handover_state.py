"""Columns of the privileged state of `handover`."""

from __future__ import annotations

_ARM = {
    "grasp_point": (3, "relative to its start [0.2 m]"),
    "velocity": (3, "of the grasp point, world frame [m/s]"),
    "opening": (1, "of the gripper, 0 closed, 1 open [1]"),
    "touch": (2, "force at each finger, saturating at 1 [10 N]"),
    "offset": (3, "from the grasp point to its end of the bar, world frame [0.1 m]"),
}
_COLUMNS = {
    **{f"giver_{name}": column for name, column in _ARM.items()},
    **{f"taker_{name}": column for name, column in _ARM.items()},
    "object": (3, "bar's centre relative to where it changes hands [0.1 m]"),
    "object_velocity": (3, "world frame [m/s]"),
    "object_spin": (3, "body frame [5 rad/s]"),
    "object_axes": (6, "x and y axes of the bar, world frame [1]"),
    "flags": (3, "held by the giver, held by the taker, solved [1]"),
}


def _slices() -> dict[str, tuple[slice, str]]:
    first, slices = 0, {}
    for name, (width, meaning) in _COLUMNS.items():
        slices[name] = (slice(first, first + width), meaning)
        first += width
    return slices


STATE = _slices()
"""Columns of the privileged state: slice and meaning."""
STATE_SIZE = sum(width for width, _ in _COLUMNS.values())
