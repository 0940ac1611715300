"""Curves with bands, in colours that colour-blind people tell apart, on light and dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

Figure = Any
"""A plotly figure; plotly has no types, and is imported when something is drawn."""

PALETTE = ("#0f83c9", "#e07b00", "#1a9d74", "#c75a9b", "#8a6fd1", "#b58a00", "#d1495b", "#5b8c99")
"""After Okabe and Ito (2008), a little darker where they vanish on white."""


def color(number: int) -> str:
    """The color of a curve."""
    return PALETTE[number % len(PALETTE)]


def figure(x: str, y: str = "success", height: int = 300) -> Figure:
    """An empty chart of a rate in [0, 1]."""
    import plotly.graph_objects as go

    chart = go.Figure()
    chart.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        hovermode="x unified",
        xaxis={"title": x, "automargin": True},
        yaxis={"title": y, "range": [-0.02, 1.02], "tickformat": ".0%", "automargin": True},
    )
    return chart


def add_line(chart: Figure, name: str, x: Sequence[float], y: Sequence[float], number: int, dash: str = "") -> None:
    """Adds a curve."""
    import plotly.graph_objects as go

    line = {"color": color(number), "width": 2} | ({"dash": dash} if dash else {})
    chart.add_trace(go.Scatter(x=list(x), y=list(y), name=name, mode="lines", line=line))


def add_points(chart: Figure, name: str, points: Sequence[Mapping[str, float]], number: int) -> None:
    """Adds a curve over intensity with its intervals at 95 % as a band.

    Args:
        chart: Where.
        name: In the legend.
        points: ``{"intensity", "value", "low", "high"}``.
        number: Of its color.
    """
    import plotly.graph_objects as go

    x = [point["intensity"] for point in points]
    band = [point["low"] for point in points] + [point["high"] for point in reversed(points)]
    red, green, blue = (int(color(number)[at : at + 2], 16) for at in (1, 3, 5))
    shared: dict[str, Any] = {"legendgroup": name, "hoverinfo": "skip", "showlegend": False, "mode": "lines"}
    fill = f"rgba({red},{green},{blue},0.14)"
    chart.add_trace(go.Scatter(x=x + x[::-1], y=band, fill="toself", fillcolor=fill, line={"width": 0}, **shared))
    chart.add_trace(
        go.Scatter(
            x=x,
            y=[point["value"] for point in points],
            name=name,
            legendgroup=name,
            mode="lines+markers",
            line={"color": color(number), "width": 2},
            customdata=[[point["low"], point["high"]] for point in points],
            hovertemplate="%{y:.0%} (%{customdata[0]:.0%} to %{customdata[1]:.0%})",
        )
    )


def show(chart: Figure, key: str) -> None:
    """Puts a chart on the page."""
    st.plotly_chart(chart, key=key, config={"displayModeBar": False})
