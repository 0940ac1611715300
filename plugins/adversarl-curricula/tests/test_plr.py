import json
import pickle
from copy import deepcopy
from dataclasses import replace
from itertools import pairwise, permutations

import numpy as np
import pytest
from adversarl_curricula.levels import Level, LevelBuffer, LevelMaker
from adversarl_curricula.plr import Plr
from adversarl_curricula.scores import (
    discounted_return,
    learnability,
    maximum_monte_carlo,
    positive_value_loss,
    rank_weights,
    replay_weights,
    stale_weights,
)
from pydantic import ValidationError

from adversarl.builtin.random_search import RandomSearch
from adversarl.errors import NoCritic, PerturbationError
from adversarl.interfaces.curriculum import Slot
from adversarl.interfaces.trials import Services, Trace
from adversarl.loop import EMPTY
from adversarl.seeding import generator
from adversarl.testing import checks_for
from adversarl.testing.fakes import about, make_episodes, make_learner, make_loop, make_trials, make_world
from adversarl.types import Perturbation

WORLD = about(make_world())
SCORES = ("learnability", "pvl", "maxmc")


class Circler(RandomSearch):
    """Runs in circles of 0.5 m, which finds some goals and not others, and has a critic that knows where they are."""

    def act(self, observation, *, deterministic=True):
        position = observation["proprio"][:, :2]
        radius = np.linalg.norm(position, axis=1, keepdims=True) + 1e-6
        tangent = np.stack([-position[:, 1], position[:, 0]], axis=1) / radius
        return np.clip(tangent + 4 * (0.5 - radius) * position / radius, -1, 1).astype(np.float32)

    def values(self, observation, state):
        return 1.0 - 2.0 * np.linalg.norm(state[:, :2] - state[:, 4:], axis=1).astype(np.float64)


def circler():
    return Circler(RandomSearch.Options(), make_loop(), generator(0, "learner"))


def make(seed=0, **options):
    return Plr(Plr.Options.model_validate(options), WORLD, np.random.default_rng(seed))


def level(number, score, sampled=0):
    return Level(
        number, "", (Perturbation("mass", 0.5, seed=number),), 0, None, (number,), [0.0], [None], score, sampled
    )


def finished(env, success, **changes):
    return replace(
        make_episodes(2, WORLD.axes)[1], env=env, success=success, truncated=not success, clean=False, **changes
    )


def trace(rewards, values):
    empty = np.zeros((len(rewards), 1), np.float32)
    return Trace(np.zeros((1, 1, 3), np.uint8), empty, empty, np.array(rewards, float), np.array(values, float))


def play(plr, count, success=lambda index: index % 3 == 0, start=0):
    """Plays episodes one after the other; returns what was proposed."""
    proposed = []
    for index in range(start, start + count):
        proposed += plr.propose(Slot(index % 2, index, 20 * index), EMPTY)
        plr.observe(finished(index % 2, success(index)))
    return proposed


def step(loop, steps):
    """Random actions; returns the finished episodes."""
    actions, episodes = np.random.default_rng(steps), []
    observe = loop.parts.curriculum.observe
    loop.parts.curriculum.observe = lambda episode: (episodes.append(episode), observe(episode))
    for _ in range(steps):
        loop.step(actions.uniform(-1, 1, (loop.num_envs, 2)).astype(np.float32))
    del loop.parts.curriculum.observe
    return episodes


def listen(loop):
    """What is played aside from now on."""
    played, really = [], loop.parts.trials.play
    loop.parts.trials.play = lambda trials, **how: (played.append(list(trials)), really(trials, **how))[1]
    return played


def with_circler(loop):
    loop.connect(circler())
    return loop


def test_weights_of_scores_are_ranks_to_the_power_of_minus_one_over_beta():
    total = 1 + 1 / 4 + 1 / 9
    assert rank_weights([0.1, 0.9, 0.3], beta=0.5) == pytest.approx([1 / 9 / total, 1 / total, 1 / 4 / total])
    assert rank_weights([5.0, -2.0], beta=1.0) == pytest.approx([2 / 3, 1 / 3])
    assert rank_weights([0.0], beta=0.1) == pytest.approx([1])


