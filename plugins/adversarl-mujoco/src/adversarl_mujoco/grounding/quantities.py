"""Numbers with units to intensities."""

from __future__ import annotations

import math

from adversarl.types import Value
from adversarl_mujoco.axes.lights import BRIGHT, COOL_K, DAYLIGHT_K, DIM, WARM_K
from adversarl_mujoco.grounding.lexicon import Frame
from adversarl_mujoco.grounding.tokens import Quantity

_SLACK = 1e-9


def intensity_of(quantity: Quantity, frame: Frame, value: Value) -> tuple[float, Value] | None:
    """Intensity and value that a quantity asks of an axis; None where it has no meaning or lies beyond the bound."""
    if quantity.unit == "K" and "K" in frame.units:
        return _temperature(quantity.number)
    if quantity.unit == "x" and "x" in frame.units:
        return _factor(quantity.number, value)
    intensity = _linear(quantity, frame)
    if intensity is None or not 0 <= intensity <= 1 + _SLACK:
        return None
    return min(intensity, 1.0), value


def _linear(quantity: Quantity, frame: Frame) -> float | None:
    number, unit = quantity.number, quantity.unit
    if unit in frame.units:
        return round(number / frame.units[unit], 12)  # 20 mm of 0.1 m is 0.2, not 0.19999999999999998
    if unit in ("%", "%of"):
        return number / 100
    if unit == "" and frame.count and number.is_integer():
        return number / frame.count
    if unit == "" and not frame.count and 0 < number < 1:
        return number
    return None


def _temperature(kelvin: float) -> tuple[float, Value] | None:
    """Intensity is linear in the reciprocal temperature, as perception is nearly (the mired scale)."""
    if not WARM_K <= kelvin <= COOL_K:
        return None
    name, bound = ("warm", WARM_K) if kelvin <= DAYLIGHT_K else ("cool", COOL_K)
    return abs(1 / kelvin - 1 / DAYLIGHT_K) / abs(1 / bound - 1 / DAYLIGHT_K), name


def _factor(factor: float, value: Value) -> tuple[float, Value] | None:
    """``2 times brighter``, ``0.5 times``, ``2 times dimmer``; intensity is linear in the logarithm."""
    if factor <= 0:
        return None
    up = (factor >= 1) != (value == "dim")
    intensity = abs(math.log(factor)) / math.log(BRIGHT if up else 1 / DIM)
    return (min(intensity, 1.0), "bright" if up else "dim") if intensity <= 1 + _SLACK else None
