"""The results of ``adversarl benchmark``."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from adversarl_dashboard import common
from adversarl_dashboard.charts import Chart
from adversarl_dashboard.readers.benchmarks import (
    Benchmark,
    comparison_rows,
    condition_rows,
    curve_names,
    curves,
    find_benchmarks,
)

LARGE = 20_000_000
"""A report beyond so many bytes is not sent through the page, only its path is told."""
ICONS = {"better": ":green-badge[better]", "worse": ":red-badge[worse]", "tie": ":gray-badge[tie]"}


def show() -> None:
    """The page."""
    st.title("Benchmark")
    found = find_benchmarks(common.settings().folder)
    if not found:
        st.info("There is no benchmark in this folder, nor in benchmarks/ beside it. This makes one:")
        st.code(
            "adversarl benchmark recipes/baseline.toml recipes/adaptive.toml --seeds 5", language="sh", wrap_lines=True
        )
        return
    names = [f"{one.name} ({one.path})" for one in found]
    chosen = found[names.index(st.selectbox("Benchmark", names, key="benchmark"))]
    if chosen.results:
        _results(chosen)
    else:
        st.info("It has no results that can be read yet: it is still running, or was cut. The same command goes on.")
    _report(chosen)


def _results(benchmark: Benchmark) -> None:
    results = benchmark.results
    seeds, episodes = results.get("seeds"), results.get("episodes")
    told = [f"suite {results.get('suite', '?')}", f"{len(seeds)} seeds" if isinstance(seeds, list) else ""]
    told += [f"{episodes} episodes a cell" if episodes else "", str(results.get("created", ""))]
    st.caption(common.escaped(" · ".join(one for one in told if one)))
    _comparisons(benchmark)
    _conditions(benchmark)
    _curves(benchmark)
    if results.get("command"):
        st.subheader("The command that repeats it", anchor=False)
        st.code(str(results["command"]), language="sh", wrap_lines=True)


def _conditions(benchmark: Benchmark) -> None:
    rows = condition_rows(benchmark.results)
    if not rows:
        return
    st.subheader("Conditions", anchor=False)
    number = st.column_config.NumberColumn
    columns = {
        "condition": "condition",
        "kind": "kind",
        "seeds": "seeds",
        "auc": number("robustness", format="percent", help="Interquartile mean of the areas under its curves."),
        "auc_interval": st.column_config.TextColumn("95 %", help="Of the robustness."),
        "nominal": number("nominal", format="percent"),
        "nominal_interval": st.column_config.TextColumn("95 %", help="Of the nominal success."),
        "env_steps": number("env steps", format="localized"),
        "to_threshold": number("steps to threshold", format="localized", help="Median; empty where not reached."),
        "held_out": st.column_config.CheckboxColumn("held out"),
        "leaks": "leaks",
    }
    common.table(rows, {key: one for key, one in columns.items() if any(row[key] not in (None, "") for row in rows)})


def _comparisons(benchmark: Benchmark) -> None:
    rows = comparison_rows(benchmark.results)
    if not rows:
        return
    st.subheader("Comparisons", anchor=False)
    for row in rows:
        verdict = ICONS.get(row["verdict"], f":orange-badge[{common.escaped(row['verdict'])}]")
        st.markdown(f"{verdict} {common.escaped(row['sentence'] or row['comparison'])}")


def _curves(benchmark: Benchmark) -> None:
    names = curve_names(benchmark.results)
    if not names:
        return
    st.subheader("Robustness curves", anchor=False)
    name = st.selectbox("Curve", names, names.index("mixed") if "mixed" in names else 0, key="benchmark_curve")
    chart = Chart("intensity", height=360)
    for condition, points in curves(benchmark.results, name).items():
        chart.band(condition, points)
    chart.show("benchmark_curves")


def _report(benchmark: Benchmark) -> None:
    path = benchmark.report
    if path is None:
        return
    st.subheader("Report", anchor=False)
    st.caption(f"{common.escaped(str(path))} opens in a browser without the dashboard.")
    if path.stat().st_size > LARGE:
        st.caption("It is too large to be shown inside this page.")
    elif st.toggle("Show it here", key="benchmark_report"):
        _embed(path)


def _embed(path: Path) -> None:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        common.explain(error)
        return
    st.iframe(text or "<p>The report is empty.</p>", height=900)
