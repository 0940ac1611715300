"""Several runs beside each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from adversarl_dashboard import common
from adversarl_dashboard.charts import Chart
from adversarl_dashboard.readers.comparison import axes_of, differing, outcome, robustness
from adversarl_dashboard.readers.episodes import rolling
from adversarl_dashboard.readers.runs import Run

FIRST = 5
"""So many runs are chosen before anybody chose."""


def show() -> None:
    """The page."""
    st.title("Compare")
    runs = common.library().runs()
    if not runs:
        common.no_runs()
        return
    by_name = {run.name: run for run in runs}
    names = sorted(by_name)
    first = [name for name in names if by_name[name].summary][:FIRST] or names[:FIRST]
    chosen = [by_name[name] for name in st.multiselect("Runs", names, default=first, key="compare_runs")]
    if not chosen:
        st.info("Choose at least one run above.")
        return
    _outcomes(chosen)
    left, right = st.columns(2, gap="large")
    with left:
        _learning(chosen)
    with right:
        _robustness(chosen)
    _recipes(chosen)


def _outcomes(runs: Sequence[Run]) -> None:
    number = st.column_config.NumberColumn
    columns = {
        "run": "run",
        "state": "state",
        "curriculum": "curriculum",
        "learner": "learner",
        "seed": number("seed", format="%d"),
        "auc": number("robustness", format="percent", help="Mean success over the intensities of the suite."),
        "auc_interval": st.column_config.TextColumn("95 %", help="Of the robustness."),
        "nominal": number("nominal", format="percent", help="Success without perturbations, after training."),
        "nominal_interval": st.column_config.TextColumn("95 %", help="Of the nominal success."),
        "env_steps": number("env steps", format="localized"),
        "minutes": number("minutes", format="%.1f"),
        "cost_usd": number("USD", format="%.2f"),
    }
    rows = [outcome(run) for run in runs]
    shown = {key: column for key, column in columns.items() if any(row[key] not in (None, "") for row in rows)}
    common.table(rows, shown, height=400)


def _learning(runs: Sequence[Run]) -> None:
    st.subheader("Learning curves", anchor=False)
    masks: dict[str, Callable[[Run], object]] = {
        "all": lambda run: run.episodes.training,
        "nominal": lambda run: run.episodes.training & run.episodes.nominal,
        "perturbed": lambda run: run.episodes.training & ~run.episodes.nominal,
    }
    which = st.segmented_control("Episodes of training", list(masks), default="all", key="compare_episodes") or "all"
    chart = Chart("environment steps", "success, last 100")
    for run in runs:
        run.episodes.refresh()
        x, y = rolling(run.episodes, masks[which](run))  # type: ignore[arg-type]
        if x:
            chart.line(run.name, x, y)
    chart.show("compare_learning")
    st.caption("In their own training worlds: a harder curriculum shows a lower curve.")


def _robustness(runs: Sequence[Run]) -> None:
    st.subheader("Robustness curves", anchor=False)
    axes = axes_of(runs)
    if not axes:
        st.info("None of these runs was evaluated yet: that happens when training ends.")
        return
    axis = st.selectbox("Axis", axes, key="compare_axis")
    chart = Chart("intensity")
    for run in runs:
        points = robustness(run, axis)
        if points:
            chart.band(run.name, points)
    chart.show("compare_robustness")
    st.caption("The evaluation after training, with Wilson intervals at 95 %.")


def _recipes(runs: Sequence[Run]) -> None:
    st.subheader("Where the recipes differ", anchor=False)
    rows = differing({run.name: run.recipe for run in runs})
    if len(runs) < 2:
        st.caption("Choose a second run.")
    elif not rows:
        st.caption("Nowhere: they are the same recipe.")
    else:
        common.table(rows, {"key": "key", **{run.name: run.name for run in runs}}, height=400)