def test_equal_scores_share_what_random_ranks_give_on_average():
    scores, beta = [0.25, 0.0, 0.25, 0.1, 0.25], 0.3
    everything = []
    for order in permutations(range(5)):
        ranked = sorted(range(5), key=lambda index: (-scores[index], order[index]))
        everything.append([(ranked.index(index) + 1) ** (-1 / beta) for index in range(5)])
    mean = np.mean(everything, axis=0)
    assert rank_weights(scores, beta) == pytest.approx(mean / mean.sum())


def test_weights_of_staleness_are_in_proportion_to_what_was_sampled_since():
    assert stale_weights([4, 0, 12]) == pytest.approx([0.25, 0, 0.75])
    assert stale_weights([0, 0]) == pytest.approx([0.5, 0.5])


def test_replays_mix_both_weights_by_rho():
    assert replay_weights([1.0, 2.0], [3, 1], beta=1.0, rho=0.0) == pytest.approx([1 / 3, 2 / 3])
    assert replay_weights([1.0, 2.0], [3, 1], beta=1.0, rho=1.0) == pytest.approx([3 / 4, 1 / 4])
    mixed = [0.6 / 3 + 0.4 * 3 / 4, 0.6 * 2 / 3 + 0.4 / 4]
    assert replay_weights([1.0, 2.0], [3, 1], beta=1.0, rho=0.4) == pytest.approx(mixed)


def test_learnability_is_the_variance_of_a_success():
    assert [learnability([1.0] * k + [0.0] * (4 - k)) for k in range(5)] == [0, 0.1875, 0.25, 0.1875, 0]
    assert learnability([1, 0, 0]) == learnability([1, 1, 0]) == pytest.approx(2 / 9)


def test_positive_value_loss_of_a_computed_example():
    rewards, values = np.array([0.0, 1.0, 2.0]), np.array([1.0, 2.0, 1.0])
    # delta = (0 + .5 * 2 - 1, 1 + .5 * 1 - 2, 2 + .5 * end - 1); gamma lambda = .4
    ended = [0 + 0.4 * (-0.5 + 0.4 * 1), -0.5 + 0.4 * 1, 1.0]
    assert ended == pytest.approx([-0.04, -0.1, 1])
    assert positive_value_loss(rewards, values, 0.0, 0.5, 0.8) == pytest.approx(1 / 3)
    cut = [0.4 * (-0.5 + 0.4 * 1.5), -0.5 + 0.4 * 1.5, 1.5]
    assert positive_value_loss(rewards, values, 1.0, 0.5, 0.8) == pytest.approx(sum(cut) / 3)


def test_maximum_monte_carlo_of_a_computed_example():
    assert discounted_return(np.array([1.0, 2.0, 4.0]), 0.5) == 3
    assert maximum_monte_carlo(3.0, np.array([1.0, 2.0, 6.0])) == pytest.approx((2 + 1 - 3) / 3)


@pytest.mark.parametrize(("truncated", "expected"), [(True, (0.04 + 0.1 + 1.5) / 3), (False, 1 / 3)])
def test_after_a_time_limit_the_last_value_stands_for_the_next(truncated, expected):
    plr = make(score="pvl", robust=False, gamma=0.5, gae_lambda=0.8)
    plr.propose(Slot(0, 0, 0), EMPTY)
    episode = finished(0, not truncated)
    plr.watch(episode, trace([0, 1, 2], [1, 2, 1]))
    plr.observe(episode)
    assert [one.score for one in plr.buffer.levels.values()] == pytest.approx([expected])


def test_maxmc_remembers_the_highest_return_of_each_seed():
    plr = make(score="maxmc", robust=False, gamma=0.5, candidates=1, buffer_size=1, replay_probability=1)
    scores = []
    for rewards in ([0, 4], [0, 2], [8, 0]):
        plr.propose(Slot(0, 0, 0), EMPTY)
        episode = finished(0, True)
        plr.watch(episode, trace(rewards, [1, 0]))
        plr.observe(episode)
        scores += [one.score for one in plr.buffer.levels.values()]
    assert scores == [2 - 0.5, 2 - 0.5, 8 - 0.5]


def test_levels_without_values_keep_their_score():
    plr = make(score="pvl", robust=False, candidates=1, buffer_size=1, replay_probability=1)
    plr.propose(Slot(0, 0, 0), EMPTY)
    plr.observe(finished(0, True))
    (only,) = plr.buffer.levels.values()
    assert only.score == 0
    plr.propose(Slot(0, 1, 0), EMPTY)
    plr.watch(finished(0, True), trace([1], [0.25]))
    plr.observe(finished(0, True))
    assert only.score == 0.75
    plr.propose(Slot(0, 2, 0), EMPTY)
    plr.watch(finished(0, True), replace(trace([1], [0]), values=None))
    plr.observe(finished(0, True))
    assert only.score == 0.75


