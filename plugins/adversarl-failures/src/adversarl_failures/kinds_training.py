"""From a world to a trained model of its kinds of failure, and what the model is worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.rollouts import Act
from adversarl_failures.kinds_episodes import Failure, Failures
from adversarl_failures.kinds_errors import NothingToLearn
from adversarl_failures.kinds_evidence import Evidence, Examples
from adversarl_failures.kinds_figures import figures

if TYPE_CHECKING:
    from adversarl_failures.kinds_model import KindModel

HELD_OUT = 0.25
"""Share of the axes that only the last test has, and of the episodes played under them."""
PARTS = (0.7, 0.85)
"""Where the failures under the other axes are divided: training, validation, test."""
FEWEST = 8
"""Training failures of a kind that can be learnt from; rarer kinds are left out, and counted."""
OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Split:
    """Failures, no two parts of which share a reset seed.

    Attributes:
        training: To fit weights to.
        validation: To choose epoch and temperature by.
        test: Under the axes of training.
        test_axes: Under axes that nothing else had.
        axes: Those axes.
    """

    training: list[Failure]
    validation: list[Failure]
    test: list[Failure]
    test_axes: list[Failure]
    axes: tuple[str, ...]


def train(
    world: PerturbableVectorEnv,
    *,
    episodes: int,
    epochs: int,
    seed: int,
    policy: Act | None = None,
    on_progress: OnProgress = lambda phase, done, total: None,
) -> KindModel:
    """Makes failures, fits a model and measures it.

    Args:
        world: Where; it is reset.
        episodes: How many are played; those that succeed teach nothing.
        epochs: Passes over the training failures.
        seed: Of everything.
        policy: A policy whose failures count too.
        on_progress: Called with phase (``episodes``, ``epochs``), how many are done, and how many there will be.

    Raises:
        NoTeacher: The world has none.
        NothingToLearn: The world names no kinds of failure, or there were too few of two of them.
    """
    from adversarl_failures.kinds_model import KindModel, fit

    if not world.failure_kinds:
        raise NothingToLearn(world.task, "this world does not say how an episode failed. Use another backend")
    split = make_failures(world, episodes, np.random.default_rng(seed), policy, on_progress)
    counts = Counter(failure.kind for failure in split.training)
    kinds = tuple(kind for kind in world.failure_kinds if counts[kind] >= FEWEST)
    parts = [as_examples(part, kinds) for part in (split.training, split.validation, split.test, split.test_axes)]
    if len(kinds) < 2 or not all(map(len, parts)):
        seen = ", ".join(f"{n} {kind}" for kind, n in counts.most_common()) or "none"
        raise NothingToLearn(world.task, f"too few failures to learn from: {seen}. Ask for more --episodes")
    network, temperature = fit(
        parts[0],
        parts[1],
        len(kinds),
        epochs=epochs,
        seed=seed,
        on_epoch=lambda done, loss: on_progress("epochs", done, epochs),
    )
    evidence = parts[0].evidence
    image, proprio = evidence.frames.shape[1], evidence.courses.shape[2]
    model = KindModel(network, kinds, world.task, image, proprio, temperature, {})
    about = {"episodes": episodes, "epochs": epochs, "seed": seed, "policy": policy is not None}
    model.figures.update(about | measure(model, split, parts))  # type: ignore[attr-defined]
    return model


def make_failures(
    world: PerturbableVectorEnv,
    episodes: int,
    rng: np.random.Generator,
    policy: Act | None = None,
    on_progress: OnProgress = lambda phase, done, total: None,
) -> Split:
    """Plays episodes and splits their failures by reset seed and by axes."""
    names = [world.axes[i].name for i in rng.permutation(len(world.axes))]
    aside = tuple(names[: max(1, round(HELD_OUT * len(names)))]) if len(names) > 1 else ()
    usual = [name for name in names if name not in aside]
    maker, later = Failures(world, rng, policy), round(HELD_OUT * episodes)
    first = maker.make(episodes - later, usual, lambda done: on_progress("episodes", done, episodes))
    last = maker.make(later, aside, lambda done: on_progress("episodes", episodes - later + done, episodes))
    order = rng.permutation(len(first))
    cuts = [round(share * len(first)) for share in PARTS]
    training, validation, test = ([first[i] for i in part] for part in np.split(order, cuts))
    return Split(training, validation, test, last, tuple(sorted(aside)))


def as_examples(failures: Sequence[Failure], kinds: Sequence[str]) -> Examples:
    """The failures that are of one of the kinds, as arrays."""
    known = [failure for failure in failures if failure.kind in kinds]
    evidence = Evidence(np.array([f.frame for f in known], np.uint8), np.array([f.course for f in known], np.float32))
    labels = np.array([kinds.index(f.kind) for f in known], dtype=np.intp)
    return Examples(evidence, labels, np.array([f.state for f in known], np.float32))


def measure(model: KindModel, split: Split, parts: Sequence[Examples]) -> dict[str, Any]:
    """What a model achieves on the two tests; JSON-ready."""
    usual = int(np.bincount(parts[0].labels, minlength=len(model.kinds)).argmax())
    tests = {
        name: figures(model.kinds, part.labels, model.probabilities(part.evidence), usual)
        for name, part in zip(("same_axes", "held_out_axes"), parts[2:], strict=True)
    }
    everything = (*split.training, *split.validation, *split.test, *split.test_axes)
    return {
        "failures": {kind: n for kind, n in Counter(f.kind for f in everything).most_common()},
        "players": {player: n for player, n in Counter(f.player for f in everything).most_common()},
        "left_out": sorted({f.kind for f in everything} - set(model.kinds)),
        "training": len(parts[0]),
        "validation": len(parts[1]),
        "held_out_axes": list(split.axes),
        "temperature": model.temperature,
        "tests": tests,
    }
