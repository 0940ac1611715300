"""The trials of a calibration, dealt to processes; each trial is drawn from its own names, so their number is free."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from adversarl.errors import UnknownComponent
from adversarl.interfaces.failure import FailureClassifier
from adversarl.plugins import build_plugin_manager
from adversarl_failures.calibration.design import Design, Injected
from adversarl_failures.calibration.harness import Harness, Verdict

NUM_ENVS = 4
WORLDS: dict[str, dict[str, Any]] = {
    "mujoco": {"task": "reach", "image_size": 16, "threads": 1},
    "point-mass": {"image_size": 8},
}
"""Keys of the backends: the shortest task and the smallest pictures, since nobody looks at them."""

OnTrial = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Setup:
    """What a process must know.

    Attributes:
        backend: Name of the backend.
        group: Axes of this group are injected and varied.
        classifiers: Names of those that judge.
        design: What is played.
    """

    backend: str
    group: str
    classifiers: tuple[str, ...]
    design: Design

    def harness(self) -> Harness:
        """Makes the worlds.

        Raises:
            UnknownComponent: No such backend, or the world has no axis of the group.
        """
        backend = build_plugin_manager().registry.get("backend", self.backend, "--backend").load()
        options = backend.Options.model_validate({"num_envs": NUM_ENVS} | WORLDS.get(self.backend, {}))
        recipe = backend(options)
        harness = Harness(lambda n: recipe.make(seed=self.design.seed, num_envs=n), NUM_ENVS, self.design, self.group)
        if not harness.varied:
            groups = dict.fromkeys(axis.group for axis in harness.axes)
            harness.close()
            raise UnknownComponent("group of axes", self.group, groups, "--group")
        return harness

    def loaded(self) -> dict[str, type[FailureClassifier]]:
        """The classifiers."""
        registry = build_plugin_manager().registry
        return {name: registry.get("failure", name, "--classifier").load() for name in self.classifiers}


class _Worker:
    """One process' worlds."""

    def __init__(self, setup: Setup) -> None:
        self.harness, self.classifiers = setup.harness(), setup.loaded()

    def judge(self, injected: Injected) -> dict[str, Verdict]:
        return self.harness.verdicts(injected, self.classifiers)


_workers: list[_Worker] = []
"""The worker of this process, if it is one."""


def _begin(setup: Setup) -> None:
    _workers.append(_Worker(setup))


def _judge(injected: Injected) -> dict[str, Verdict]:
    return _workers[0].judge(injected)


def measure(setup: Setup, injected: list[Injected], jobs: int, on_trial: OnTrial) -> dict[str, list[Verdict]]:
    """Plays and judges trials.

    Args:
        setup: What is measured.
        injected: The trials, see `Design.injected`.
        jobs: Processes; 1 takes this one.
        on_trial: Called with (finished, total) after each.

    Returns:
        For each classifier its verdicts, in the order of the trials.
    """
    found: dict[str, list[Verdict]] = {name: [] for name in setup.classifiers}

    def note(one: dict[str, Verdict]) -> None:
        for name, verdict in one.items():
            found[name].append(verdict)
        on_trial(len(found[setup.classifiers[0]]), len(injected))

    if jobs == 1:
        worker = _Worker(setup)
        with closing(worker.harness):
            for one in injected:
                note(worker.judge(one))
        return found
    # A fresh interpreter: an OpenGL context does not survive a fork.
    with ProcessPoolExecutor(jobs, get_context("spawn"), _begin, (setup,)) as pool:
        for verdicts in pool.map(_judge, injected):
            note(verdicts)
    return found
