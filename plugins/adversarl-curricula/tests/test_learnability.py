import json
import re
from collections import Counter
from copy import deepcopy

import numpy as np
import pytest
from adversarl_curricula.learnability import Learnability
from pydantic import ValidationError

from adversarl.errors import GroundingError, PerturbationError
from adversarl.interfaces.curriculum import Slot, World
from adversarl.loop import EMPTY
from adversarl.metrics import wilson
from adversarl.testing import checks_for
from adversarl.types import Episode, FailureMode, FailureReport

CLAUSE = re.compile(r" at (\d+) %")
HELD = {"mid_episode_share": 0.0}


def at_half(percent, middle=50, slope=0.12):
    """Success that falls with intensity [percent] and is one half in the middle."""
    return 1 / (1 + np.exp(slope * (percent - middle)))


class Run:
    """Plays episodes with a policy that is given as its success at one intensity, with all axes and with one."""

    def __init__(self, world, seed=0, *, together=50, alone=90, **options):
        self.curriculum = Learnability(Learnability.Options.model_validate(options), world, np.random.default_rng(seed))
        self.outcomes = np.random.default_rng(seed + 100)
        self.together, self.alone, self.axes = together, alone, len(world.axes)
        self.index = 0

    def play(self, report=EMPTY):
        """One episode; returns what was proposed, and how likely it was to succeed."""
        slot = Slot(self.index % 4, self.index, 20 * self.index)
        proposals = tuple(self.curriculum.propose(slot, report))
        percents = [int(number) for number in CLAUSE.findall(proposals[-1].text)]
        p = at_half(max(percents), self.together if len(percents) > 1 else self.alone)
        self.index += 1
        success = bool(self.outcomes.random() < p)
        self.curriculum.observe(Episode(slot.episode, slot.env, 0, slot.env_steps, 20, 1.0, success, not success))
        return proposals, p, percents


@pytest.fixture
def run(world):
    return lambda **options: Run(world, **options)


@pytest.mark.parametrize("check", checks_for("curriculum"))
def test_the_promises_of_a_curriculum_are_kept(check):
    check(Learnability)


@pytest.mark.parametrize("middle", [20, 50, 80])
def test_it_concentrates_where_half_succeeds(run, middle):
    play = run(together=middle, **HELD)
    drawn = Counter()
    for _ in range(2500):
        _, _, percents = play.play()
        drawn[percents[0]] += (len(percents) > 1) * (play.index > 500)
    ranked = [percent for percent, _ in drawn.most_common()]
    assert abs(ranked[0] - middle) <= 10
    assert drawn[ranked[0]] > 2.5 * drawn[ranked[-1]]


def test_it_spends_more_time_where_something_can_be_learnt_than_uniform_draws(run):
    shares = []
    for uniform_share in (0.5, 1.0):
        learnable = []
        for seed in range(4):
            play = run(seed=seed, uniform_share=uniform_share)
            learnable.append(np.mean([0.25 < play.play()[1] < 0.75 for _ in range(1500)][300:]))
        shares.append((np.mean(learnable), np.std(learnable) / 2))
    (adaptive, error), (uniform, other) = shares
    assert adaptive - uniform > 0.08 + 3 * np.hypot(error, other)


def test_it_follows_a_policy_that_gets_better(run):
    play = run(together=20, **HELD)
    for middle in np.linspace(20, 80, 2000):
        play.together = middle
        play.play()
    assert play.curriculum.scalars()["curriculum/half/together"] >= 0.6
    learnable = play.curriculum.bandit.learnable[0]
    assert learnable[5:].sum() > 0.8 * learnable.sum()


