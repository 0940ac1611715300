from math import comb
from statistics import NormalDist

import numpy as np
import pytest
from adversarl_failures.change import ChangeDetector, two_proportion_z
from adversarl_failures.contrast import contrast
from adversarl_failures.exact import lower_tail

ALPHA = 0.01


def changes(outcomes, every=20, alpha=ALPHA):
    """Report numbers at which a change was found."""
    detector, found = ChangeDetector(50, NormalDist().inv_cdf(1 - alpha / 2)), []
    for index in range(len(outcomes)):
        detector.add()
        if (index + 1) % every == 0 and detector.changed(outcomes[max(0, index - 799) : index + 1]):
            found.append((index + 1) // every)
    return found


def test_a_change_is_found_once_and_soon():
    rng = np.random.default_rng(0)
    outcomes = [bool(rng.random() < (0.9 if i < 600 else 0.5)) for i in range(1200)]
    assert changes(outcomes, alpha=0.002) in ([31], [32])


def test_a_slow_drift_is_found():
    rng = np.random.default_rng(0)
    assert changes([bool(rng.random() < 0.3 + 0.5 * i / 2000) for i in range(2000)])


def test_a_drop_by_thirty_points_is_mostly_found_within_three_reports():
    found = []
    for seed in range(40):
        outcomes = (np.random.default_rng(seed).random(660) < np.repeat([0.8, 0.5], [600, 60])).tolist()
        found.append(bool({31, 32, 33} & set(changes(outcomes, alpha=0.002))))
    assert np.mean(found) >= 0.8


@pytest.mark.parametrize("skill", [0.02, 0.98])
def test_false_alarms_are_rare_where_hardly_an_episode_differs(skill):
    rng = np.random.default_rng(0)
    alarms = [len(changes((rng.random(2000) < skill).tolist(), alpha=0.002)) / 100 for _ in range(100)]
    assert np.mean(alarms) < 3 * 0.002


def test_false_alarms_are_as_rare_as_asked():
    rng = np.random.default_rng(0)
    alarms = [len(changes((rng.random(2000) < 0.7).tolist())) / 100 for _ in range(60)]
    assert 0.5 * ALPHA < np.mean(alarms) < 1.5 * ALPHA


def test_too_few_episodes_show_no_change():
    assert changes([True] * 50 + [False] * 49, every=1) == []


def test_the_statistic_is_the_textbooks():
    # Pearson's chi-square of the table 30 70 / 45 45 without continuity correction.
    expected = sum(
        (seen - row * column / 190) ** 2 / (row * column / 190)
        for seen, row, column in ((30, 100, 75), (70, 100, 115), (45, 90, 75), (45, 90, 115))
    )
    z = two_proportion_z(30, 100, 45, 90)
    assert z > 0
    assert z**2 == pytest.approx(expected)
    assert two_proportion_z(10, 10, 5, 5) == 0


def test_the_exact_tail_of_one_stratum_is_fishers():
    ways = sum(comb(17, k) * comb(15, 12 - k) for k in range(4))
    tail = lower_tail(3, np.array([32.0]), np.array([12.0]), np.array([17.0]))
    assert tail == pytest.approx(ways / comb(32, 12))


def test_the_exact_tail_of_several_strata_is_what_permutations_show():
    rng = np.random.default_rng(0)
    strata = np.repeat([0, 1, 2], [20, 30, 25])
    condition, success = rng.random(75) < 0.3, rng.random(75) < 0.7
    seen = int((condition & success).sum())
    shuffled = []
    for _ in range(4000):
        permuted = np.concatenate([rng.permutation(success[strata == s]) for s in range(3)])
        shuffled.append(int((condition & permuted).sum()) <= seen)
    assert contrast(condition, success, strata).p_value == pytest.approx(np.mean(shuffled), abs=0.03)
