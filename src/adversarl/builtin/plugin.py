"""Registers the built-in components."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adversarl import hookimpl

if TYPE_CHECKING:
    from adversarl.registry import Registrar

HERE = "adversarl.builtin"


@hookimpl
def adversarl_register(add: Registrar) -> None:
    """Adds one component of every kind that a run needs."""
    add.backend("point-mass", f"{HERE}.point_mass:PointMass", "A dot to be moved onto a goal, seen in pixels (numpy)")
    add.reward("state", f"{HERE}.state:StateReward", "The simulator's own reward and success")
    add.failure("none", f"{HERE}.nothing:NoFailure", "Counts successes and blames nothing")
    add.curriculum("none", f"{HERE}.nothing:NoCurriculum", "Leaves the world nominal")
    add.learner("random-search", f"{HERE}.random_search:RandomSearch", "Augmented Random Search (Mania et al. 2018)")
    add.suite("robustness", f"{HERE}.robustness:Robustness", "All axes together at intensities from 0 to 1")
