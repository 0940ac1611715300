"""Does the adversary get better at its own objective than random proposals are? Measured where the truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, sqrt
from typing import Any

import numpy as np

from adversarl.builtin.point_mass import PointMass
from adversarl.interfaces.curriculum import Slot, World
from adversarl.interfaces.trials import Outcome, Player, Services, Trial, Trials
from adversarl.metrics import Z95, wilson
from adversarl.types import Episode, FailureReport, Perturbation
from adversarl_sb3.adversary import Adversary
from adversarl_sb3.adversary_options import AdversaryOptions
from adversarl_sb3.adversary_scores import SCORES, Objective

NUM_ENVS = 8
LENGTH = 20
"""Control steps of every episode; half of the time limit, so that onsets are shares of it."""

NO_REPORT = FailureReport(0, wilson(0, 0), wilson(0, 0))


@dataclass(frozen=True, slots=True)
class Truth:
    """Of one proposal: the protagonist's success rate, and whether anybody can solve it."""

    success: float
    solvable: bool

    def objective(self, objective: Objective) -> float:
        """The expectation of what an adversary with this objective is rewarded with."""
        if objective == "learnability":
            return self.success * (1 - self.success)
        return (1 - self.success) * (self.solvable or objective == "minimax")


class Protagonist(Trials):
    r"""A policy that learns nothing, and the teacher beside it, as formulas.

    For each axis and target the success rate is :math:`\sigma((m - e) / w)` of the intensity e that is left when the
    onset has come, with m drawn from U[0.1, 1.1] and w = 0.08; nobody succeeds beyond m + U[0.1, 0.5]. Rates of axes
    that vary together are multiplied.

    Args:
        rng: Draws the difficulties.
    """

    WIDTH = 0.08

    def __init__(self, world: World, rng: np.random.Generator) -> None:
        keys = [(axis.name, target) for axis in world.axes for target in (axis.targets or (None,))]
        self._defaults = {axis.name: (axis.targets or (None,))[0] for axis in world.axes}
        self._middle = {key: float(rng.uniform(0.1, 1.1)) for key in keys}
        self._limit = {key: self._middle[key] + float(rng.uniform(0.1, 0.5)) for key in keys}
        self.env_steps = 0

    def truth(self, perturbations: Sequence[Perturbation]) -> Truth:
        """What becomes of episodes under these conditions."""
        success, solvable = 1.0, True
        for p in perturbations:
            key = p.axis, p.target or self._defaults[p.axis]
            left = p.intensity * (1 - p.onset / LENGTH)
            success /= 1 + exp((left - self._middle[key]) / self.WIDTH)
            solvable = solvable and left <= self._limit[key]
        return Truth(success * solvable, solvable)

    def play(
        self, trials: Sequence[Trial], player: Player = "policy", *, trace: bool = False, values: bool = False
    ) -> list[Outcome]:
        """The teacher solves what can be solved."""
        del player, trace, values
        self.env_steps += LENGTH * len(trials)
        return [Outcome(self.truth(trial.perturbations).solvable, LENGTH, 0.0) for trial in trials]


def play(adversary: Adversary, protagonist: Protagonist, proposals: int, rng: np.random.Generator) -> list[Truth]:
    """Plays so many proposals; returns the truth about the conditions of every episode, in order.

    Args:
        adversary: What proposes; it learns.
        protagonist: Whose episodes they are.
        proposals: How many, each for `proposal_repeats` episodes.
        rng: Decides how episodes end.
    """
    adversary.connect(Services(protagonist))
    truths, running = list[Truth](), dict[int, Episode]()
    for index in range(proposals * adversary.options.proposal_repeats):
        env = index % NUM_ENVS
        if env in running:
            adversary.observe(running[env])
        perturbations = _conditions(adversary, Slot(env, index, LENGTH * index))
        truths.append(protagonist.truth(perturbations))
        solved = bool(rng.random() < truths[-1].success)
        running[env] = Episode(
            index, env, index, LENGTH * index, LENGTH, float(solved), solved, not solved, perturbations=perturbations
        )
    return truths


