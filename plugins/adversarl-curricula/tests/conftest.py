from collections.abc import Callable

import numpy as np
import pluggy
import pytest
from adversarl_curricula.rules import Rules

from adversarl import hooks
from adversarl.builtin.nothing import NoFailure
from adversarl.builtin.state import StateReward
from adversarl.interfaces.curriculum import CurriculumStrategy, Slot, World
from adversarl.loop import EMPTY, STREAMS, ClosedLoop
from adversarl.parts import Detectors, Parts
from adversarl.seeding import generator
from adversarl.testing.fakes import about, make_learner, make_trials, make_world
from adversarl.types import Episode, FailureReport, Perturbation, Proposal

Outcome = Callable[[dict[str, float]], bool]


@pytest.fixture
def world() -> World:
    return about(make_world())


@pytest.fixture
def closed_loop() -> Callable[..., ClosedLoop]:
    def make(cls: type[CurriculumStrategy], seed: int = 0, **options: object) -> ClosedLoop:
        worlds = make_world(3, seed=seed)
        streams = {name: generator(seed, name) for name in STREAMS}
        manager = pluggy.PluginManager("adversarl")
        manager.add_hookspecs(hooks)
        parts = Parts(
            worlds,
            Detectors(StateReward(StateReward.Options())),
            NoFailure(NoFailure.Options.model_validate({}), worlds.axes),
            cls(cls.Options.model_validate(options), about(worlds), streams["curriculum"]),
            make_trials(3, seed=seed),
        )
        loop = ClosedLoop(parts, manager.hook, seed=seed, streams=streams)
        if not parts.curriculum.values:  # Scores that need a critic get a learner that has one from their tests.
            loop.connect(make_learner(loop))
        return loop

    return make


class Player:
    """Plays episodes of a curriculum with a policy that is given as a function of the intensities in force."""

    def __init__(self, world: World, seed: int = 0, **options: object) -> None:
        self.world = world
        self.rules = Rules(Rules.Options.model_validate(options), world, np.random.default_rng(seed))
        self.index = 0

    def play(self, outcome: Outcome, report: FailureReport = EMPTY) -> tuple[Proposal, ...]:
        """One episode of 20 control steps; returns what was proposed."""
        slot = Slot(self.index % 4, self.index, 20 * self.index)
        proposals = tuple(self.rules.propose(slot, report))
        seen = [p for proposal in proposals for p in self.world.ground(proposal.text).perturbations]
        highest = {p.axis: p.intensity for p in sorted(seen, key=lambda p: p.intensity)}
        self.rules.observe(self._episode(slot, outcome(highest), tuple(seen)))
        self.index += 1
        return proposals

    @staticmethod
    def _episode(slot: Slot, success: bool, seen: tuple[Perturbation, ...]) -> Episode:
        return Episode(
            index=slot.episode,
            env=slot.env,
            seed=slot.episode,
            env_steps=slot.env_steps,
            length=20,
            total_reward=float(success),
            success=success,
            truncated=not success,
            perturbations=seen,
        )


@pytest.fixture
def player(world: World) -> Callable[..., Player]:
    return lambda **options: Player(world, **options)