def test_a_full_buffer_gives_up_the_lowest_score_and_of_equal_ones_the_oldest():
    buffer = LevelBuffer(3, beta=0.3, rho=0.3)
    for number, score in enumerate((0.2, 0.1, 0.1)):
        buffer.insert(level(number, score))
    buffer.insert(level(3, 0.05))
    assert list(buffer.levels) == [0, 1, 2]
    buffer.insert(level(4, 0.1))
    assert list(buffer.levels) == [0, 2, 4]
    buffer.insert(level(5, 0.15))
    assert list(buffer.levels) == [0, 4, 5]


def test_replays_are_drawn_by_the_formula():
    buffer = LevelBuffer(3, beta=0.5, rho=0.4)
    for number, (score, sampled) in enumerate(((0.1, 7), (0.3, 9), (0.2, 0))):
        buffer.insert(level(number, score, sampled))
    ranks, total = (1 / 9, 1, 1 / 4), 1 + 1 / 4 + 1 / 9
    expected = [0.6 * rank / total + 0.4 * age / 14 for rank, age in zip(ranks, (3, 1, 10), strict=True)]
    rng = np.random.default_rng(0)
    drawn = np.bincount([buffer.draw(10, rng).number for _ in range(5000)]) / 5000
    np.testing.assert_allclose(drawn, expected, atol=0.02)


def test_what_was_sampled_last_is_not_stale():
    plr = make(robust=False, candidates=4, trials_per_level=2, rho=1.0, replay_probability=1)
    proposed = play(plr, 60)
    replays = [proposal.perturbations for proposal in proposed if proposal.why.startswith("replayed")]
    assert len(replays) == 60 - 4 * 2
    assert all(one != following for one, following in pairwise(replays))
    assert len(set(replays)) == 4


def test_levels_are_drawn_over_all_axes_intensities_numbers_and_times():
    options = Plr.Options(mid_episode_share=0.5, max_intensity=0.8, max_axes=4)
    maker = LevelMaker(options, WORLD, 3, np.random.default_rng(0))
    levels = [maker.draw(number) for number in range(1500)]
    counts = np.bincount([len(one.perturbations) for one in levels])
    np.testing.assert_allclose(counts[1:] / len(levels), 0.25, atol=0.04)
    intensities = np.array([p.intensity for one in levels for p in one.perturbations])
    assert intensities.max() <= 0.8
    assert intensities.mean() == pytest.approx(0.4, abs=0.02)
    assert {p.axis for one in levels for p in one.perturbations} == {axis.name for axis in WORLD.axes}
    assert len({seed for one in levels for seed in one.seeds}) == 4500
    later = [one for one in levels if one.onset]
    assert len(later) / len(levels) == pytest.approx(0.5, abs=0.06)
    assert {one.onset for one in later} == set(range(1, 30))
    assert {p.onset for one in later for p in one.perturbations if p.axis == "object-size"} == {0}
    assert 0.4 < np.mean([one.duration is not None for one in later]) < 0.6


@pytest.mark.parametrize("score", SCORES)
def test_a_replayed_episode_of_a_loop_is_the_same_episode(score, closed_loop):
    options = dict(score=score, candidates=4, buffer_size=4, trials_per_level=2, mid_episode_share=0.5)
    loop = with_circler(closed_loop(Plr, **options))
    played = listen(loop)
    loop.reset(seed=3)
    episodes = [episode for episode in step(loop, 500) if not episode.clean]
    tried = {trial.seed: trial.perturbations for trial in played[0]}
    again = [episode for episode in episodes if episode.seed in tried]
    assert len({episode.seed for episode in again}) < len(again)
    for episode in again:
        lived = tuple(p for p in tried[episode.seed] if p.onset < episode.length)
        assert episode.perturbations == lived


def test_robust_replay_trains_on_no_new_level(closed_loop):
    loop = with_circler(closed_loop(Plr, candidates=4, buffer_size=8, trials_per_level=3, replay_probability=0.6))
    played = listen(loop)
    loop.reset(seed=3)
    episodes = [episode for episode in step(loop, 600) if not episode.clean]
    tried = {trial.seed for trials in played for trial in trials}
    assert len(episodes) > 25
    assert {episode.seed for episode in episodes} <= tried
    scalars = loop.scalars()
    assert scalars["curriculum/plr/trained_new"] == 0
    assert scalars["curriculum/plr/replayed"] >= len(episodes)
    assert scalars["curriculum/plr/drawn"] == len(tried) / 3
    assert loop.trial_env_steps > 0