def test_the_floor_keeps_every_condition_alive(run, world):
    play = run(stale_share=0.0)
    for _ in range(800):
        play.play()
    bandit = play.curriculum.bandit
    assert bandit.weights.shape == (1 + len(world.axes), 10)
    assert bandit.weights.sum() == pytest.approx(1.0)
    assert bandit.weights[0].sum() == pytest.approx(0.65)
    assert (bandit.probabilities() >= 0.5 * bandit.weights - 1e-12).all()
    assert bandit.probabilities().sum() == pytest.approx(1.0)
    assert bandit.probabilities()[0].min() < 0.6 * bandit.probabilities()[0].max()


def test_a_uniform_share_of_one_never_adapts(run):
    play = run(uniform_share=1.0, hold_back=False, **HELD)
    for _ in range(500):
        _, _, percents = play.play()
        assert len(set(percents)) == 1
    bandit = play.curriculum.bandit
    np.testing.assert_allclose(bandit.probabilities(), bandit.weights)


def longest_wait(play, episodes):
    last, longest = np.zeros((1 + play.axes) * 10), 0
    for index in range(1, episodes):
        play.play()
        fresh = np.array(play.curriculum.bandit.state_dict()["last"]) == index
        longest = max(longest, index - last[fresh].item())
        last[fresh] = index
    return max(longest, episodes - last.min())


def test_what_was_not_tried_for_long_is_revisited(run):
    waits = [longest_wait(run(uniform_share=0.0, stale_share=share), 2000) for share in (0.0, 0.3)]
    assert waits[0] == 2000
    assert waits[1] < 1000


def test_staleness_is_in_proportion_to_the_time_since_the_last_draw(run):
    play = run(uniform_share=0.0, stale_share=1.0)
    for _ in range(200):
        play.play()
    waited = 201 - np.array(play.curriculum.bandit.state_dict()["last"])
    np.testing.assert_allclose(play.curriculum.bandit.probabilities().ravel(), waited / waited.sum())


def test_the_most_learnable_make_up_their_share_of_the_uniform_draw(run):
    play = run(best_share=0.1)
    for _ in range(1500):
        play.play()
    bandit = play.curriculum.bandit
    best = bandit.learnable > 0
    assert bandit.weights[best].sum() < 0.1 + bandit.weights[0, 0] + 1e-12
    assert bandit.score[best].min() >= bandit.score[~best].max()


def test_conditions_the_guard_refuses_are_not_sampled_as_learnable_but_tried_again(run):
    curriculum = run(uniform_share=0.0, stale_share=0.5, hold_back=False, **HELD).curriculum
    refused, kept = Counter(), Counter()
    for index in range(3000):
        slot = Slot(index % 4, index, 0)
        (proposal,) = curriculum.propose(slot, EMPTY)
        hard = proposal.text.count(" at ") > 1 and int(CLAUSE.findall(proposal.text)[0]) >= 80
        reason = "stale" if "not tried for" in proposal.why else "learnable"
        if hard:
            refused[reason, index >= 1000] += 1
            curriculum.refuse(slot)
        else:
            kept[reason, index >= 1000] += 1
            curriculum.observe(Episode(index, slot.env, 0, 0, 20, 1.0, bool(index % 2), truncated=False))
    assert curriculum.scalars()["curriculum/unsolvable"] == 3
    assert refused["learnable", True] == 0
    assert refused["stale", True] > 10
    assert kept["learnable", True] > 500


def test_a_condition_that_becomes_solvable_is_learnable_again(run, world):
    curriculum = run(grid=50, axes=[axis.name for axis in world.axes[:2]], **HELD).curriculum
    for solvable, expected in ((False, 6), (True, 0)):
        for index in range(600):
            slot = Slot(0, index, 0)
            curriculum.propose(slot, EMPTY)
            if solvable:
                curriculum.observe(Episode(index, 0, 0, 0, 20, 1.0, bool(index % 2), truncated=False))
            else:
                curriculum.refuse(slot)
        assert curriculum.scalars()["curriculum/unsolvable"] == expected


