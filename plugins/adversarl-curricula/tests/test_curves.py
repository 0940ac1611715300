import numpy as np
import pytest
from adversarl_curricula.curves import KIN, PRIOR, Beliefs, antitonic, believe, kernel

INTENSITIES = np.arange(1, 11) / 10
WEIGHTS = kernel(INTENSITIES, 0.1)
NOTHING = np.zeros(2)
EVERYWHERE = np.ones((2, 10), bool)


def pooled(values, weights):
    """Pool adjacent violators (Ayer et al. 1955), one row."""
    blocks = []
    for value, weight in zip(values, weights, strict=True):
        blocks.append((value, weight, 1))
        while len(blocks) > 1 and blocks[-2][0] < blocks[-1][0]:
            (a, v, m), (b, w, n) = blocks[-2:]
            blocks[-2:] = [((a * v + b * w) / (v + w), v + w, m + n)]
    return np.concatenate([[value] * n for value, _, n in blocks])


def counts(rows=3, **outcomes):
    """``r1c4=(failures, successes)`` into a table."""
    table = np.zeros((2, rows, 10))
    for name, pair in outcomes.items():
        row, column = name[1:].split("c")
        table[:, int(row), int(column)] = pair
    return table


def test_the_min_max_formula_gives_what_pooling_gives():
    rng = np.random.default_rng(0)
    for _ in range(50):
        values, weights = rng.random((4, 9)), rng.random((4, 9)) + 0.1
        expected = [pooled(*row) for row in zip(values, weights, strict=True)]
        np.testing.assert_allclose(antitonic(values, weights), expected)


@pytest.mark.parametrize("n", [0, 3, 60])
def test_learnability_is_the_posterior_mean_of_p_times_1_minus_p(n):
    rng, mean = np.random.default_rng(1), 0.3
    p = rng.beta(mean * (n + PRIOR), (1 - mean) * (n + PRIOR), 400_000)
    beliefs = Beliefs(np.array([[mean]]), np.array([[float(n)]]))
    assert abs(beliefs.learnability(trusted=0).item() - np.mean(p * (1 - p))) < 1e-3


def test_what_is_not_known_is_worth_more_than_what_is():
    beliefs = Beliefs(np.full((1, 3), 0.8), np.array([[0.0, 19.0, 20.0]]))
    unknown, hardly, known = beliefs.learnability(trusted=20)[0]
    assert unknown == pytest.approx(0.25, abs=0.01)
    assert known == pytest.approx(0.16 * 22 / 23)
    assert unknown > hardly > known


def test_before_any_evidence_everything_is_even():
    beliefs = believe(counts(), NOTHING, WEIGHTS, EVERYWHERE)
    np.testing.assert_allclose(beliefs.mean, 0.5)
    np.testing.assert_array_equal(beliefs.n, 0.0)


def test_failure_at_one_intensity_speaks_for_all_harder_ones():
    beliefs = believe(counts(r0c3=(30, 0)), NOTHING, WEIGHTS, EVERYWHERE)
    assert beliefs.mean[0, 3:].max() < 0.1
    assert beliefs.n[0, 3:].min() >= 30
    assert beliefs.mean[0, 0] > 0.3


def test_success_at_one_intensity_speaks_for_all_milder_ones():
    beliefs = believe(counts(r1c6=(0, 30)), NOTHING, WEIGHTS, EVERYWHERE)
    assert beliefs.mean[1, :7].min() > 0.9
    assert beliefs.mean[1, 9] < 0.8


def test_success_with_all_axes_vouches_for_each_axis_but_not_the_other_way_round():
    beliefs = believe(counts(r0c5=(0, 30)), NOTHING, WEIGHTS, EVERYWHERE)
    assert beliefs.mean[1:, :6].min() > 0.9
    assert beliefs.n[1:, :6].min() >= 30
    alone = believe(counts(r1c5=(0, 30)), NOTHING, WEIGHTS, EVERYWHERE)
    np.testing.assert_allclose(alone.mean[0], 0.5)


def test_success_with_all_axes_says_nothing_about_one_that_was_held_back():
    in_force = np.array([[True] * 10, [False] * 10])
    beliefs = believe(counts(r0c5=(0, 30)), NOTHING, WEIGHTS, in_force)
    assert beliefs.mean[1, 5] > 0.9
    assert beliefs.mean[2, 5] == pytest.approx(0.5)


def test_an_axis_that_was_never_tried_is_taken_to_be_like_the_others():
    beliefs = believe(counts(r1c5=(27, 3)), NOTHING, WEIGHTS, EVERYWHERE)
    assert 0.1 < beliefs.mean[2, 5] < 0.3
    assert beliefs.n[2, 5] == pytest.approx(KIN)
    assert beliefs.mean[1, 5] < beliefs.mean[2, 5]


def test_a_finer_grid_adds_no_evidence():
    coarse, fine = np.array([0.25, 0.5, 0.75, 1.0]), np.arange(1, 21) / 20
    tables = np.zeros((2, 1, 4)), np.zeros((2, 1, 20))
    tables[0][0, 0, 1] = tables[1][0, 0, 9] = 10
    ends = [
        believe(table, NOTHING, kernel(grid, 0.01), np.ones((0, len(grid)), bool)).mean[0, -1]
        for table, grid in zip(tables, (coarse, fine), strict=True)
    ]
    assert ends[0] == pytest.approx(ends[1], abs=0.03)


def test_no_condition_is_easier_than_the_nominal_one():
    beliefs = believe(counts(), np.array([50.0, 2.0]), WEIGHTS, EVERYWHERE)
    assert beliefs.mean.max() < 0.1


def test_estimates_approach_a_known_curve():
    rng, p = np.random.default_rng(2), 1 / (1 + np.exp(12 * (INTENSITIES - 0.5)))
    table = counts()
    table[1] = rng.binomial(200, p, (3, 10))
    table[0] = 200 - table[1]
    beliefs = believe(table, np.array([0.0, 200.0]), WEIGHTS, EVERYWHERE)
    assert np.abs(beliefs.mean - p).max() < 0.12
    assert np.all(np.diff(beliefs.mean) <= 1e-12)