def connected(limit=60, **options):
    """A curriculum with a policy to try levels with, and what is played aside from now on."""
    plr, trials, played = make(**options), make_trials(3, max_episode_steps=limit), []
    trials.learner, really = circler(), trials.play
    trials.play = lambda batch, **how: (played.append(list(batch)), really(batch, **how))[1]
    plr.connect(Services(trials))
    return plr, played


def test_new_levels_are_tried_in_batches_as_often_as_the_replay_probability_says():
    plr, played = connected(limit=3, candidates=4, buffer_size=8, trials_per_level=2, replay_probability=0.5)
    for index in range(300):
        plr.propose(Slot(0, index, 0), EMPTY)
    assert {len(trials) for trials in played} == {4 * 2}
    assert 4 * len(played) == pytest.approx(300, rel=0.25)


def test_a_trial_from_each_seed_makes_the_score():
    plr, played = connected(candidates=6, buffer_size=6, trials_per_level=4)
    plr.propose(Slot(0, 0, 0), EMPTY)
    again = make_trials()
    again.learner = circler()
    rates = np.reshape([outcome.success for outcome in again.play(played[0])], (6, 4)).mean(axis=1)
    assert len(np.unique(rates)) > 2
    assert [one.score for one in plr.buffer.levels.values()] == pytest.approx(rates * (1 - rates))


@pytest.mark.parametrize("score", ["pvl", "maxmc"])
def test_trials_are_scored_from_their_traces(score):
    plr, played = connected(score=score, candidates=8, buffer_size=8, gamma=0.9, gae_lambda=0.8, trials_per_level=2)
    plr.propose(Slot(0, 0, 0), EMPTY)
    again = make_trials()
    again.learner = circler()
    outcomes = again.play(played[0], trace=True, values=True)
    assert {outcome.success for outcome in outcomes} == {True, False}
    singly = [by_hand(score, outcome) for outcome in outcomes]
    assert [one.score for one in plr.buffer.levels.values()] == pytest.approx(np.reshape(singly, (8, 2)).mean(axis=1))


def by_hand(score, outcome, gamma=0.9, gae_lambda=0.8):
    """The published sums, term by term."""
    rewards, values = outcome.trace.rewards.tolist(), outcome.trace.values.tolist()
    steps = range(outcome.length)
    if score == "maxmc":
        highest = sum(gamma**t * rewards[t] for t in steps)
        return sum(highest - values[t] for t in steps) / len(steps)
    following = [*values[1:], 0.0 if outcome.success else values[-1]]
    delta = [rewards[t] + gamma * following[t] - values[t] for t in steps]
    advantages = [sum((gamma * gae_lambda) ** (k - t) * delta[k] for k in steps[t:]) for t in steps]
    return sum(max(one, 0.0) for one in advantages) / len(steps)


def test_plain_replay_trains_on_a_new_level_from_each_of_its_seeds_before_it_is_kept():
    plr = make(robust=False, candidates=2, trials_per_level=3, replay_probability=1)
    proposed = play(plr, 6, success=lambda index: index == 1)
    assert [proposal.why for proposal in proposed] == [f"new level, trial {k} of 3" for k in (1, 2, 3)] * 2
    assert len({proposal.seed for proposal in proposed}) == 6
    assert len({proposal.perturbations for proposal in proposed}) == 2
    assert [one.score for one in plr.buffer.levels.values()] == pytest.approx([2 / 9, 0])
    (replayed,) = play(plr, 1)
    assert replayed.seed in {proposal.seed for proposal in proposed}


def test_an_episode_that_was_dropped_is_played_by_the_next_one():
    plr = make(robust=False, trials_per_level=2)
    (first,) = plr.propose(Slot(0, 0, 0), EMPTY)
    (second,) = plr.propose(Slot(1, 1, 0), EMPTY)
    assert plr.propose(Slot(0, 2, 0), EMPTY) == (first,)
    assert first.seed != second.seed


def test_a_share_of_plain_episodes_replays():
    plr = make(robust=False, score="pvl", candidates=5, replay_probability=0.7)
    replays = [proposal.why.startswith("replayed") for proposal in play(plr, 2000)]
    assert not any(replays[:5])
    assert np.mean(replays) == pytest.approx(0.7, abs=0.04)


