"""The script that Streamlit runs: which pages there are."""

from __future__ import annotations

from importlib.resources import files

import streamlit as st

from adversarl_dashboard.views import benchmark, compare, live, playground, replay

PAGES = (
    (live.show, "Live", "live", ":material/monitoring:"),
    (compare.show, "Compare", "compare", ":material/stacked_line_chart:"),
    (benchmark.show, "Benchmark", "benchmark", ":material/leaderboard:"),
    (replay.show, "Replay", "replay", ":material/replay:"),
    (playground.show, "Playground", "playground", ":material/lightbulb:"),
)

st.set_page_config(
    page_title="AdversaRL", page_icon=str(files("adversarl_dashboard") / "static/icon.png"), layout="wide"
)
pages = [
    st.Page(show, title=title, icon=icon, url_path=path, default=path == "live") for show, title, path, icon in PAGES
]
st.navigation(pages, position="top").run()
