"""Published ways of randomizing, from ``presets.toml``."""

from __future__ import annotations

import tomllib
from importlib.resources import files

from adversarl.presets import Preset, Range


def _ranges(axis: str, high: float | dict[str, float]) -> list[Range]:
    if isinstance(high, dict):
        return [Range(axis, bound, value) for value, bound in high.items()]
    return [Range(axis, high)]


def _load() -> tuple[Preset, ...]:
    tables = tomllib.loads(files("adversarl_mujoco").joinpath("presets.toml").read_text(encoding="utf-8"))
    return tuple(
        Preset(
            name,
            table["summary"],
            table["source"],
            tuple(one for axis, high in table["ranges"].items() for one in _ranges(axis, high)),
        )
        for name, table in tables.items()
    )


PRESETS = _load()
"""The presets; the first is what ``uniform`` uses unless it is told otherwise."""
