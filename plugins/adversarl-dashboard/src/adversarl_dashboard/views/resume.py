"""How to go on with a run that ended before its time."""

from __future__ import annotations

import shlex
import subprocess
import sys

import streamlit as st

from adversarl_dashboard import common
from adversarl_dashboard.readers.runs import Run


def words(run: Run) -> list[str]:
    """The command line that resumes a run, without the program."""
    return ["run", str(run.path / "recipe.toml"), "--out", str(run.path), "--resume"]


def offer_resume(run: Run) -> None:
    """Says how a stopped or dead run is resumed; a button does it where the command allows that."""
    if run.state not in ("stopped", "dead"):
        return
    st.subheader("Go on", anchor=False)
    st.code(f"adversarl {shlex.join(words(run))}", language="sh", wrap_lines=True)
    if common.settings().allow_run and st.button("Resume it now", icon=":material/play_arrow:"):
        start(run)
        st.toast(f"{run.name} goes on")


def start(run: Run) -> subprocess.Popen[bytes]:
    """Resumes a run in a process of its own, which outlives the dashboard; what it prints goes to ``resume.log``."""
    with (run.path / "resume.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "adversarl", *words(run)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