def test_a_refused_episode_is_no_evidence(run):
    curriculum = run(**HELD).curriculum
    for index in range(100):
        slot = Slot(0, index, 0)
        curriculum.propose(slot, EMPTY)
        curriculum.refuse(slot)
        curriculum.observe(Episode(index, 0, 0, 0, 20, 1.0, success=True, truncated=False))
    assert np.sum(curriculum.bandit.state_dict()["counts"]) == 0


def test_episodes_that_change_while_they_run_are_no_evidence(run):
    play = run(mid_episode_share=1.0, together_share=1.0)
    changes = [play.play()[0][-1] for _ in range(300)]
    assert all(p.onset > 0 for p in changes)
    assert {p.duration is None for p in changes} == {True, False}
    assert np.sum(play.curriculum.bandit.state_dict()["counts"]) == 0


def harsh(run, **options):
    """One axis never succeeds above 30 %, the others always do."""
    play = run(mid_episode_share=0.0, **options)
    curriculum, hard = play.curriculum, play.curriculum.world.axes[2]
    proposed = []
    for index in range(1500):
        (proposal,) = curriculum.propose(Slot(0, index, 0), EMPTY)
        seen = {p.axis: round(100 * p.intensity) for p in curriculum.world.ground(proposal.text).perturbations}
        success = seen.get(hard.name, 0) <= 30
        curriculum.observe(Episode(index, 0, 0, 0, 20, 1.0, success, not success))
        proposed.append((proposal.why, seen.pop(hard.name, None), seen))
    return curriculum, [(why, held, others) for why, held, others in proposed[500:] if len(others) > 1]


def test_an_axis_that_is_too_hard_is_held_back_and_the_others_go_on(run):
    curriculum, together = harsh(run)
    beyond = [(why, held) for why, held, others in together if max(others.values()) >= 50]
    assert len(beyond) > 100
    assert max(held for _, held in beyond) <= 40
    assert all("1 of them held at what succeeds alone" in why for why, _ in beyond)
    assert curriculum.scalars()["curriculum/half/together"] == 1.0


def test_nothing_is_held_back_where_no_axis_is_tried_alone(run):
    play = run(together_share=1.0, **HELD)
    assert {len(set(play.play()[2])) for _ in range(600)} == {1}


def test_an_axis_alone_is_never_held_back(run):
    play, seen = run(together=10, alone=10), set()
    for _ in range(1500):
        _, _, percents = play.play()
        seen |= {percents[0]} if len(percents) == 1 else set()
    assert seen == set(range(10, 101, 10))


def test_without_holding_back_all_axes_have_one_intensity(run):
    curriculum, together = harsh(run, hold_back=False)
    assert all(set(others.values()) == {held} for _, held, others in together)
    assert curriculum.scalars()["curriculum/half/together"] <= 0.4


def test_clean_episodes_are_evidence_of_nominal_success_alone(run):
    curriculum = run().curriculum
    for index in range(80):
        curriculum.observe(Episode(index, 0, 0, 0, 20, 0.0, success=False, truncated=True, clean=True))
    assert np.sum(curriculum.bandit.state_dict()["counts"]) == 0
    assert max(value for name, value in curriculum.scalars().items() if "/p/" in name) < 0.1


def test_axes_that_a_report_blames_are_practised_more(run, world):
    mode = FailureMode(world.axes[1].name, None, (0.5, 1.0), wilson(20, 60), 0.6, "it fails")
    play = run(together_share=0.0, stale_share=0.0)
    report = FailureReport(200, wilson(100, 200), wilson(45, 50), (mode,))
    for _ in range(8):
        play.play(report)
    bandit = play.curriculum.bandit
    (rows, columns) = np.nonzero(bandit.learnable)
    drawn = bandit.learnable[rows, columns] / bandit.weights[rows, columns]
    assert set(rows) == set(range(1, 1 + len(world.axes)))
    np.testing.assert_allclose(drawn, np.where(rows == 2, 1.6, 1.0) * drawn.min())


