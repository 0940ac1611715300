"""Which charts a report has, each as a function that draws into axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from adversarl_benchmark.charts import Draw, Line, Span, heat, intervals, lines, scatter, shares
from adversarl_benchmark.charts_style import MUTED, Look
from adversarl_benchmark.report_words import points, share

TOGETHER = ("mixed", "everything", "mixed-pbr", "prompts", "lights", "surfaces", "cameras", "things", "air")
"""Curves that vary more than one thing, the widest first, where the results do not name them."""
EDGES = ((min, -0.02, "low"), (max, 0.02, "high"))
"""Ends of the axis of differences: zero is always inside."""


class Charts:
    """The charts of one benchmark.

    Args:
        results: What `analysis.analyze` returns.
        looks: How each condition is drawn.
    """

    def __init__(self, results: Mapping[str, Any], looks: Mapping[str, Look]) -> None:
        self.results, self.looks = results, looks
        self.conditions: Sequence[Mapping[str, Any]] = results["conditions"]
        wide = results.get("together", TOGETHER)
        self.together = [name for name in wide if name in results["curves"]]
        self.alone = [name for name in results["curves"] if name not in self.together]

    @property
    def has_learning(self) -> bool:
        """Whether any condition was evaluated along the way."""
        return any(one["learning"] for one in self.conditions)

    @property
    def has_distance(self) -> bool:
        """Whether visual distances were measured."""
        return bool((self.results.get("visual_distance") or {}).get("points"))

    def auc(self, ax: Axes) -> None:
        """Robustness AUC of each condition, the best on top."""
        known = [one for one in self.conditions if one["auc"]["value"] is not None]
        ranked = sorted(known, key=lambda one: -one["auc"]["value"])
        intervals(
            ax, [_span(one["name"], share(one["auc"]["value"]), one["auc"], one["name"]) for one in ranked], self.looks
        )
        shares(ax, "robustness AUC, IQM over seeds and curves", vertical=False)

    def differences(self, ax: Axes) -> None:
        """Paired differences of AUC."""
        compared = [one for one in self.results["comparisons"] if one["difference"]["value"] is not None]
        spans = [
            _span(f"{one['a']} less {one['b']}", points(one["difference"]["value"]), one["difference"], one["a"])
            for one in compared
        ]
        intervals(ax, spans, self.looks, zero=True)
        low, high = (edge([sign, *(getattr(s, side) for s in spans)]) for edge, sign, side in EDGES)
        pad = 0.06 * (high - low)
        ax.set(xlim=(low - pad, high + pad), xlabel="difference of robustness AUC, points")
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:+.0f}" if value else "0"))
        ax.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))

    def curve(self, name: str, *, labels: bool = True) -> Draw:
        """Success over the intensity of one curve."""

        def draw(ax: Axes) -> None:
            rows = {one["name"]: one["curves"].get(name, ()) for one in self.conditions}
            lines(ax, self._lines("intensity", rows), self.looks)
            shares(ax, "success" if labels else "")
            ax.set_xlabel("intensity" if labels else "")
            ax.set_xticks(self.results["intensities"], [f"{one:g}" for one in self.results["intensities"]])

        return draw

    def learning(self, ax: Axes) -> None:
        """Success over environment steps, with the threshold."""
        ax.axhline(self.results["threshold"], color=MUTED, linewidth=0.9, linestyle=(0, (2, 3)))
        lines(ax, self._lines("env_steps", {one["name"]: one["learning"] for one in self.conditions}), self.looks)
        shares(ax, "success")
        ax.set_xlabel("environment steps")
        ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / 1000:g}k" if value else "0"))

    def profile(self, ax: Axes) -> None:
        """Performance profiles: the share of runs and curves whose AUC exceeds each score."""
        series = []
        for one in self.conditions:
            found = one["profile"]
            # A condition without runs has scores to exceed and no value.
            rows = list(zip(found["tau"], found["value"], found["low"], found["high"], strict=False))
            series += [Line(one["name"], rows)] if rows else []
        lines(ax, series, self.looks, step=True)
        shares(ax, "runs and curves above")
        shares(ax, "AUC", vertical=False)

    def distance(self, ax: Axes) -> None:
        """Success against visual distance."""
        scatter(ax, self.results["visual_distance"]["points"], self.looks)
        shares(ax, "success")

    def heat(self, ax: Axes) -> None:
        """AUC by condition and curve."""
        curves = self.results["curves"]
        values = [[_value(one["auc_by_curve"].get(curve)) for curve in curves] for one in self.conditions]
        heat(ax, [one["name"] for one in self.conditions], curves, values)

    def _lines(self, x: str, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Line]:
        known = {name: [row for row in found if row["value"] is not None] for name, found in rows.items()}
        return [
            Line(name, [(row[x], row["value"], row["low"], row["high"]) for row in found])
            for name, found in known.items()
            if found
        ]


def _span(label: str, text: str, interval: Mapping[str, Any], name: str) -> Span:
    return Span(label, text, interval["value"], interval["low"], interval["high"], name)


def _value(interval: Mapping[str, Any] | None) -> float:
    return float("nan") if interval is None or interval["value"] is None else interval["value"]
