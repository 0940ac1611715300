"""Curves with bands, in colors that color-blind people tell apart, on light and dark.

They are drawn by Vega-Lite, which Streamlit brings along: a page with it is there two seconds sooner than with Plotly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

PALETTE = ("#0f83c9", "#e07b00", "#1a9d74", "#c75a9b", "#8a6fd1", "#b58a00", "#d1495b", "#5b8c99")
"""After Okabe and Ito (2008), a little darker where they vanish on white."""


class Chart:
    """A chart of a rate in [0, 1].

    It is used so::

        chart = Chart("environment steps")
        chart.line("run 0", [0, 100], [0.0, 0.5])
        chart.show("key")

    Args:
        x: Title of the axis to the right.
        y: Title of the axis upwards.
        height: [pixel].
    """

    def __init__(self, x: str, y: str = "success", height: int = 300) -> None:
        self._x, self._y, self._height = x, y, height
        self._rows: list[dict[str, Any]] = []
        self._marks: list[tuple[float, str]] = []
        self._dots = False

    def line(self, name: str, x: Sequence[float], y: Sequence[float]) -> None:
        """Adds a curve."""
        self._rows += [
            {"name": name, "x": float(a), "y": b, "low": None, "high": None} for a, b in zip(x, y, strict=True)
        ]

    def band(self, name: str, points: Sequence[Mapping[str, float]]) -> None:
        """Adds a curve over intensity with its intervals: ``{"intensity", "value", "low", "high"}``."""
        self._dots = True
        for point in points:
            row = {"name": name, "x": point["intensity"], "y": point["value"]}
            self._rows.append({**row, "low": point["low"], "high": point["high"]})

    def mark(self, x: float, text: str) -> None:
        """Adds an upright line with a word beside it."""
        self._marks.append((float(x), text))

    def spec(self) -> dict[str, Any]:
        """The chart in Vega-Lite, without its data."""
        names = list(dict.fromkeys(row["name"] for row in self._rows))
        colors = [PALETTE[number % len(PALETTE)] for number in range(len(names))]
        percent = {"format": ".0%"}
        legend = {"orient": "top", "title": None, "columns": 4, "symbolType": "stroke"}
        legend |= {"symbolStrokeWidth": 3, "symbolOpacity": 1}
        y = {"type": "quantitative", "title": self._y, "scale": {"domain": [-0.02, 1.02], "nice": False}}
        y["axis"] = {**percent, "values": [0, 0.25, 0.5, 0.75, 1]}
        x = {"field": "x", "type": "quantitative", "title": self._x, "scale": {"nice": False, "zero": False}}
        x["axis"] = {"tickCount": 6, "grid": False, **({} if self._dots else {"format": "~s"})}
        told = [{"field": "name", "title": "curve"}, {"field": "x", "title": self._x, "format": "~s"}]
        told += [{"field": key, "title": title, **percent} for key, title in (("y", self._y), *self._interval())]
        color = {"field": "name", "type": "nominal", "scale": {"domain": names, "range": colors}, "legend": legend}
        line = {"type": "line", "strokeWidth": 2}
        dot = {"type": "point", "filled": True, "size": 45, "opacity": 1 if self._dots else 0}
        layers: list[dict[str, Any]] = [
            {"mark": line, "encoding": {"y": {**y, "field": "y"}}},
            {"mark": dot, "encoding": {"y": {**y, "field": "y"}, "tooltip": told}},
        ]
        if self._dots:
            area = {"y": {**y, "field": "low"}, "y2": {"field": "high"}}
            layers.insert(0, {"mark": {"type": "area", "opacity": 0.14}, "encoding": area})
        shared = {"layer": layers, "encoding": {"x": x, "color": color}}
        return {"height": self._height, "layer": [shared, *self._upright()]}

    def _interval(self) -> tuple[tuple[str, str], ...]:
        return (("low", "from"), ("high", "to")) if self._dots else ()

    def _upright(self) -> list[dict[str, Any]]:
        """Layers of the upright lines; their places are part of the chart."""
        found: list[dict[str, Any]] = []
        for x, text in self._marks:
            at = {"x": {"datum": x, "type": "quantitative"}}
            one: dict[str, Any] = {"data": {"values": [{}]}, "encoding": at}
            found.append({**one, "mark": {"type": "rule", "strokeDash": [2, 3], "color": "gray"}})
            label = {"type": "text", "text": text, "align": "left", "dx": 5, "color": "gray", "y": "height", "dy": -8}
            found.append({**one, "mark": label})
        return found

    def show(self, key: str) -> None:
        """Puts the chart on the page; under the same key new data replace the old without a flicker."""
        columns = {name: [row[name] for row in self._rows] for name in ("name", "x", "y", "low", "high")}
        st.vega_lite_chart(columns, self.spec(), key=key)
