"""Published scores of every seed, aggregated to the digits that the papers print."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from adversarl_benchmark.statistics import iqm, mean, median, optimality_gap

ATARI = json.loads((Path(__file__).parent / "data" / "atari_100k.json").read_text())


@pytest.mark.parametrize("paper", ATARI["papers"], ids=lambda one: one["agent"])
def test_the_figures_that_a_paper_prints_come_out(paper):
    low, high = (np.array([ATARI[key][game] for game in paper["scores"]]) for key in ("random", "human"))
    scores = (np.array(list(paper["scores"].values())).T - low) / (high - low)
    assert scores.shape == (5, 26)
    found = {"superhuman": f"{(scores.mean(axis=0) >= 1).sum()}"}
    for name, metric in (("mean", mean), ("median", median), ("iqm", iqm), ("optimality_gap", optimality_gap)):
        found[name] = f"{metric(scores):.3f}"
    assert found == paper["printed"]


def test_every_published_number_names_its_source():
    for paper in ATARI["papers"]:
        assert {"paper", "arxiv", "source", "licence"} <= set(paper)
    assert len({paper["source"] for paper in ATARI["papers"]}) == 4
