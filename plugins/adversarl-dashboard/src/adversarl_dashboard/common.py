"""What the pages share: settings, runs, worlds, and how things are said."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from adversarl.errors import AdversarlError
from adversarl_dashboard.readers.runs import Library, Run
from adversarl_dashboard.server import Settings
from adversarl_dashboard.studio import Studio

if TYPE_CHECKING:
    from adversarl.plugins import Plugins

T = TypeVar("T")
COLORS = {"training": "green", "evaluating": "blue", "finished": "gray", "stopped": "orange", "dead": "red"}
"""Of the states of a run."""
MEANINGS = {
    "training": "a process holds the folder and episodes come in",
    "evaluating": "a process holds the folder, and no episode has come in for 10 s",
    "finished": "it has a summary",
    "stopped": "it was saved and can be resumed",
    "dead": "its process ended between two checkpoints; it can be resumed from the last one",
}
MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|~$:<>])")


def settings() -> Settings:
    """What the command was told."""
    return Settings.from_environment()


@st.cache_resource(show_spinner=False)
def _library(folder: str) -> Library:
    return Library(Path(folder))


def library() -> Library:
    """The runs, kept for all who look."""
    return _library(str(settings().folder))


def plugins() -> Plugins:
    """What is installed."""
    from adversarl.cli.options import load_plugins

    return load_plugins()


@st.cache_resource(show_spinner=False, max_entries=4, on_release=Studio.close)
def _studio(backend: str) -> Studio:
    return Studio(json.loads(backend), plugins())


def studio(backend: Mapping[str, Any]) -> Studio:
    """The world of a ``[backend]`` table; one for each, whatever its number of environments."""
    table = {key: value for key, value in backend.items() if key != "num_envs"}
    return _studio(json.dumps(table, sort_keys=True, default=str))


def result(future: Future[T], doing: str) -> T | None:
    """Waits for what a studio was asked for; None where that failed, which the page then says."""
    with st.spinner(doing):
        problem = future.exception()
    if problem is None:
        return future.result()
    explain(problem)
    return None


def explain(problem: BaseException) -> None:
    """Says what went wrong, and keeps the page."""
    text = str(problem) if isinstance(problem, AdversarlError) else f"{type(problem).__name__}: {problem}"
    st.warning(escaped(text), icon=":material/error:")


def escaped(text: str) -> str:
    """Text that markdown leaves as it stands."""
    return MARKDOWN.sub(r"\\\1", text)


def badge(state: str) -> str:
    """The state of a run, as markdown."""
    return f":{COLORS[state]}-badge[{state}]"


def percent(value: float | None) -> str:
    """A rate for people."""
    return "-" if value is None else f"{value:.0%}"


def no_runs() -> None:
    """What to do where there is no run."""
    folder = settings().folder
    st.info(
        f"There is no run in {escaped(str(folder))} yet. This one takes a few seconds; the page shows it by itself:"
    )
    st.code(f"adversarl run RECIPE --out {folder / 'first'}", language="sh", wrap_lines=True)


def choose_run(runs: Sequence[Run], key: str) -> Run | None:
    """A list to choose a run from; the address of the page remembers which."""
    if not runs:
        no_runs()
        return None
    names = [run.name for run in runs]
    asked = st.query_params.get("run")
    if key not in st.session_state and asked in names:
        st.session_state[key] = asked
    if st.session_state.get(key) not in names:
        st.session_state.pop(key, None)
    name = st.selectbox("Run", names, key=key)
    if st.query_params.get("run") != name:
        st.query_params["run"] = name
    return runs[names.index(name)]


def table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, Any], height: int | None = None) -> None:
    """A table of rows, as wide as the page.

    Args:
        rows: One mapping each.
        columns: Shown ones: their titles, or Streamlit's column configurations.
        height: At most so many pixels; all rows by default.
    """
    shown = {name: [row.get(name) for row in rows] for name in columns}
    tall = 36 + 35 * len(rows)
    st.dataframe(shown, column_config=dict(columns), hide_index=True, height=min(tall, height or tall), width="stretch")
