"""Players: the expert and its spoilt likes."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from adversarl_rewards import players
from adversarl_rewards.players import PLAYERS, Known, deal

COURSE = np.linspace(-1, 1, 60, dtype=np.float32).reshape(20, 3)
HOLDING = Known(10, (COURSE,), np.array([0.1, 0.0, 1.0], np.float32))
LOOSE = Known(10, (COURSE,), np.array([0.1, 0.0, -0.1], np.float32))
ACTION = np.array([0.5, -0.5, 1.0], np.float32)
OTHERS = sorted({player.__name__ for player in PLAYERS} - {"expert"})


def played(name, known=HOLDING, seed=0, steps=30):
    spoil = getattr(players, name)(np.random.default_rng(seed), known)
    return np.array([spoil(step, ACTION.copy()) for step in range(steps)])


def test_the_expert_is_left_alone():
    np.testing.assert_array_equal(played("expert"), np.tile(ACTION, (30, 1)))


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("known", [HOLDING, LOOSE], ids=["holding", "loose"])
def test_every_other_player_does_something_else_and_the_same_again(name, known):
    assert any((played(name, known, seed) != ACTION).any() for seed in range(5))
    np.testing.assert_array_equal(played(name, known), played(name, known))
    assert played(name, known).shape == (30, 3)


def test_who_slips_opens_and_stays():
    actions = played("slipping")
    onset = int(np.argmax(actions[:, 2] == -1))
    assert 7 <= onset <= 20
    np.testing.assert_array_equal(actions[onset:], np.tile([0, 0, -1], (30 - onset, 1)))


def test_who_is_empty_opens_and_goes_on_like_an_expert():
    actions = played("empty")
    onset = int(np.argmax(actions[:, 2] == -1))
    assert 3 <= onset <= 13
    np.testing.assert_array_equal(actions[onset:20, :2], COURSE[onset:, :2])


@pytest.mark.parametrize("name", ["short", "carrying", "slow"])
def test_who_stops_carries_or_dawdles_keeps_hold(name):
    actions = played(name)
    assert (actions[:, 2] == 1).all()
    assert (actions[:, :2] != ACTION[:2]).any()


def test_a_player_who_skips_is_ahead_of_the_expert():
    actions = played("skipping")
    onset = int(np.argmax((actions != ACTION).any(axis=1)))
    skipped = int(np.flatnonzero((actions[onset] == COURSE).all(axis=1))[0]) - onset
    assert 1 <= skipped <= 4


def test_a_deck_is_played_whole_before_it_is_shuffled_again():
    hands = deal(2 * len(PLAYERS) + 3, np.random.default_rng(0))
    assert len(hands) == 2 * len(PLAYERS) + 3
    for deck in (hands[: len(PLAYERS)], hands[len(PLAYERS) : 2 * len(PLAYERS)]):
        assert Counter(deck) == Counter(PLAYERS)
    assert hands[: len(PLAYERS)] != hands[len(PLAYERS) : 2 * len(PLAYERS)]