def test_reasons_have_the_numbers(run):
    play = run(**HELD)
    reasons = [play.play()[0][-1].why for _ in range(600)][300:]
    learnable = re.compile(
        r"success (\d+) % \[(\d+), (\d+)\] of the last \d+ near it at [\w ]+ at (\d+) %"
        r"(?:, \d of them held at what succeeds alone)?: "
        r"(the most learnable|number \d+ by learnability) of 80 conditions"
    )
    uniform = re.compile(r"[\w -]+ at \d+ %[\w ,]*: drawn uniformly, as 50 % of the episodes are")
    stale = re.compile(r"[\w -]+ at \d+ %[\w ,]*: not tried for \d+ episodes")
    matches = [learnable.fullmatch(why) for why in reasons if why.startswith("success") and "together" in why]
    assert matches
    assert all(int(m[2]) <= int(m[1]) <= int(m[3]) for m in matches)
    others = [why for why in reasons if not why.startswith("success")]
    assert all(uniform.fullmatch(why) or stale.fullmatch(why) for why in others)
    assert {bool(uniform.fullmatch(why)) for why in others} == {True, False}


def test_the_first_reasons_say_that_success_is_unknown(run):
    first = {run(seed=seed, uniform_share=0.0, stale_share=0.0).play()[0][-1].why for seed in range(20)}
    assert all(why.startswith("success is unknown at ") and "the most learnable of 80" in why for why in first)


def test_scalars_show_the_curve_of_all_axes_and_where_each_axis_is_at_one_half(run, world):
    play = run(together=40, alone=90, uniform_share=1.0, **HELD)
    for _ in range(3000):
        play.play()
    scalars = play.curriculum.scalars()
    curve = [scalars[f"curriculum/p/together/{percent}"] for percent in range(10, 101, 10)]
    np.testing.assert_allclose(curve, at_half(np.arange(10, 101, 10), 40), atol=0.2)
    assert 0.2 <= scalars["curriculum/half/together"] <= 0.6
    assert np.mean([scalars[f"curriculum/half/{axis.name}"] for axis in world.axes]) > 0.7
    assert scalars["curriculum/entropy"] <= np.log(80)


@pytest.mark.parametrize("at", [3, 77, 500])
def test_a_resumed_run_is_identical(run, at):
    here, there = run(), run(seed=9)
    for _ in range(at):
        here.play()
    there.curriculum.load_state_dict(json.loads(json.dumps(here.curriculum.state_dict())))
    there.curriculum.rng.bit_generator.state = deepcopy(here.curriculum.rng.bit_generator.state)
    there.outcomes.bit_generator.state = deepcopy(here.outcomes.bit_generator.state)
    there.index = here.index
    assert [here.play() for _ in range(300)] == [there.play() for _ in range(300)]
    assert here.curriculum.state_dict() == there.curriculum.state_dict()
    assert here.curriculum.scalars() == there.curriculum.scalars()


def test_a_world_with_one_axis_is_enough(world):
    one = World(world.axes[:1], world.max_episode_steps, world.ground)
    play = Run(one)
    assert {len(play.play()[2]) for _ in range(300)} == {1}
    assert play.curriculum.bandit.weights.shape == (1, 10)


def test_an_unknown_axis_names_the_nearest(run):
    with pytest.raises(PerturbationError, match=r"no axis 'brightnes'\. Did you mean 'brightness'"):
        run(axes=["brightnes"])


def test_a_world_that_does_not_understand_its_own_phrase_is_refused(world):
    deaf = World(world.axes, 50, lambda text: world.ground("sing a song"))
    with pytest.raises(GroundingError, match=world.axes[0].phrase):
        Run(deaf)


@pytest.mark.parametrize(
    "options", [{"grid": 30}, {"best_share": 0}, {"memory": 1}, {"uniform_share": 1.1}, {"rho": 1}]
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ValidationError, match=next(iter(options))):
        Learnability.Options.model_validate(options)
