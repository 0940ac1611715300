"""Numbers with units to intensities."""

from __future__ import annotations

import math

from adversarl.types import Value
from adversarl_mujoco.axes.lights import COOL_K, DAYLIGHT_K, WARM_K
from adversarl_mujoco.grounding.lexicon import Factor, Frame
from adversarl_mujoco.grounding.tokens import Quantity

_SLACK = 1e-9
EARTH_M_S2 = 9.81


class Unfit(Exception):  # It is caught where it is raised for, and never reaches a user.
    """A quantity that an axis cannot have; its text says why, for `Grounding.not_understood`."""


def intensity_of(quantity: Quantity, frame: Frame, value: Value) -> tuple[float, Value]:
    """Intensity and value that a quantity asks of an axis.

    Args:
        quantity: The number and its unit.
        frame: The request it stands in.
        value: The value that the words around it give.

    Raises:
        Unfit: It has no meaning for the axis, or lies beyond its bound.
    """
    if quantity.unit == "K" and "K" in frame.units:
        return _temperature(quantity.number)
    if quantity.unit == "m/s2" and frame.axis == "gravity" and not quantity.by:
        return _linear_gravity(quantity.number, frame.units["m/s2"])
    factor = _as_factor(quantity, frame, value)
    if factor is not None and frame.factor:
        return _factor(factor, frame.axis, frame.factor, value)
    intensity = _linear(quantity, frame)
    if frame.signed and quantity.sign and value is None:
        value, intensity = frame.signed[quantity.sign == "-"], abs(intensity)
    if not 0 <= intensity <= 1 + _SLACK:
        raise Unfit(f"{frame.axis} ends at {_bound(quantity.unit, frame)}" if intensity > 1 else "negative")
    return min(intensity, 1.0), value


def _linear_gravity(acceleration: float, bound: float) -> tuple[float, Value]:
    """``12 m/s^2`` is the acceleration itself, not what is added to the earth's."""
    added = acceleration - EARTH_M_S2
    if abs(added) > bound + _SLACK:
        raise Unfit(f"gravity lies between {EARTH_M_S2 - bound:.4g} and {EARTH_M_S2 + bound:.4g} m/s^2")
    return min(round(abs(added) / bound, 12), 1.0), "strong" if added >= 0 else "weak"


def _as_factor(quantity: Quantity, frame: Frame, value: Value) -> float | None:
    """``twice``, ``60 % of``, and ``by 50 %`` where the axis is a factor and the lexicon says so."""
    if frame.factor and quantity.unit == "x":
        return quantity.number
    if frame.factor and quantity.unit == "%of":
        return quantity.number / 100
    if frame.factor and quantity.unit == "by%" and "by%" in frame.units:
        return 1 - quantity.number / 100 if value == frame.factor.down[0] else 1 + quantity.number / 100
    return None


def _linear(quantity: Quantity, frame: Frame) -> float:
    number, unit = quantity.number, quantity.unit
    if unit in frame.units:
        return round(number / frame.units[unit], 12)  # 20 mm of 0.1 m is 0.2, not 0.19999999999999998
    if unit == "x" and "%of" in frame.units:
        return round(100 * number / frame.units["%of"], 12)
    if unit in ("%", "%of", "by%"):
        return number / 100
    if unit == "" and 0 < number < 1:
        return number
    if unit == "" and frame.count and number.is_integer():
        return number / frame.count
    raise Unfit(f"not a unit of {frame.axis}" if unit else f"{frame.axis} needs a unit or %")


def _bound(unit: str, frame: Frame) -> str:
    if unit in frame.units:
        return f"{frame.units[unit]:.4g} {unit.removesuffix('of')}"
    return str(frame.count) if unit == "" and frame.count else "100 %"


def _temperature(kelvin: float) -> tuple[float, Value]:
    """Intensity is linear in the reciprocal temperature, as perception is nearly (the mired scale)."""
    if not WARM_K <= kelvin <= COOL_K:
        raise Unfit(f"light-temperature lies between {WARM_K:.4g} and {COOL_K:.4g} K")
    name, bound = ("warm", WARM_K) if kelvin <= DAYLIGHT_K else ("cool", COOL_K)
    return abs(1 / kelvin - 1 / DAYLIGHT_K) / abs(1 / bound - 1 / DAYLIGHT_K), name


def _factor(factor: float, axis: str, known: Factor, value: Value) -> tuple[float, Value]:
    """``2 times brighter``, ``twice as dim``; a factor below 1 turns the direction of its word around."""
    down_word = value == known.down[0]
    if factor > 0 and down_word and factor > 1:
        factor = 1 / factor
    if factor <= 0:
        raise Unfit(f"not a factor of {axis}")
    name, bound = known.up if factor >= 1 else known.down
    intensity = abs(factor - 1) / abs(bound - 1) if known.linear else abs(math.log(factor) / math.log(bound))
    if intensity > 1 + _SLACK:
        raise Unfit(f"{axis} ends at x {bound:.4g}")
    return min(round(intensity, 12), 1.0), name
