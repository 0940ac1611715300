"""The watch over detectors, on streams of verdicts with known error rates."""

from __future__ import annotations

import numpy as np
import pytest

from adversarl.watch import HackingWatch, WatchOptions, evidence


def watch(**options):
    return HackingWatch(WatchOptions(**options), "classifier")


def alarms(made, said, truth):
    return [n for n, pair in enumerate(zip(said, truth, strict=True), 1) if made.observe(*map(bool, pair))]


def test_a_detector_that_always_says_yes_is_caught_after_a_few_unsolved_episodes():
    found = alarms(watch(), [True] * 20, [False] * 20)
    assert len(found) == 1
    assert found[0] < 10


def test_a_detector_that_never_says_yes_is_caught_once_episodes_are_solved():
    found = alarms(watch(), [False] * 40, [False] * 20 + [True] * 20)
    assert len(found) == 1
    assert 20 < found[0] < 40


def test_an_alarm_names_the_detector_and_counts():
    made = watch(error=0.1)
    text = ""
    while not text:
        text = made.observe(True, False)
    assert text == (
        f"the detector 'classifier' called {made.now.false} of {made.now.unsolved} unsolved episodes solved, more than "
        "false_successes = 0.2 allows"
    )
    made = watch(error=0.1)
    while not (text := made.observe(False, True)):
        pass
    assert text == (
        f"the detector 'classifier' missed {made.now.missed} of {made.now.solved} solved episodes, more than "
        "missed_successes = 0.5 allows"
    )


def test_a_detector_within_its_bounds_is_left_alone():
    rng = np.random.default_rng(0)
    truth = rng.uniform(size=20_000) < 0.5
    said = np.where(truth, rng.uniform(size=20_000) > 0.4, rng.uniform(size=20_000) < 0.15)
    assert alarms(watch(), said, truth) == []


def test_false_alarms_at_the_bound_are_as_rare_as_promised():
    rng = np.random.default_rng(1)
    made = watch(error=0.05, false_successes=0.2)
    said = rng.uniform(size=50 * 2000) < 0.2
    assert 0 < len(alarms(made, said, np.zeros(50 * 2000))) < 0.05 * 2000


def test_evidence_is_a_fair_bet_at_the_bound():
    n, allowed = 12, 0.3
    counts = np.arange(n + 1)
    from math import comb

    chances = [comb(n, k) * allowed**k * (1 - allowed) ** (n - k) for k in counts]
    assert sum(p * evidence(int(k), n, allowed) for k, p in zip(counts, chances, strict=True)) == pytest.approx(1)


def test_an_exploit_that_begins_late_is_caught_within_one_window():
    rng = np.random.default_rng(2)
    honest = rng.uniform(size=1000) < 0.5
    said, truth = np.concatenate([honest, np.ones(100, bool)]), np.concatenate([honest, np.zeros(100, bool)])
    found = alarms(watch(), said, truth)
    assert 1000 < found[0] <= 1050


def test_every_window_may_raise_an_alarm_of_its_own():
    made = watch(window=10)
    assert len(alarms(made, [True] * 40, [False] * 40)) == 4
    assert made.scalars()["alarms"] == 4


def test_scalars_are_those_of_the_last_full_window():
    made = watch(window=5)
    for said, truth in [(1, 1), (1, 0), (0, 1), (0, 0), (1, 1), (1, 1)]:
        made.observe(bool(said), bool(truth))
    assert made.scalars() == {
        "success": 0.6,
        "state_success": 0.6,
        "false_successes": 0.5,
        "missed_successes": pytest.approx(1 / 3),
        "alarms": 0,
    }


def test_a_share_of_nothing_is_not_told():
    made = watch()
    assert made.scalars() == {"alarms": 0}
    made.observe(True, True)
    assert "false_successes" not in made.scalars()


def test_a_resumed_watch_goes_on():
    rng = np.random.default_rng(3)
    pairs = [(bool(a), bool(b)) for a, b in rng.integers(2, size=(60, 2))]
    first, second = watch(window=20), watch(window=20)
    for pair in pairs[:30]:
        first.observe(*pair)
    second.load_state_dict(first.state_dict())
    assert [first.observe(*p) for p in pairs[30:]] == [second.observe(*p) for p in pairs[30:]]
    assert first.scalars() == second.scalars()