def test_without_a_policy_new_levels_are_trained_on_and_that_is_said_once():
    plr, said = make(candidates=2, trials_per_level=2), []
    plr.connect(Services(make_trials(), notice=said.append))
    assert play(plr, 1)[0].why == "new level, trial 1 of 2"
    play(plr, 20)
    assert said == ["there is no policy to try new levels with, so they are trained on as they come (plain PLR)"]
    assert plr.scalars()["curriculum/plr/trained_new"] > 0


def test_a_regret_score_without_a_critic_says_what_is_missing():
    plr = make(score="pvl")
    trials = make_trials()
    trials.learner = make_learner()
    plr.connect(Services(trials))
    with pytest.raises(NoCritic, match="RandomSearch estimates no values"):
        plr.propose(Slot(0, 0, 0), EMPTY)


def test_what_the_guard_refuses_is_forgotten():
    plr = make(robust=False, candidates=1, trials_per_level=2, replay_probability=1)
    play(plr, 2)
    assert len(plr.buffer.levels) == 1
    plr.propose(Slot(0, 2, 0), EMPTY)
    plr.refuse(Slot(0, 2, 0))
    assert plr.buffer.levels == {}
    plr.observe(finished(0, True))
    (refused,) = plr.propose(Slot(0, 3, 0), EMPTY)
    plr.refuse(Slot(0, 3, 0))
    (another,) = plr.propose(Slot(0, 4, 0), EMPTY)
    assert another.why == "new level, trial 1 of 2"
    assert another.perturbations != refused.perturbations


def test_nominal_episodes_score_no_level():
    plr = make(robust=False, trials_per_level=2)
    (first,) = plr.propose(Slot(0, 0, 0), EMPTY)
    plr.observe(replace(finished(0, True), clean=True))
    assert plr.propose(Slot(0, 1, 0), EMPTY) == (first,)


def test_only_scores_that_need_values_ask_for_them():
    assert [(make(score=score).traces, make(score=score).values) for score in SCORES] == [
        (False, False),
        (True, True),
        (True, True),
    ]


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("check", checks_for("curriculum"))
def test_the_promises_of_a_curriculum_are_kept(check, score):
    check(Plr, Plr.Options(score=score, candidates=3))


@pytest.mark.parametrize("robust", [True, False])
@pytest.mark.parametrize("score", SCORES)
def test_an_interrupted_closed_loop_goes_on_as_the_uninterrupted_one(score, robust, closed_loop):
    options = dict(score=score, robust=robust, candidates=3, buffer_size=6, trials_per_level=2, replay_probability=0.6)
    loop, resumed = (with_circler(closed_loop(Plr, seed=seed, **options)) for seed in (0, 7))
    loop.reset(seed=3)
    resumed.reset(seed=4)
    step(loop, 150)
    saved = pickle.dumps(loop.snapshot())
    uninterrupted = step(loop, 250)
    resumed.rewind(pickle.loads(saved))
    assert step(resumed, 250) == uninterrupted
    assert len(uninterrupted) > 10
    assert resumed.parts.curriculum.state_dict() == loop.parts.curriculum.state_dict()
    assert resumed.scalars() == loop.scalars()


def test_a_resumed_one_is_identical_in_the_middle_of_a_new_level():
    straight, resumed = make(0, trials_per_level=3), make(1, trials_per_level=3)
    play(straight, 100)
    straight.propose(Slot(5, 0, 0), EMPTY)
    resumed.load_state_dict(json.loads(json.dumps(straight.state_dict())))
    resumed.rng.bit_generator.state = deepcopy(straight.rng.bit_generator.state)
    for plr in (straight, resumed):
        plr.observe(finished(5, True))
    assert play(straight, 100, start=100) == play(resumed, 100, start=100)
    assert straight.state_dict() == resumed.state_dict()


def test_options_that_contradict_each_other_are_refused():
    with pytest.raises(ValidationError, match="candidates must not exceed buffer_size"):
        make(candidates=9, buffer_size=8)
    with pytest.raises(ValidationError, match="learnability of one trial is always 0"):
        make(trials_per_level=1)


def test_an_unknown_axis_names_the_nearest():
    with pytest.raises(PerturbationError, match=r"no axis 'masss'\. Did you mean 'mass'"):
        make(axes=["masss"])
