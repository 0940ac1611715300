"""Episodes of synthetic policies, under the ways in which curricula vary the world."""

from collections.abc import Callable

import numpy as np
import pytest
from adversarl_failures.statistics import Statistics

from adversarl.types import Axis, Episode, FailureReport, Perturbation

AXES = tuple(
    Axis(name, "visual", name, "1", "0", "1", "test", f"change the {name}")
    for name in (
        "light", "shadow", "tint", "table-color", "object-color", "table-texture",
        "camera-position", "camera-fov", "occluder", "distractors", "saturation", "hue",
    )
)  # fmt: skip
Draw = Callable[[np.random.Generator], dict[str, float]]
Skill = Callable[[dict[str, float]], float]


def independent(rng: np.random.Generator) -> dict[str, float]:
    """Every axis from U[0, 1], as hand-coded randomization does."""
    return {axis.name: float(rng.uniform(0.01, 1)) for axis in AXES}


def one_at_a_time(rng: np.random.Generator) -> dict[str, float]:
    return {AXES[rng.integers(len(AXES))].name: float(rng.uniform(0.1, 1))}


def mixed(rng: np.random.Generator) -> dict[str, float]:
    """All axes at one intensity in six of ten episodes, a few or one otherwise, as adaptive curricula do."""
    u = rng.random()
    if u < 0.6:
        return dict.fromkeys((axis.name for axis in AXES), float(rng.uniform(0.05, 1)))
    count = 1 if u < 0.85 else int(rng.integers(2, 5))
    return {AXES[i].name: float(rng.uniform(0.1, 1)) for i in rng.choice(len(AXES), count, replace=False)}


def played(n: int, draw: Draw, skill: Skill, seed: int = 0) -> list[Episode]:
    """Episodes of a policy that succeeds with probability skill(intensities); one in ten is clean."""
    rng = np.random.default_rng(seed)
    episodes = []
    for index in range(n):
        clean = bool(rng.random() < 0.1)
        met = {} if clean else draw(rng)
        success = bool(rng.random() < skill(met))
        episodes.append(episode(index, success, clean=clean, perturbations=perturbations(met)))
    return episodes


def perturbations(met: dict[str, float]) -> tuple[Perturbation, ...]:
    return tuple(Perturbation(name, intensity) for name, intensity in met.items())


def episode(index: int, success: bool, **more: object) -> Episode:
    return Episode(index, 0, index, 20 * index, 20, float(success), success, not success, **more)


CURRICULA = {"independent": independent, "one at a time": one_at_a_time, "mixed": mixed}


class Kit:
    """What tests make episodes and reports with."""

    axes = AXES
    curricula = CURRICULA
    episode = staticmethod(episode)
    played = staticmethod(played)
    perturbations = staticmethod(perturbations)

    @staticmethod
    def classifier(episodes: list[Episode], **options: object) -> Statistics:
        """A classifier that has seen these episodes."""
        classifier = Statistics(Statistics.Options.model_validate(options), AXES)
        for one in episodes:
            classifier.observe(one)
        return classifier

    def report(self, episodes: list[Episode], **options: object) -> FailureReport:
        """What it reports on them."""
        return self.classifier(episodes, **options).report()


@pytest.fixture
def kit() -> Kit:
    return Kit()
