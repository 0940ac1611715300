"""Plays the episodes of a calibration and asks the classifiers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.interfaces.failure import FailureClassifier
from adversarl.interfaces.learner import Learner
from adversarl.interfaces.trials import Outcome, Services, Trial
from adversarl.seeding import generator
from adversarl.trials import SideTrials
from adversarl.types import Axis, Episode, FailureReport
from adversarl_failures.calibration.design import Design, Injected
from adversarl_failures.calibration.policy import BlindPolicy, Causes, SeededWorld

MakeWorld = Callable[[int], PerturbableVectorEnv]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a classifier made of one trial.

    Attributes:
        injected: The truth.
        blamed: Axes of its failure modes, worst first, each once.
        env_steps: Environment steps that it asked for.
    """

    injected: Injected
    blamed: tuple[str, ...]
    env_steps: int


class Harness:
    """Side trials in which a policy with known causes plays; its worlds serve all trials.

    Args:
        make_world: Makes a world with so many environments.
        num_envs: Environments of the world that plays many episodes.
        design: What is played.
        group: Axes of this group are injected and varied.
    """

    def __init__(self, make_world: MakeWorld, num_envs: int, design: Design, group: str) -> None:
        self._worlds: dict[int, SeededWorld] = {}
        self._make_world, self.design = make_world, design
        self.trials = SideTrials(self._world, num_envs)
        self.axes: tuple[Axis, ...] = self.trials.world.axes
        self.varied = [axis for axis in self.axes if axis.group == group]
        self.task = self.trials.world.task

    def _world(self, num_envs: int) -> PerturbableVectorEnv:
        self._worlds[num_envs] = SeededWorld(self._make_world(num_envs), self.design.limit)
        return cast("PerturbableVectorEnv", self._worlds[num_envs])

    def verdicts(self, injected: Injected, classifiers: Mapping[str, type[FailureClassifier]]) -> dict[str, Verdict]:
        """One trial, judged by every classifier on the same episodes."""
        traces = any(classifier.traces for classifier in classifiers.values())
        played, outcomes = self.play(injected, traces=traces)
        return {name: self._judge(one, injected, played, outcomes) for name, one in classifiers.items()}

    def play(self, injected: Injected, *, traces: bool) -> tuple[list[Trial], list[Outcome]]:
        """The episodes of one trial."""
        rng = generator(self.design.seed, "episodes", *injected.seed)
        companions = [axis for axis in self.varied if axis.name in injected.companions]
        trials = [self.design.mixture.trial(self.varied, rng, companions) for _ in range(self.design.episodes)]
        self._prepare(injected.causes)
        return trials, self.trials.play(trials, trace=traces)

    def _prepare(self, causes: Causes) -> None:
        self.trials.learner = cast("Learner", BlindPolicy(self._worlds, causes, self.design.base))

    def _judge(
        self,
        classifier: type[FailureClassifier],
        injected: Injected,
        trials: Sequence[Trial],
        outcomes: Sequence[Outcome],
    ) -> Verdict:
        steps = self.trials.env_steps
        with _connected(classifier, self.axes, self.trials) as judge:
            report = _last_report(judge, trials, outcomes)
        blamed = tuple(dict.fromkeys(mode.axis for mode in report.modes))
        return Verdict(injected, blamed, self.trials.env_steps - steps)

    def close(self) -> None:
        """Closes the worlds."""
        self.trials.close()


@contextmanager
def _connected(
    classifier: type[FailureClassifier], axes: Sequence[Axis], trials: SideTrials
) -> Iterator[FailureClassifier]:
    made = classifier(classifier.Options.model_validate({}), axes)
    made.connect(Services(trials))
    try:
        yield made
    finally:
        made.close()


def _last_report(judge: FailureClassifier, trials: Sequence[Trial], outcomes: Sequence[Outcome]) -> FailureReport:
    """Lets a classifier watch and report as the closed loop does; the report after the last episode counts."""
    env_steps, report, last = 0, None, len(trials)
    for index, (trial, outcome) in enumerate(zip(trials, outcomes, strict=True)):
        env_steps += outcome.length
        episode = _episode(index, trial, outcome, env_steps)
        if judge.traces and outcome.trace is not None:
            judge.watch(episode, outcome.trace)
        judge.observe(episode)
        if (index + 1) % judge.options.report_every == 0 or index + 1 == last:
            report = judge.report()
    assert report is not None
    return report


def _episode(index: int, trial: Trial, outcome: Outcome, env_steps: int) -> Episode:
    """The record that the closed loop would make; of what was to come later, only what came."""
    return Episode(
        index=index,
        env=0,
        seed=trial.seed,
        env_steps=env_steps,
        length=outcome.length,
        total_reward=outcome.total_reward,
        success=outcome.success,
        truncated=not outcome.success,
        clean=not trial.perturbations,
        perturbations=tuple(p for p in trial.perturbations if p.onset < outcome.length),
    )
