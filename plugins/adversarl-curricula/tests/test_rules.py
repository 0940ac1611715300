import re
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from adversarl_curricula.ladder import Ladder, LadderRules
from adversarl_curricula.rules import Rules
from pydantic import ValidationError

from adversarl.errors import GroundingError, PerturbationError
from adversarl.interfaces.curriculum import Slot, World
from adversarl.loop import EMPTY
from adversarl.metrics import wilson
from adversarl.types import Episode, FailureMode, FailureReport

CLAUSE = re.compile(r" at (\d+) %")


def percents(proposal):
    return [int(number) for number in CLAUSE.findall(proposal.text)]


def test_success_raises_every_ceiling_to_the_top(player):
    play = player()
    for _ in range(1500):
        play.play(lambda _: True)
    assert set(play.rules.scalars().values()) == {1.0}


def test_failure_keeps_every_ceiling_at_the_bottom(player):
    play = player()
    for _ in range(1500):
        play.play(lambda _: False)
    assert set(play.rules.scalars().values()) == {0.1}


def test_the_ceiling_of_all_axes_settles_where_the_policy_is_unsure(player, world):
    play, rng, n = player(), np.random.default_rng(1), len(world.axes)
    ceilings = []
    for _ in range(4000):
        play.play(lambda seen: rng.random() < 1 / (1 + np.exp(12 * (sum(seen.values()) / n - 0.5))))
        ceilings.append(play.rules.together.ceiling)
    assert 35 <= np.mean(ceilings[1000:]) <= 65


def test_an_axis_that_is_too_hard_does_not_hold_the_others_down(player, world):
    play, hard = player(), world.axes[2].name
    for _ in range(3000):
        play.play(lambda seen: seen.get(hard, 0.0) <= 0.2)
    ceilings = play.rules.scalars()
    assert ceilings.pop(f"curriculum/ceiling/{hard}") <= 0.4
    assert all(ceiling >= 0.9 for ceiling in ceilings.values())


def test_most_episodes_vary_all_axes_at_one_intensity(player, world):
    play = player(mid_episode_share=0.0)
    drawn = [percents(play.play(lambda _: True)[0]) for _ in range(2000)]
    together = [p for p in drawn if len(p) == len(world.axes)]
    assert 0.6 < len(together) / len(drawn) < 0.7
    assert np.mean([len(set(p)) == 1 for p in together]) > 0.9


def test_only_the_reach_share_goes_beyond_the_ceiling(player, world):
    play = player(mid_episode_share=0.0, together_share=1.0, alone_share=0.0)
    beyond = [max(percents(play.play(lambda _: False)[0])) > 10 for _ in range(3000)]
    assert 0.07 < np.mean(beyond) < 0.11


def test_the_axis_that_a_report_blames_is_drawn_more_often_but_not_alone(player, world):
    play, weak = player(together_share=0.0, alone_share=1.0), world.axes[1]
    mode = FailureMode(weak.name, None, (0.5, 1.0), wilson(20, 60), 0.6, "it fails")
    report = FailureReport(200, wilson(100, 200), wilson(45, 50), (mode,))
    drawn = Counter()
    for _ in range(2000):
        (*_, last) = play.play(lambda _: True, report)
        drawn[last.text.partition(" at ")[0]] += 1
    assert drawn.most_common(1)[0][0] == weak.phrase
    assert len(drawn) == len(world.axes)
    assert min(drawn.values()) > 0.4 * 2000 / len(world.axes)


def test_an_axis_near_half_success_is_drawn_more_often_than_mastered_ones(player, world):
    play, unsure, rng = player(), world.axes[0].name, np.random.default_rng(0)
    weights = []
    for _ in range(2000):
        play.play(lambda seen: seen.get(unsure, 0.0) < 0.4 or bool(rng.random() < 0.5))
        weights.append(play.rules._planner.weights(EMPTY))
    np.testing.assert_allclose(np.sum(weights, axis=1), 1.0)
    first, *others = np.mean(weights[1000:], axis=0)
    assert first > 1.2 * max(others)


def test_all_axes_rise_no_further_than_most_of_them_alone(player):
    play = player()
    for _ in range(2000):
        play.play(lambda seen: max(seen.values()) <= 0.4)
    assert play.rules.together.ceiling <= 60


def test_reasons_have_the_numbers_of_the_report(player, world):
    play, weak = player(together_share=0.0, alone_share=1.0), world.axes[1]
    mode = FailureMode(weak.name, None, (0.5, 1.0), wilson(25, 60), 0.31, "it fails")
    report = FailureReport(200, wilson(100, 200), wilson(45, 50), (mode,))
    reasons = {p.why for _ in range(300) for p in play.play(lambda _: False, report) if p.text.startswith(weak.phrase)}
    start = f"success with {weak.name} is 42 % [30, 54] (n=60), 31 points below the rest: practise it at "
    assert reasons
    assert all(why.startswith(start) for why in reasons)


