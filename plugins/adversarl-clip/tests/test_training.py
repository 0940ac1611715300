import numpy as np
import pytest
from adversarl_clip.errors import OneSided
from adversarl_clip.goal_baseline import logistic
from adversarl_clip.head import Head, Linear, Origin, read
from adversarl_clip.training import Examples, fit_progress, fit_success, platt

ORIGIN = Origin("pick up the cube", "small.json", "small.safetensors", "ab12")


def examples(n, seed, *, noise=1.0, told=True):
    """Success is a logistic of one direction of twenty, on scales as different as features may have them."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, 20)) * np.logspace(-3, 3, 20) + 5
    odds = 3 * (features[:, 0] - 5) / 1e-3
    progress = logistic(odds / 4) if told else np.full(n, np.nan)
    return Examples(features, rng.random(n) < logistic(odds / noise), progress.astype(np.float32))


def test_a_head_finds_what_tells_success_and_how_surely():
    head, figures = fit_success(examples(2000, 0), examples(1000, 1))
    unseen = examples(4000, 2)
    probability = logistic(head(unseen.features))
    truth = logistic(3 * (unseen.features[:, 0] - 5) / 1e-3)
    assert figures["auroc"] > 0.9
    assert np.abs(probability - truth).mean() < 0.03


def test_a_head_on_noise_claims_nothing():
    rng = np.random.default_rng(0)

    def noise(n):
        return Examples(rng.normal(size=(n, 30)), rng.random(n) < 0.5, np.full(n, np.nan))

    head, _ = fit_success(noise(100), noise(200))
    assert np.abs(logistic(head(noise(500).features)) - 0.5).max() < 0.25


def test_perfect_separation_does_not_end_in_certainty():
    scores, success = np.repeat([-1.0, 1.0], 20), np.repeat([False, True], 20)
    slope, offset = platt(scores, success)
    # Platt's targets for 20 of each: 21/22 and 1/22.
    assert logistic(slope * scores + offset)[[0, -1]] == pytest.approx([1 / 22, 21 / 22], rel=1e-3)


def test_scores_that_say_nothing_leave_the_base_rate():
    slope, offset = platt(np.zeros(30), np.arange(30) < 10)
    assert logistic(np.array([slope * 0 + offset])) == pytest.approx([(10 * 11 / 12 + 20 / 22) / 30], rel=1e-3)


def test_progress_is_fitted_where_it_is_told():
    training, validation = examples(2000, 0), examples(500, 1)
    line, figures = fit_progress(training, validation)
    assert figures["progress_error"] < figures["progress_spread"] / 2
    assert np.abs(np.clip(line(validation.features), 0, 1) - validation.progress).mean() < 0.1
    assert fit_progress(examples(50, 0, told=False), validation) == (None, {})


@pytest.mark.parametrize(("part", "training", "validation"), [("training", 0, 1), ("validation", 1, 0)])
def test_frames_of_one_kind_teach_nothing(part, training, validation):
    def some(both):
        return Examples(np.random.default_rng(0).normal(size=(9, 2)), np.arange(9) < 4 * both, np.zeros(9))

    with pytest.raises(OneSided) as caught:
        fit_success(some(training), some(validation))
    assert str(caught.value) == (
        f"reward 'clip': {part} frames show the task solved 0 times and unsolved 9 times; a head needs both. "
        "Collect more episodes"
    )


def test_a_head_comes_back_from_its_file_as_it_was(tmp_path):
    pytest.importorskip("safetensors", reason="adversarl-clip's own environment: make test-clip")
    rng = np.random.default_rng(0)
    figures = {"auroc": 0.9, "goal": {"goal": "a cube, held"}}
    head = Head(Linear(rng.normal(size=7), 0.25), Linear(rng.normal(size=7), -3.0), ORIGIN, figures)
    head.save(tmp_path / "new" / "head.safetensors")
    again = read(tmp_path / "new" / "head.safetensors")
    features = rng.normal(size=(5, 7))
    assert (again.origin, again.figures) == (ORIGIN, figures)
    np.testing.assert_array_equal(again.probability(features), head.probability(features))
    np.testing.assert_array_equal(again.far(features), head.far(features))
    assert not any(word in (tmp_path / "new" / "head.safetensors").read_bytes() for word in (b"pickle", b"numpy"))


def test_a_head_without_progress_comes_back_too(tmp_path):
    pytest.importorskip("safetensors", reason="adversarl-clip's own environment: make test-clip")
    Head(Linear(np.ones(3), 0.0), None, ORIGIN).save(tmp_path / "head.safetensors")
    assert read(tmp_path / "head.safetensors").progress is None
