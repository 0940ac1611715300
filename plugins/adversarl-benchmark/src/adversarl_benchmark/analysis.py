"""From the results table and the facts about runs to everything that a report shows; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from adversarl.metrics import wilson
from adversarl.seeding import generator
from adversarl.types import Rate
from adversarl_benchmark import statistics
from adversarl_benchmark.aggregate import Scores, columns_of, in_order, scores_of, success_over_seeds
from adversarl_benchmark.statistics import DRAWS, METRICS, Estimate, aggregate, iqm, tidy
from adversarl_benchmark.survival import sample_efficiency, steps_to
from adversarl_benchmark.verdicts import MARGIN, difference, holm, needed, sentence, verdict

TAUS = np.round(np.linspace(0.0, 1.0, 51), 2)
"""Thresholds of performance profiles."""
PROMPTS = 20
ORACLE, WARM_START, RANDOM, BASELINE = "oracle", "warm-start", "random-prompts", "baseline"
METHODS = {
    "interval": "Student's t over whole seeds with the jackknife's error, never narrower than the episodes alone allow",
    "stratified": f"percentile bootstrap of seeds within curves, as rliable, {DRAWS} draws; here too narrow",
    "auc": "mean success over the intensities of a curve; aggregated as the interquartile mean over seeds x curves",
    "steps_to_threshold": "first evaluation at or above the threshold that the next one confirms, right-censored",
    "correction": "intervals and verdicts are uncorrected; p_holm is corrected for all comparisons of this table",
}
Run = Mapping[str, Any]


def analyze(
    rows: Any,
    runs: Sequence[Run],
    *,
    plan: Mapping[str, Any],
    threshold: float = 0.5,
    margin: float = MARGIN,
    visual_distance: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Results of a benchmark, the contents of ``results.json``.

    The same arguments give the same result to the last digit.

    Args:
        rows: The results table: a pyarrow table, a list of rows or a mapping of columns.
        runs: Facts about every run: ``condition``, ``kind``, ``seed``, ``env_steps``, ``warm_start_env_steps``,
            ``trial_env_steps``, ``set_up_time_s``, ``wall_clock_s``, ``cost_usd``, ``hand_written_lines``, ``leaks``,
            ``learning`` and ``prompts``, see `collect.facts_of`; what is missing is unknown.
        plan: ``name``, ``suite``, ``command``, ``created`` (or ``started``), ``provenance``, ``seeds``, ``conditions``.
        threshold: Success that sample efficiency counts steps to, in [0, 1].
        margin: Smallest effect of interest, in [0, 1].
        visual_distance: Passed on.

    Raises:
        AdversarlError: The table is empty, or has an episode twice.
    """
    columns = columns_of(rows)
    order = [one["name"] for one in plan.get("conditions", ())]
    present = in_order(columns["condition"])
    names = [name for name in order if name in present] + sorted(set(present) - set(order))
    scores = {name: scores_of(columns, name) for name in names}
    kinds = {name: str(columns["kind"][columns["condition"] == name][0]) for name in names}
    by_name = {name: sorted((run for run in runs if run["condition"] == name), key=_seed) for name in names}
    held_out = {name: _leaks(name, by_name[name]) == [] for name in names}
    return {
        **{key: plan.get(key) for key in ("name", "suite", "command")},
        "created": plan.get("created", plan.get("started")),
        "provenance": dict(plan.get("provenance", {})),
        "seeds": list(plan.get("seeds", sorted(in_order(columns["seed"])))),
        "episodes": max(int(one.episodes.max(initial=0)) for one in scores.values()),
        "intensities": sorted(in_order(columns["intensity"])),
        "curves": in_order(columns["curve"]),
        "threshold": threshold,
        "margin": margin,
        "methods": METHODS,
        "conditions": [_condition(name, kinds[name], scores[name], by_name[name], threshold) for name in names],
        "comparisons": _comparisons(list(pairs(kinds)), scores, held_out, margin),
        "visual_distance": visual_distance,
        "prompts": {name: told for name in names if (told := _prompts(by_name[name]))},
    }


