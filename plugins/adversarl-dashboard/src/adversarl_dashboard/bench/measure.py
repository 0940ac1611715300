"""Load times of every page, in a browser that has seen none of it."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from adversarl.plugins import Plugins
from adversarl_dashboard.bench.browser import browser, served, settle
from adversarl_dashboard.bench.fill import fill
from adversarl_dashboard.readers.runs import Library

READY = {
    "live": '[data-testid="stVegaLiteChart"] .marks',
    "compare": '[data-testid="stColumn"]:nth-of-type(2) [data-testid="stVegaLiteChart"] .marks',
    "benchmark": '[data-testid="stVegaLiteChart"] .marks',
    "replay": '[data-testid="stButton"] button',
    "playground": '[data-testid="stImage"] img',
}
"""What each page is about; it has loaded when that is there and its pictures are."""


def measure(runs: int, episodes: int, rounds: int, plugins: Plugins) -> dict[str, Any]:
    """Makes the runs, opens every page and says how long each took.

    Args:
        runs: Run folders.
        episodes: Episodes of each.
        rounds: Visits to each page; the first one finds a server that has read nothing.
        plugins: What is installed.

    Returns:
        ``{"runs", "episodes", "rounds", "load_average", "read_all_s", "pages": [{"page", "first_s", "median_s",
        "worst_s"}]}``.
    """
    with tempfile.TemporaryDirectory(prefix="adversarl-dashboard-") as name:
        folder = Path(name)
        fill(folder, runs, episodes, plugins)
        load = os.getloadavg()[0]
        read_all = _read_all(folder)
        times = _visits(folder, rounds)
    rows = [
        {"page": page, "first_s": round(took[0], 3), "median_s": round(median(took), 3), "worst_s": round(max(took), 3)}
        for page, took in times.items()
    ]
    told = {
        "runs": runs,
        "episodes": episodes,
        "rounds": rounds,
        "cpus": os.cpu_count(),
        "load_average": round(load, 2),
    }
    return told | {"read_all_s": round(read_all, 3), "pages": rows}


def _read_all(folder: Path) -> float:
    """How long reading all episodes of all runs takes [s]; pages read those of the runs that they show."""
    begun = time.perf_counter()
    for run in Library(folder).runs():
        run.episodes.refresh()
    return time.perf_counter() - begun


def _visits(folder: Path, rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {page: [] for page in READY}
    with served(folder) as url, browser() as chromium:
        for _ in range(rounds):
            for page, ready in READY.items():
                with chromium.new_context(viewport={"width": 1440, "height": 900}) as context:
                    tab = context.new_page()
                    begun = time.perf_counter()
                    tab.goto(f"{url}/{'' if page == 'live' else page}")
                    settle(tab, ready)
                    times[page].append(time.perf_counter() - begun)
    return times