def test_mid_episode_changes_come_from_milder_conditions_and_move_no_ladder(player, world):
    play = player(mid_episode_share=1.0, together_share=1.0, alone_share=0.0, reach_share=0.0)
    before = play.rules.scalars()
    changes = [play.play(lambda _: True) for _ in range(500)]
    assert play.rules.scalars() == before
    later = [proposals[-1] for proposals in changes]
    assert {p.onset > 0 for p in later} == {True}
    assert 0.4 < np.mean([p.duration is None for p in later]) < 0.6
    waiting = sum(axis.mid_episode for axis in world.axes)
    assert {len(percents(p)) for p in later} == {waiting}
    assert all(len(percents(first)) >= len(world.axes) - waiting for first, *_ in changes)


def test_onsets_follow_the_time_that_success_takes(player):
    play = player(mid_episode_share=1.0, together_share=1.0, alone_share=0.0)
    for _ in range(300):
        play.play(lambda _: True)
    assert abs(play.rules._timing.usual_length - 20) < 0.1
    assert max(play.play(lambda _: True)[-1].onset for _ in range(200)) < 15


def test_clean_episodes_move_no_ladder(player):
    play = player(mid_episode_share=0.0, frontier_share=1.0, together_share=1.0, alone_share=0.0, reach_share=0.0)
    for index in range(100):
        play.rules.propose(Slot(0, index, 0), EMPTY)
        play.rules.observe(Episode(index, 0, 0, 0, 20, 1.0, True, False, clean=True))
    assert play.rules.together.ceiling == 10


def test_an_episode_left_nominal_because_the_guard_refused_moves_no_ladder(player):
    rules = player(mid_episode_share=0.0, frontier_share=1.0).rules
    before = rules.scalars()
    for index in range(300):
        slot = Slot(index % 2, index, 0)
        rules.propose(slot, EMPTY)
        rules.refuse(slot)
        rules.observe(Episode(index, slot.env, 0, 0, 20, 1.0, success=True, truncated=False))
    assert rules.scalars() == before


@pytest.mark.parametrize("options", [{"step": 0.5}, {"together_start": 0.05, "alone_start": 0.05}])
def test_failure_raises_no_ceiling_wherever_it_starts(player, options):
    play = player(**options)
    before = play.rules.scalars()
    for _ in range(500):
        play.play(lambda _: False)
        assert all(ceiling <= before[name] for name, ceiling in play.rules.scalars().items())


@pytest.mark.parametrize(("at", "window"), [(0.55, 20), (0.07, 100), (0.3, 10), (0.7, 10)])
def test_a_ladder_moves_at_exactly_its_rates(at, window):
    hits = round(at * window)
    up = Ladder(LadderRules(window, raise_at=at, lower_at=0.0, step=10), 50)
    down = Ladder(LadderRules(window, raise_at=1.0, lower_at=at, step=10), 50)
    for success in [True] * hits:
        assert up.ceiling == 50
        up.observe(success)
    for success in [False] * (window - hits):
        assert down.ceiling == 50
        down.observe(success)
    assert (up.ceiling, down.ceiling) == (60, 40)


def test_a_world_with_one_axis_is_enough(world):
    one = World(world.axes[:1], world.max_episode_steps, world.ground)
    rules = Rules(Rules.Options.model_validate({}), one, np.random.default_rng(0))
    assert all(rules.propose(Slot(0, index, 0), EMPTY) for index in range(200))


def test_an_unknown_axis_names_the_nearest(player):
    with pytest.raises(PerturbationError, match=r"no axis 'brightnes'\. Did you mean 'brightness'"):
        player(axes=["brightnes"])


def test_a_world_that_does_not_understand_its_own_phrase_is_refused(world):
    deaf = SimpleNamespace(axes=world.axes, max_episode_steps=50, ground=lambda text: world.ground("sing a song"))
    with pytest.raises(GroundingError, match=world.axes[0].phrase):
        Rules(Rules.Options.model_validate({}), deaf, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"together_share": 0.9, "alone_share": 0.2}, "must not exceed 1"),
        ({"raise_at": 0.3, "lower_at": 0.4}, "below raise_at"),
    ],
)
def test_contradictory_options_are_refused(options, message):
    with pytest.raises(ValidationError, match=message):
        Rules.Options.model_validate(options)