def pairs(kinds: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What is compared: recipes among each other and with all controls but `ORACLE` and `WARM_START`, which are shown.

    Args:
        kinds: ``recipe`` or ``control`` by the conditions' names, in order.
    """
    recipes = [name for name, kind in kinds.items() if kind == "recipe"]
    for first, second in combinations(recipes, 2):
        yield second, first
    for control in (name for name, kind in kinds.items() if kind != "recipe" and name not in (ORACLE, WARM_START)):
        for recipe in recipes:
            yield (control, recipe) if (control, recipe) == (RANDOM, BASELINE) else (recipe, control)


def _condition(name: str, kind: str, scores: Scores, runs: Sequence[Run], threshold: float) -> dict[str, Any]:
    leaks = _leaks(name, runs)
    return {
        "name": name,
        "kind": kind,
        "seeds": list(scores.seeds),
        **{key: _mean(runs, key) for key in ("env_steps", "warm_start_env_steps", "trial_env_steps")},
        "held_out": not leaks,
        "leaks": leaks,
        **_aggregates(name, scores),
        "curves": {curve: _curve(scores, index) for index, curve in enumerate(scores.curves)},
        "auc_by_curve": {curve: _area(scores.pick(scores.seeds, [curve])) for curve in scores.curves},
        "profile": _profile(scores),
        "learning": _learning(runs),
        "steps_to_threshold": _sample_efficiency(name, runs, threshold),
        **{key: _mean(runs, key) for key in ("set_up_time_s", "hand_written_lines", "wall_clock_s", "cost_usd")},
    }


def _aggregates(name: str, scores: Scores) -> dict[str, Any]:
    nothing = Estimate(None, 0.0, 1.0, 0).to_json()
    if not scores.seeds:
        return {**dict.fromkeys(METRICS, nothing), "nominal": nothing}
    area, episodes, nominal = scores.auc, scores.episode_error(), scores.at_nominal()
    found = {key: aggregate(area, metric, episodes=episodes).to_json() for key, metric in METRICS.items()}
    indices = statistics.stratified_indices(len(area), len(scores.curves), DRAWS, generator(0, "auc", name))
    drawn = iqm(statistics.resample(area, indices))
    found["auc"]["stratified"] = _bounds(statistics.percentile_interval(drawn) if len(area) > 1 else None)
    return {**found, "nominal": _area(nominal) if nominal else nothing}


def _area(scores: Scores) -> dict[str, Any]:
    if not scores.seeds:
        return Estimate(None, 0.0, 1.0, 0).to_json()
    return aggregate(scores.auc, statistics.mean, episodes=scores.episode_error()).to_json()


def _curve(scores: Scores, curve: int) -> list[dict[str, Any]]:
    points = []
    for index, intensity in enumerate(scores.intensities):
        episodes = scores.episodes[:, curve, index]
        if episodes.any():
            found = success_over_seeds(scores.successes[:, curve, index].tolist(), episodes.tolist())
            points.append({"intensity": intensity, **found.to_json()})
    return points


def _profile(scores: Scores) -> dict[str, list[float]]:
    if not scores.seeds:
        return {"tau": TAUS.tolist(), "value": [], "low": [], "high": []}
    value = statistics.performance_profile(scores.auc, TAUS)
    half = np.zeros(len(TAUS))
    seeds = len(scores.seeds)
    if seeds > 1:
        error = statistics.jackknife_error(lambda drawn: statistics.performance_profile(drawn, TAUS), scores.auc)
        half = statistics.t95(seeds - 1) * error
    found = {"value": value, "low": np.maximum(0.0, value - half), "high": np.minimum(1.0, value + half)}
    return {"tau": TAUS.tolist(), **{key: [tidy(one) for one in values] for key, values in found.items()}}


def _learning(runs: Sequence[Run]) -> list[dict[str, Any]]:
    points: dict[int, list[list[bool]]] = {}
    for run in runs:
        for point in run.get("learning", ()):
            if point["success"]:
                points.setdefault(point["env_steps"], []).append(point["success"])
    found = []
    for steps, outcomes in sorted(points.items()):
        estimate = success_over_seeds([sum(one) for one in outcomes], [len(one) for one in outcomes])
        found.append({"env_steps": steps, **estimate.to_json(), "n": len(outcomes)})
    return found


def _sample_efficiency(name: str, runs: Sequence[Run], threshold: float) -> dict[str, Any]:
    reached = []
    for run in runs:
        points = sorted((one["env_steps"], one["success"]) for one in run.get("learning", ()) if one["success"])
        if points:
            rates = [sum(success) / len(success) for _, success in points]
            reached.append(steps_to([steps for steps, _ in points], rates, threshold))
    return sample_efficiency(reached, name)


def _comparisons(
    compared: Sequence[tuple[str, str]], scores: Mapping[str, Scores], held_out: Mapping[str, bool], margin: float
) -> list[dict[str, Any]]:
    found = [_compare(a, b, scores[a], scores[b], margin) for a, b in compared]
    for one, p in zip(found, holm([one["p"] for one in found]), strict=True):
        one["p_holm"] = None if p is None else tidy(p)
        one["p"] = None if one["p"] is None else tidy(one["p"])
        if p is not None and p >= 0.05 and one["verdict"] in ("better", "worse"):
            one["sentence"] += f"; not after Holm's correction for {len(found)} comparisons, p = {p:.2g}"
        leaky = [name for name in (one["a"], one["b"]) if not held_out[name]]
        if leaky:
            one["sentence"] += f"; not held out: {' and '.join(leaky)} trained on what the suite asks"
    return found


def _compare(a: str, b: str, first: Scores, second: Scores, margin: float) -> dict[str, Any]:
    seeds = [seed for seed in first.seeds if seed in second.seeds]
    curves = [curve for curve in first.curves if curve in second.curves]
    if not seeds or not curves:
        nothing = Estimate(None, -1.0, 1.0, 0).to_json()
        told = f"not enough episodes to tell {a} from {b}: they share no seed"
        empty = {"probability_of_improvement": {**nothing, "low": 0.0}, "verdict": "not enough episodes"}
        return {"a": a, "b": b, "difference": nothing, "p": None, **empty, "sentence": told, "needed": None}
    one, other = first.pick(seeds, curves), second.pick(seeds, curves)
    episodes = float(np.hypot(one.episode_error(), other.episode_error()))
    gap = difference(one.auc, other.auc, episodes=episodes, name=f"{a}/{b}")
    said = verdict(gap, margin)
    return {
        "a": a,
        "b": b,
        "difference": {**gap.estimate.to_json(), "stratified": _bounds(gap.stratified)},
        "probability_of_improvement": statistics.improvement(one.auc, other.auc).to_json(),
        "p": gap.p,
        "verdict": said,
        "sentence": sentence(a, b, gap, len(curves), margin) + _end_of_scale(one, other, margin),
        "needed": needed(gap, margin) if said == "not enough episodes" else None,
    }


def _end_of_scale(one: Scores, other: Scores, margin: float) -> str:
    """A caution where two conditions can hardly differ, because neither ever succeeds or both always do."""
    areas = [float(iqm(scores.auc)) for scores in (one, other)]
    if max(areas) < margin:
        return "; neither can do the task, which says nothing about how they would compare if they could"
    return "; both do nearly everything, a harder suite could tell them apart" if min(areas) > 1 - margin else ""


def _prompts(runs: Iterable[Run]) -> list[dict[str, Any]]:
    """Success of training's episodes under each prompt, all seeds together; what it did is against clean episodes.

    Descriptive: a prompt that a curriculum said late met a better policy.
    """
    told = [run["prompts"] for run in runs if run.get("prompts")]
    clean = _pooled(one["nominal"] for one in told)
    by_text: dict[str, list[Mapping[str, int]]] = {}
    for prompt in (prompt for one in told for prompt in one["prompts"] if prompt["n"]):
        by_text.setdefault(prompt["text"], []).append(prompt)
    pooled = {text: _pooled(counts) for text, counts in by_text.items()}
    found = []
    for text, rate in sorted(pooled.items(), key=lambda item: (-item[1].n, item[0]))[:PROMPTS]:
        interval = {"success": tidy(rate.value), "low": tidy(rate.low), "high": tidy(rate.high)}
        effect = tidy(rate.value - clean.value) if clean.n else None
        found.append({"text": text, "n": rate.n, **interval, "effect": effect})
    return found


def _pooled(counts: Iterable[Mapping[str, int]]) -> Rate:
    together = [(one["successes"], one["n"]) for one in counts]
    return wilson(sum(good for good, _ in together), sum(n for _, n in together))


def _bounds(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else [tidy(bound) for bound in interval]


def _leaks(name: str, runs: Sequence[Run]) -> list[str]:
    if not runs and name != ORACLE:
        return ["no run was checked"]
    return sorted({leak for run in runs for leak in run.get("leaks", ())})


def _mean(runs: Sequence[Run], key: str) -> float | int | None:
    known = [run[key] for run in runs if run.get(key) is not None]
    if not known:
        return None
    average = tidy(float(np.mean(known)))
    return int(average) if average.is_integer() and all(isinstance(one, int) for one in known) else average


def _seed(run: Run) -> int:
    return int(run["seed"])
