"""What nobody can solve is counted, journalled, proposed anew, and not trained on."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from adversarl.builtin.point_mass_world import PointMassWorld
from adversarl.errors import NoPlayer
from adversarl.guard import Guard
from adversarl.interfaces.backend import PerturbableVectorEnv
from adversarl.interfaces.curriculum import CurriculumOptions
from adversarl.interfaces.trials import Trial
from adversarl.testing.fakes import make_trials
from adversarl.types import Perturbation, Proposal

IMPOSSIBLE = Proposal("make the dot heavier at 100 %", "it takes longer than an episode lasts")
EASY = Proposal("dim the light at 50 %", "anybody can")


class Alternating:
    """Asks for the impossible first and for the easy when that was refused."""

    def __init__(self, bench, never_learns=False):
        self.refused = []
        curriculum = bench.curriculum
        curriculum.proposals = (IMPOSSIBLE,)

        def refuse(slot):
            self.refused.append(slot)
            curriculum.proposals = (IMPOSSIBLE,) if never_learns else (EASY,)

        curriculum.refuse = refuse


@pytest.fixture
def guarded(make_bench):
    """A loop whose teacher cannot reach the goal in time with a heavy dot, and can otherwise."""

    def make(**options):
        bench = make_bench(max_episode_steps=12, **options)
        curriculum = bench.curriculum
        curriculum.options = CurriculumOptions(clean_share=0.0, guard="teacher")
        bench.loop._planning.guard = Guard("teacher", 3, bench.loop.parts.trials)
        return bench

    return make


def test_the_teacher_decides_what_is_solvable():
    trials = make_trials(2, max_episode_steps=12)
    guard = Guard("teacher", 3, trials)
    heavy = (Perturbation("mass", 1.0),)
    proposed = [Trial(seed, heavy) for seed in range(6)] + [Trial(0)]
    solved = [o.success for o in trials.play(proposed, "teacher")]
    assert False in solved
    assert guard.solvable(proposed) == [*solved[:6], True]
    assert (guard.tried, guard.unsolvable) == (6, solved[:6].count(False))
    trials.close()


def test_without_a_guard_nothing_is_tried():
    trials = make_trials(2)
    guard = Guard("none", 3, trials)
    assert guard.solvable([Trial(0, (Perturbation("mass", 1.0),))]) == [True]
    assert (trials.env_steps, guard.scalars()) == (0, {})


def test_a_world_without_a_teacher_is_an_error_that_names_the_guard(monkeypatch):
    monkeypatch.setattr(PointMassWorld, "teacher", PerturbableVectorEnv.teacher)
    trials = make_trials(2)
    with pytest.raises(NoPlayer, match=r'no scripted teacher in this world .* Set curriculum\.guard to "none", or to'):
        Guard("teacher", 3, trials).solvable([Trial(0, (Perturbation("mass", 1.0),))])
    trials.close()


def test_a_refused_proposal_is_told_counted_and_replaced(guarded):
    bench = guarded()
    alternating = Alternating(bench)
    bench.loop.reset(seed=1)
    refused = bench.heard.refused
    assert len(refused) == len(alternating.refused) >= 1
    assert {(entry.proposal, player) for _, entry, player in refused} == {(IMPOSSIBLE, "teacher")}
    assert bench.loop.scalars()["curriculum/guard_unsolvable"] == len(refused)
    assert all({p.axis for p in active} <= {"brightness", "mass"} for active in bench.loop.world.active([0, 1]))
    assert bench.loop.trial_env_steps > 0
    assert bench.heard.proposals.count(IMPOSSIBLE) == 2 - len(refused)


def test_after_as_many_refusals_as_it_may_take_an_episode_is_nominal(guarded):
    bench = guarded()
    Alternating(bench, never_learns=True)
    bench.loop.parts.trials.close()
    bench.loop.reset(seed=1)
    bench.play(12)
    episodes = [episode for episode, _, _ in bench.heard.refused]
    given_up = {index for index in episodes if episodes.count(index) == 3}
    left = [e.perturbations for e in bench.heard.episodes if e.index in given_up]
    assert left
    assert set(left) == {()}


def test_what_is_trained_on_can_be_solved(guarded):
    bench = guarded()
    Alternating(bench)
    bench.loop.reset(seed=1)
    while len(bench.heard.episodes) < 10:
        bench.loop.step(bench.loop.teacher(range(2)))
    assert all(e.success for e in bench.heard.episodes if e.perturbations)


def test_the_counts_of_guard_and_trials_survive_a_resume(guarded):
    bench, other = guarded(), guarded(seed=9)
    Alternating(bench, never_learns=True)
    bench.loop.reset(seed=1)
    bench.play(13)
    saved = pickle.loads(pickle.dumps(bench.loop.snapshot()))
    other.loop.rewind(saved)
    assert other.loop.scalars() == bench.loop.scalars()
    assert other.loop.trial_env_steps == bench.loop.trial_env_steps > 0


def test_a_proposal_may_repeat_an_episode(make_bench):
    bench = make_bench(Proposal(EASY.text, "again", seed=77), max_episode_steps=3)
    first, _ = bench.loop.reset(seed=0)
    bench.play(3)
    assert [e.seed for e in bench.heard.episodes] == [77, 77]
    assert np.array_equal(first["image"][0], first["image"][1])


def test_a_grounding_is_repeated_as_it_stands(make_bench):
    bench = make_bench(Proposal("recolor the background at 70 % please", "", onset=1), max_episode_steps=3)
    bench.loop.reset(seed=0)
    bench.play(3)
    _, _, entry = bench.heard.in_force[0]
    known = bench.loop.world.ground(entry.proposal.text)
    from dataclasses import replace

    logged = replace(known, perturbations=entry.perturbations)
    again = make_bench(replace(entry.proposal, grounding=logged), max_episode_steps=3, seed=5)
    again.loop.reset(seed=8)
    again.play(3)
    _, _, repeated = again.heard.in_force[0]
    assert repeated.perturbations == entry.perturbations
    assert repeated.not_understood == entry.not_understood
