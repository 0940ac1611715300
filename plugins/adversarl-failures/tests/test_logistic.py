import numpy as np
import pytest
from adversarl_failures.logistic import adjusted_effect, evidence, fit, scores


def two_groups(a, n, b, m):
    """Columns (1, condition) and outcomes: a of n succeed without the condition, b of m with it."""
    condition = np.repeat([0.0, 1.0], [n, m])
    success = np.concatenate([np.arange(n) < a, np.arange(m) < b])
    return np.column_stack([np.ones(n + m), condition]), success


def test_a_saturated_model_adds_half_an_episode_to_each_cell():
    design, success = two_groups(18, 20, 3, 15)
    intercept, slope = fit(design, success).coefficients
    assert intercept == pytest.approx(np.log(18.5 / 2.5), abs=1e-4)
    assert intercept + slope == pytest.approx(np.log(3.5 / 12.5), abs=1e-4)


def test_coefficients_stay_finite_where_a_condition_always_fails():
    design, success = two_groups(30, 30, 0, 12)
    intercept, slope = fit(design, success).coefficients
    assert intercept == pytest.approx(np.log(30.5 / 0.5), abs=1e-3)
    assert intercept + slope == pytest.approx(np.log(0.5 / 12.5), abs=1e-3)


def test_a_model_does_not_depend_on_the_units_of_its_columns():
    design, success = two_groups(18, 20, 3, 15)
    assert evidence(1000 * design, success) == pytest.approx(evidence(design, success), abs=1e-3)


def test_evidence_is_standard_normal_where_nothing_matters():
    rng = np.random.default_rng(0)
    values = []
    for _ in range(300):
        design = np.column_stack([np.ones(120), rng.random(120), rng.random(120) < 0.2])
        values.append(evidence(design, rng.random(120) < 0.8))
    assert abs(np.mean(values)) < 3 / np.sqrt(300)
    assert 0.85 < np.std(values) < 1.15
    assert np.mean(np.array(values) > 1.645) < 0.09  # 99 % quantile of Binomial(300, 0.05) / 300


def test_evidence_tells_harm_from_help():
    assert evidence(*two_groups(18, 20, 3, 15)) > 3
    assert evidence(*two_groups(3, 20, 14, 15)) < -3


def test_a_companion_of_a_cause_has_no_evidence_of_its_own():
    rng = np.random.default_rng(0)
    cause = rng.random(400) < 0.3
    companion = np.where(rng.random(400) < 0.85, cause, rng.random(400) < 0.3)
    success = rng.random(400) < np.where(cause, 0.2, 0.9)
    alone = np.column_stack([np.ones(400), companion])
    assert evidence(alone, success) > 5
    assert abs(evidence(np.column_stack([np.ones(400), cause, companion]), success)) < 2


def test_the_adjusted_effect_of_a_saturated_model_is_the_difference_of_rates():
    design, success = two_groups(160, 200, 60, 150)
    effect, error = adjusted_effect(design, fit(design, success), 1)
    assert effect == pytest.approx(0.8 - 0.4, abs=0.005)
    assert error == pytest.approx(np.sqrt(0.8 * 0.2 / 200 + 0.4 * 0.6 / 150), rel=0.02)


def test_scores_rank_columns_as_fitted_models_do():
    rng = np.random.default_rng(3)
    columns = (rng.random((500, 6)) < 0.3).astype(float)
    design = np.column_stack([np.ones(500), rng.random(500)])
    odds = 1.0 + design[:, 1] - columns @ np.array([3.0, 2.0, 1.0, 0.5, 0.0, -1.0])
    success = rng.random(500) < 1 / (1 + np.exp(-odds))
    fitted = [evidence(np.column_stack([design, column]), success) for column in columns.T]
    scored = scores(design, success, columns)
    assert np.argsort(scored).tolist() == np.argsort(fitted).tolist()
    np.testing.assert_allclose(scored, fitted, atol=1.0)


def test_a_column_that_depends_on_the_design_scores_nothing():
    rng = np.random.default_rng(0)
    design = np.column_stack([np.ones(60), rng.random(60) < 0.5]).astype(float)
    success = rng.random(60) < 0.5
    assert scores(design, success, 1 - design[:, 1:]).tolist() == [0.0]
