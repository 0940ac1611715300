"""A benchmark's results from its table; ties, effects and leaks that were planted are reported as what they are."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from adversarl_benchmark.aggregate import columns_of, scores_of
from adversarl_benchmark.analysis import analyze, pairs

from adversarl.errors import AdversarlError
from adversarl.metrics import robustness_auc
from adversarl.types import CellResult

INTENSITIES = (0.0, 0.5, 1.0)


def planted(rng, success, *, seeds=5, curves=8, episodes=10, between=0.05, kinds=None):
    """Columns of a table whose conditions have a known mean success; seeds differ by `between` (standard deviation)."""
    cells = [(c, i) for c in range(curves) for i in range(len(INTENSITIES)) if i or not c]
    names = np.array(["mixed", *(f"axis-{index}" for index in range(1, curves))])
    shape = (len(success), seeds, len(cells), episodes)
    condition, seed, cell, episode = (one.ravel() for one in np.indices(shape))
    policy = (
        rng.normal(0, between, (*shape[:2], 1, 1))
        + rng.normal(0, 0.03, (*shape[:2], curves, 1))[:, :, [c for c, _ in cells]]
    )
    p = np.clip(np.array(list(success.values())).reshape(-1, 1, 1, 1) + policy, 0, 1)
    kinds = kinds or dict.fromkeys(success, "recipe")
    return {
        "condition": np.array(list(success))[condition],
        "kind": np.array([kinds[name] for name in success])[condition],
        "seed": seed,
        "curve": names[np.array(cells)[cell, 0]],
        "intensity": np.array(INTENSITIES)[np.array(cells)[cell, 1]],
        "episode": episode,
        "success": (rng.random(shape) < p).ravel(),
    }


def plan_of(success):
    return {"name": "planted", "suite": "s", "started": "now", "conditions": [{"name": name} for name in success]}


def run_of(condition, seed=0, **facts):
    return {"condition": condition, "kind": "recipe", "seed": seed, "leaks": [], **facts}


def compared(rng, success, **table):
    runs = [run_of(name) for name in success]
    (one,) = analyze(planted(rng, success, **table), runs, plan=plan_of(success))["comparisons"]
    return one


def test_a_planted_tie_names_a_winner_no_more_often_than_it_should():
    rng = np.random.default_rng(0)
    verdicts = [compared(rng, {"b": 0.5, "a": 0.5})["verdict"] for _ in range(200)]
    winners = sum(said in ("better", "worse") for said in verdicts)
    assert winners == pytest.approx(10, abs=10)  # 5 % is nominal, 10 % three standard errors above; 12 were measured
    assert verdicts.count("not enough episodes") > 150  # seeds that differ by 5 points cannot carry a margin of 5


def test_a_planted_tie_with_enough_data_is_a_tie():
    rng = np.random.default_rng(1)
    verdicts = [compared(rng, {"b": 0.5, "a": 0.5}, episodes=300, between=0.005)["verdict"] for _ in range(10)]
    assert verdicts.count("tie") >= 9


def test_a_planted_effect_of_20_points_is_found_and_its_interval_holds_it():
    rng = np.random.default_rng(2)
    found = [compared(rng, {"b": 0.4, "a": 0.6}) for _ in range(200)]
    covered = [one["difference"]["low"] <= 0.2 <= one["difference"]["high"] for one in found]
    as_rliable = [one["difference"]["stratified"][0] <= 0.2 <= one["difference"]["stratified"][1] for one in found]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.046)  # three standard errors; 0.94 was measured
    assert np.mean(as_rliable) < 0.9  # one policy plays all curves: why the verdict is not rliable's interval
    assert np.mean([one["verdict"] == "better" for one in found]) > 0.75
    named = [one["sentence"] for one in found if one["verdict"] == "better"]
    assert all(said.startswith("a is better than b by ") for said in named)


@pytest.mark.parametrize(("success", "caution"), [(0.0, "neither can do the task"), (1.0, "both do nearly everything")])
def test_a_tie_at_the_end_of_the_scale_is_told_with_caution(success, caution):
    one = compared(np.random.default_rng(3), {"b": success, "a": success}, episodes=50, between=0.0)
    assert one["verdict"] == "tie"
    assert f"; {caution}" in one["sentence"]


def test_three_seeds_are_a_smoke_test_even_with_60_points():
    one = compared(np.random.default_rng(3), {"b": 0.2, "a": 0.8}, seeds=3)
    assert one["verdict"] == "not enough episodes"
    assert one["sentence"].startswith("a against b is a smoke test: ")


def test_a_planted_leak_is_not_held_out():
    success = {"clean": 0.4, "leaky": 0.6}
    runs = [run_of("clean"), run_of("leaky"), run_of("leaky", 1, leaks=["curriculum.jsonl: it said 'thick fog'"])]
    results = analyze(planted(np.random.default_rng(4), success), runs, plan=plan_of(success))
    clean, leaky = results["conditions"]
    assert (clean["held_out"], leaky["held_out"]) == (True, False)
    assert leaky["leaks"] == ["curriculum.jsonl: it said 'thick fog'"]
    assert results["comparisons"][0]["sentence"].endswith("; not held out: leaky trained on what the suite asks")


def test_a_run_that_nobody_checked_is_not_held_out():
    success = {"b": 0.4, "a": 0.6, "oracle": 0.9}
    results = analyze(planted(np.random.default_rng(4), success), [run_of("b")], plan=plan_of(success))
    assert [one["held_out"] for one in results["conditions"]] == [True, False, True]


def test_the_same_table_in_any_form_gives_the_same_bytes():
    success = {"b": 0.4, "a": 0.6}
    table = pa.table(planted(np.random.default_rng(5), success, episodes=3, curves=3))
    runs = [run_of(name, learning=[{"env_steps": n, "success": [n > 1]} for n in range(4)]) for name in success]
    written = [
        json.dumps(analyze(one, runs, plan=plan_of(success))) for one in (table, table.to_pylist(), table.to_pydict())
    ]
    assert written[0] == written[1] == written[2]


def test_an_area_is_that_of_the_core_and_counts_the_nominal_episodes_of_its_world():
    table = planted(np.random.default_rng(6), {"a": 0.5}, seeds=1, curves=3)
    scores = scores_of(columns_of(table), "a")
    for index, curve in enumerate(scores.curves):
        cells = []
        for intensity in INTENSITIES:
            home = curve if intensity else "mixed"
            good = table["success"][(table["curve"] == home) & (table["intensity"] == intensity)]
            cells.append(CellResult(curve, intensity, tuple(range(len(good))), tuple(good.tolist())))
        assert scores.auc[0, index] == pytest.approx(robustness_auc(cells, curve)["value"])


def test_another_renderer_keeps_its_own_nominal_episodes():
    rows = [
        {
            "condition": "a",
            "kind": "recipe",
            "seed": 0,
            "curve": curve,
            "intensity": intensity,
            "episode": 0,
            "success": good,
        }
        for curve, intensity, good in (
            ("fog", 1.0, True),
            ("mixed", 0.0, True),
            ("mixed", 1.0, False),
            ("mixed-pbr", 0.0, False),
            ("mixed-pbr", 1.0, False),
        )
    ]
    assert scores_of(columns_of(rows), "a").auc.tolist() == [[1.0, 0.5, 0.0]]


def test_the_error_of_episodes_is_the_spread_of_replayed_tables():
    rng = np.random.default_rng(7)
    tables = [planted(rng, {"a": 0.5}, seeds=2, curves=3, episodes=6, between=0.0) for _ in range(300)]
    scores = [scores_of(columns_of(table), "a") for table in tables]
    spread = np.std([one.auc.mean() for one in scores])
    assert np.mean([one.episode_error() for one in scores]) == pytest.approx(spread, rel=0.15)
    assert scores[0].pick(scores[0].seeds, ["axis-2", "axis-1"]).episode_error() > scores[0].episode_error()


def test_a_seed_that_is_not_finished_does_not_count():
    table = planted(np.random.default_rng(8), {"b": 0.4, "a": 0.6})
    late = (table["condition"] == "a") & (table["seed"] == 4) & (table["curve"] == "mixed") & (table["intensity"] == 1)
    results = analyze({key: values[~late] for key, values in table.items()}, [], plan=plan_of({"b": 0, "a": 0}))
    assert results["conditions"][1]["seeds"] == [0, 1, 2, 3]
    assert results["comparisons"][0]["difference"]["n"] == 4


def test_conditions_without_a_common_seed_are_not_compared():
    table = planted(np.random.default_rng(8), {"b": 0.4, "a": 0.6})
    odd = table["seed"] % 2 == (table["condition"] == "a")
    (one,) = analyze({key: values[odd] for key, values in table.items()}, [], plan=plan_of({"b": 0, "a": 0}))[
        "comparisons"
    ]
    assert (one["verdict"], one["difference"]["value"]) == ("not enough episodes", None)


def test_a_table_with_an_episode_twice_is_refused():
    rows = pa.table(planted(np.random.default_rng(9), {"a": 0.5}, seeds=1, curves=2, episodes=2)).to_pylist()
    with pytest.raises(
        AdversarlError, match=r"appears twice: condition a, seed 0, curve mixed, intensity 0[.]5, episode 1"
    ):
        analyze([*rows, rows[3]], [], plan={})
    with pytest.raises(AdversarlError, match="table is empty"):
        analyze([], [], plan={})


def test_recipes_meet_each_other_and_every_control_that_trains():
    recipes, controls = ("baseline", "static", "adaptive"), ("no-dr", "random-prompts", "warm-start", "oracle")
    found = list(pairs(dict.fromkeys(recipes, "recipe") | dict.fromkeys(controls, "control")))
    assert found[:3] == [("static", "baseline"), ("adaptive", "baseline"), ("adaptive", "static")]
    assert found[3:6] == [(name, "no-dr") for name in recipes]
    assert found[6:] == [("random-prompts", "baseline"), ("static", "random-prompts"), ("adaptive", "random-prompts")]


def test_a_winner_that_a_correction_takes_away_says_so():
    success = {name: 0.5 for name in "abcde"} | {"best": 0.62}
    results = analyze(
        planted(np.random.default_rng(10), success), [run_of(name) for name in success], plan=plan_of(success)
    )
    uncorrected = [
        one for one in results["comparisons"] if one["verdict"] in ("better", "worse") and one["p_holm"] >= 0.05
    ]
    assert uncorrected
    for one in uncorrected:
        assert f"; not after Holm's correction for 15 comparisons, p = {one['p_holm']:.2g}" in one["sentence"]


def test_what_prompts_did_is_told_against_clean_episodes():
    told = {
        "nominal": {"n": 50, "successes": 40},
        "prompts": [{"text": "fog", "n": 20, "successes": 4}],
        "different": 1,
    }
    runs = [run_of("a", seed, prompts=told) for seed in range(2)]
    (one,) = analyze(planted(np.random.default_rng(11), {"a": 0.5}), runs, plan={})["prompts"]["a"]
    assert (one["text"], one["n"], one["success"], one["effect"]) == ("fog", 40, 0.2, -0.6)
    assert one["low"] < 0.2 < one["high"]


def test_facts_of_runs_are_averaged_and_what_is_unknown_is_null():
    learning = [{"env_steps": n, "success": [n >= 100, True]} for n in (0, 100, 200)]
    runs = [
        run_of("a", seed, env_steps=1000, wall_clock_s=10.0 + seed, cost_usd=None, learning=learning)
        for seed in range(2)
    ]
    results = analyze(planted(np.random.default_rng(12), {"a": 0.5}), runs, plan={"seeds": [0, 1]}, threshold=0.9)
    (one,) = results["conditions"]
    assert (one["env_steps"], one["wall_clock_s"], one["cost_usd"]) == (1000, 10.5, None)
    assert [point["value"] for point in one["learning"]] == [0.5, 1.0, 1.0]
    assert one["steps_to_threshold"]["each"] == [100.0, 100.0]
    assert len(one["profile"]["tau"]) == len(one["profile"]["low"]) == 51
