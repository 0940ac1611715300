import numpy as np
import pytest
from adversarl_rewards.bench.figures import by_condition, calibration_error, figures, reliability, spearman
from adversarl_rewards.bench.judged import Judged, judged
from scipy.stats import spearmanr
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from adversarl.detection import FrameOptions, Judgement
from adversarl.labelled import LabelledFrames

N = 240


def labels(seed=0, n=N):
    """Frames of 40 episodes: a third nominal, the others under two axes at two intensities."""
    rng = np.random.default_rng(seed)
    episode = np.arange(n) % 40
    success = rng.random(n) < 0.5
    nominal = episode % 3 == 0
    return LabelledFrames(
        "pick up the cube",
        np.zeros((n, 2, 2, 3), np.uint8),
        success,
        rng.random(n).astype(np.float32),
        episode,
        np.where(nominal, "nominal", np.where(episode % 2 == 0, "fog", "rain")),
        np.where(nominal, 0, np.where(episode % 4 < 2, 0.5, 1)).astype(np.float32),
        np.where(success, "solved", np.where(rng.random(n) < 0.5, "near", "apart")),
    )


def rows(probability, truth=None, **options):
    truth = truth or labels()
    found = Judgement(np.asarray(probability, float), np.full(len(truth), np.nan))
    return judged(truth, found, FrameOptions(**options))


def measured(probability, truth=None, **options):
    return figures(rows(probability, truth, **options), np.random.default_rng(0))


def test_one_that_always_says_yes_is_worth_a_coin():
    found = measured(np.ones(N))
    assert found["balanced_accuracy"] == {"value": 0.5, "low": 0.5, "high": 0.5}
    assert found["auroc"]["value"] == 0.5
    assert found["false_positives"]["value"] == 1
    assert found["false_negatives"]["value"] == 0
    assert found["calibration_error"] == pytest.approx(1 - labels().success.mean())


def test_one_that_says_the_truth_is_perfect_and_its_interval_is_not_without_width():
    found = measured(labels().success)
    assert found["balanced_accuracy"]["value"] == found["auroc"]["value"] == 1
    assert 0.85 < found["balanced_accuracy"]["low"] < 1
    assert found["calibration_error"] == found["brier"] == 0
    assert found["coverage"]["value"] == 1


def test_figures_are_those_of_scikit_learn():
    truth = labels()
    p = np.clip(truth.success * 0.3 + np.random.default_rng(1).random(N) * 0.7, 0, 1)
    found = measured(p, threshold=0.6)
    assert found["balanced_accuracy"]["value"] == pytest.approx(balanced_accuracy_score(truth.success, p >= 0.6))
    assert found["auroc"]["value"] == pytest.approx(roc_auc_score(truth.success, p))
    assert found["brier"] == pytest.approx(np.mean((p - truth.success) ** 2))
    assert found["false_positives"]["n"] == (~truth.success).sum()
    for key in ("balanced_accuracy", "auroc"):
        assert found[key]["low"] < found[key]["value"] < found[key]["high"]


def test_frames_that_nothing_is_said_of_are_no_errors_but_cost_coverage():
    truth = labels()
    p = np.where(truth.success, 0.9, 0.1)
    p[:60] = np.nan  # abstains
    p[60:120] = 0.6  # too unsure
    found = measured(p, confidence=0.8)
    assert found["coverage"]["value"] == 0.5
    assert found["accuracy"] == {"value": 1.0, "n": 120, "low": pytest.approx(0.969, abs=1e-3), "high": 1.0}
    assert found["brier"] == pytest.approx(np.nanmean((p - truth.success) ** 2))


def test_one_that_never_says_anything_has_no_figures():
    found = measured(np.full(N, np.nan))
    assert found["coverage"]["value"] == 0
    for key in ("balanced_accuracy", "auroc", "accuracy", "false_positives"):
        assert found[key]["value"] is None
    assert found["calibration_error"] is found["brier"] is None


def test_frames_that_are_all_solved_have_neither_auroc_nor_balanced_accuracy():
    truth = labels()
    found = measured(np.full(N, 0.8)[truth.success], truth.rows(truth.success))
    assert found["auroc"]["value"] is found["balanced_accuracy"]["value"] is None
    assert found["brier"] == pytest.approx(0.04)


def test_the_calibration_error_is_the_mean_distance_of_what_was_said_and_what_was_so():
    p = np.repeat([0.1, 0.5, 1.0], [10, 20, 10])
    success = np.concatenate([np.arange(10) < 3, np.arange(20) < 10, np.ones(10, bool)])
    bins = reliability(success, p)
    assert [row["said"] for row in bins] == pytest.approx([0.1, 0.5, 1.0])
    assert [row["solved"]["value"] for row in bins] == [0.3, 0.5, 1.0]
    assert calibration_error(bins) == pytest.approx(0.2 * 10 / 40)


def test_ranks_of_progress_agree_with_scipy_ties_included():
    truth, rng = labels(), np.random.default_rng(2)
    seen = np.round(truth.progress + rng.normal(0, 0.3, N), 1)
    seen[:10] = np.nan
    found = spearman(judged(truth, Judgement(np.ones(N), seen), FrameOptions()))
    assert found["n"] == N - 10
    assert found["value"] == pytest.approx(spearmanr(truth.progress[10:], seen[10:]).statistic)
    assert spearman(rows(np.ones(N))) == {"value": None, "n": 0}


def test_conditions_are_told_apart():
    truth = labels()
    p = np.where(truth.axis == "fog", ~truth.success, truth.success).astype(float)
    found = by_condition(rows(p), ("fog",), np.random.default_rng(0))
    accuracy = lambda row: row["balanced_accuracy"]["value"]  # noqa: E731
    assert accuracy(found["nominal"]) == 1
    assert {row["axis"]: accuracy(row) for row in found["axes"]} == {"fog": 0, "rain": 1}
    assert {(row["axis"], row["intensity"]) for row in found["cells"]} == {
        (axis, intensity) for axis in ("fog", "rain") for intensity in (0.5, 1.0)
    }
    assert [accuracy(row) for row in found["held_out"]] == [0, 0]
    assert [accuracy(row) for row in found["seen"]] == [1, 1]
    assert sum(row["n"] for row in found["intensities"]) + found["nominal"]["n"] == found["overall"]["n"] == N


def test_nothing_is_said_of_training_where_a_detector_knows_nothing_of_it():
    found = by_condition(rows(np.ones(N)), (), np.random.default_rng(0))
    assert "held_out" not in found
    assert "seen" not in found


def test_each_kind_of_unsolved_frames_stands_against_all_solved_ones():
    truth = labels()
    found = by_condition(rows(truth.kind != "apart"), (), np.random.default_rng(0))["kinds"]
    assert {row["kind"]: row["false_positives"]["value"] for row in found} == {"apart": 0, "near": 1}
    assert {row["kind"]: row["false_negatives"]["value"] for row in found} == {"apart": 0, "near": 0}
    assert found[0]["n"] == (truth.kind != "near").sum()


def test_an_axis_at_intensity_0_is_nominal():
    truth = labels()
    some = truth.rows(truth.intensity > 0)
    none = LabelledFrames(
        some.task, some.frames, some.success, some.progress, some.episode, some.axis, some.intensity * 0, some.kind
    )
    assert set(rows(np.ones(len(none)), none).axis) == {"nominal"}


def test_rows_are_cut_alike():
    cut = rows(np.linspace(0, 1, N)).rows(np.arange(3))
    assert isinstance(cut, Judged)
    assert len(cut) == len(cut.kind) == len(cut.probability) == 3