def _conditions(adversary: Adversary, slot: Slot) -> tuple[Perturbation, ...]:
    (proposal,) = adversary.propose(slot, NO_REPORT)
    given = proposal.perturbations
    meant = adversary.world.ground(proposal.text).perturbations if given is None else given
    waits = {axis.name: axis.mid_episode for axis in adversary.world.axes}
    return tuple(
        Perturbation(p.axis, p.intensity, p.target, onset=proposal.onset if waits[p.axis] else 0) for p in meant
    )


def compare(objective: Objective, seed: int, proposals: int = 600, **options: Any) -> dict[str, float]:
    """One seed: what an adversary proposes in the last quarter, beside what one without a policy does.

    Args:
        objective: The objective.
        seed: Of difficulties, of outcomes and of both adversaries.
        proposals: How many each of them makes.
        **options: More keys of `AdversaryOptions`.

    Returns:
        The true objective of the ``adversary`` and of ``uniform`` proposals, and of the adversary's conditions the mean
        ``success`` rate, the share that is ``impossible`` and the share whose success is between 1/4 and 3/4
        (``uncertain``).
    """
    share = options.pop("uniform_share", 0.2)
    last = _last(objective, seed, proposals, proposals // 4, {**options, "uniform_share": share})
    uniform = _last(objective, seed, proposals // 4, proposals // 4, {**options, "uniform_share": 1.0})
    return {
        "adversary": float(np.mean([truth.objective(objective) for truth in last])),
        "uniform": float(np.mean([truth.objective(objective) for truth in uniform])),
        "success": float(np.mean([truth.success for truth in last])),
        "impossible": float(np.mean([not truth.solvable for truth in last])),
        "uncertain": float(np.mean([0.25 < truth.success < 0.75 for truth in last])),
    }


def _last(objective: Objective, seed: int, proposals: int, count: int, options: dict[str, Any]) -> list[Truth]:
    """The truth about the episodes of the last `count` proposals."""
    difficulties, outcomes, choices = (np.random.default_rng([seed, stream]) for stream in range(3))
    points = PointMass(PointMass.Options(num_envs=1)).make(seed=0)
    world = World(points.axes, 2 * LENGTH, points.ground)
    adversary = Adversary(AdversaryOptions(objective=objective, **options), world, choices)
    truths = play(adversary, Protagonist(world, difficulties), proposals, outcomes)
    return truths[-count * adversary.options.proposal_repeats :]


def measure(seeds: int = 20, proposals: int = 600, **options: Any) -> dict[str, Any]:
    """Every objective over several seeds, with the gain over uniform proposals and its interval.

    Args:
        seeds: How many, from 0.
        proposals: How many each adversary makes; the last quarter counts.
        **options: More keys of `AdversaryOptions`.
    """
    report: dict[str, Any] = {"seeds": seeds, "proposals": proposals, "objectives": {}}
    for objective in SCORES:
        found = [compare(objective, seed, proposals, **options) for seed in range(seeds)]
        means = {name: float(np.mean([one[name] for one in found])) for name in found[0]}
        gains = [one["adversary"] - one["uniform"] for one in found]
        report["objectives"][objective] = means | {"gain": student(gains), "gains": gains}
    return report


def student(values: Sequence[float]) -> dict[str, float]:
    """A mean with Student's interval at 95 %; at least 4 values.

    The quantile is Abramowitz and Stegun's (1964) expansion 26.7.5 in the reciprocal degrees of freedom, which is
    within 1 % of the truth from 3 of them on.
    """
    n, z = len(values), Z95
    nu = n - 1
    quantile = z + (z**3 + z) / (4 * nu) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * nu**2)
    quantile += (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * nu**3)
    mean, half = float(np.mean(values)), quantile * float(np.std(values, ddof=1)) / sqrt(n)
    return {"value": mean, "n": n, "low": mean - half, "high": mean + half}
