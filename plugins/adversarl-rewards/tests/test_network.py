"""The network, its input, its augmentation, its fit and its file."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from adversarl_rewards import augment
from adversarl_rewards.errors import ModelError
from adversarl_rewards.fitting import PRECISION, fit_network, recommended
from adversarl_rewards.network import Network, as_input, load, shrunk

from adversarl.labelled import LabelledFrames


def drawn(n, seed, size=24):
    """Pictures of a box on a table of drawn colors; success is a box that was raised to the upper third."""
    rng = np.random.default_rng(seed)
    frames = np.tile(rng.integers(60, 160, (n, 1, 1, 3)), (1, size, size, 1))
    frames[:, size * 3 // 4 :] //= 2
    edge, raised = size // 3, rng.random(n)
    for frame, height, left in zip(frames, raised, rng.integers(0, size - edge, n), strict=True):
        top = round((1 - height) * (size - edge))
        frame[top : top + edge, left : left + edge] = rng.integers(190, 256, 3)
    success = raised > 0.67
    kinds, names = np.where(success, "solved", "apart"), np.full(n, "nominal")
    progress, episode = raised.astype(np.float32), np.arange(n)
    return LabelledFrames(
        "raise the box", frames.astype(np.uint8), success, progress, episode, names, np.zeros(n, np.float32), kinds
    )


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """More would wait for each other on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def frames():
    return drawn(1000, 0), drawn(200, 1)


def fitted(frames, **changed):
    return fit_network(*frames, **{"size": 24, "epochs": 4, "seed": 0, "on_batch": lambda done, total: None} | changed)


@pytest.fixture(scope="module")
def model(frames):
    return fitted(frames)


def test_success_and_progress_are_learnt(model):
    fresh = drawn(200, 2)
    probability, progress = model.judge(fresh.frames)
    yes = probability >= 0.5
    accuracy = (yes[fresh.success].mean() + (~yes[~fresh.success]).mean()) / 2
    assert accuracy > 0.85
    assert np.corrcoef(progress, fresh.progress)[0, 1] > 0.9


def test_the_same_seed_gives_the_same_weights_whatever_was_drawn_before(frames):
    small = frames[0].rows(np.arange(300)), frames[1]
    first = fitted(small, epochs=1)
    torch.rand(7)
    state = torch.get_rng_state()
    again, other = fitted(small, epochs=1), fitted(small, epochs=1, seed=1)
    assert torch.equal(torch.get_rng_state(), state)
    for name, weights in first.network.state_dict().items():
        assert torch.equal(weights, again.network.state_dict()[name])
    assert first.judge(small[1].frames)[0].tolist() != other.judge(small[1].frames)[0].tolist()


def test_training_without_progress_teaches_success_alone(frames):
    blind = frames[0].rows(np.arange(300))
    blind.progress[:] = np.nan
    probability, _ = fitted((blind, frames[1]), epochs=1).judge(frames[1].frames)
    assert np.isfinite(probability).all()


def test_calibration_makes_the_labels_likelier(model, frames):
    logits, truth = model.logits(frames[1].frames)[:, 0].double(), torch.from_numpy(frames[1].success).double()

    def loss(temperature):
        return float(torch.nn.functional.binary_cross_entropy_with_logits(logits / temperature, truth))

    assert loss(model.temperature) <= min(loss(1.1 * model.temperature), loss(0.9 * model.temperature), loss(1.0))


def test_the_recommended_threshold_is_the_lowest_that_is_precise():
    probability = torch.tensor([0.99] * 60 + [0.805] + [0.1] * 40)
    truth = torch.tensor([True] * 60 + [False] * 41)
    assert recommended(probability, truth) == 0.5  # 60 of 61
    truth[:2] = False
    assert recommended(probability, truth) == 0.99  # 58 of 60 are not enough
    truth[:2], truth[10] = True, False
    assert recommended(probability, truth) == 0.81  # 59 of 60 are, 59 of 61 are not
    assert 59 / 61 < PRECISION < 59 / 60


def test_a_model_that_was_saved_judges_almost_as_before(model, frames, tmp_path):
    path = tmp_path / "deep" / "model.pt"
    model.noted({"held_out_axes": ["fog"]}).save(path)
    again = load(path)
    assert (again.task, again.size, again.about) == (frames[0].task, 24, {"held_out_axes": ["fog"]})
    assert (again.temperature, again.threshold) == (model.temperature, model.threshold)
    np.testing.assert_allclose(again.judge(frames[1].frames), model.judge(frames[1].frames), atol=0.03)  # float16
    again.save(path)
    np.testing.assert_array_equal(load(path).judge(frames[1].frames), again.judge(frames[1].frames))
    assert [file.name for file in path.parent.iterdir()] == ["model.pt"]


def test_loading_leaves_the_global_generator_alone(model, tmp_path):
    model.save(tmp_path / "model.pt")
    state = torch.get_rng_state()
    load(tmp_path / "model.pt")
    assert torch.equal(torch.get_rng_state(), state)


def test_what_is_no_model_is_named(tmp_path):
    path = tmp_path / "model.pt"
    mend = f"Train one: adversarl reward train RECIPE --out {path}"
    with pytest.raises(ModelError) as caught:
        load(path)
    assert str(caught.value) == f"reward.model: {path}: there is no such file. {mend}"
    for content in (b"", b"no model", b"PK\x03\x04"):
        path.write_bytes(content)
        with pytest.raises(ModelError) as caught:
            load(path)
        assert str(caught.value) == f"reward.model: {path}: is no model of this detector. {mend}"
    for foreign in ([1, 2], {"weights": {}}, {"format": 1, "size": 24, "weights": {"see": torch.zeros(1)}}):
        torch.save(foreign, path)
        with pytest.raises(ModelError, match="is no model of this detector"):
            load(path)
    torch.save({"format": 99}, path)
    with pytest.raises(ModelError) as caught:
        load(path)
    assert str(caught.value) == f"reward.model: {path}: has format 99, this version reads 1. {mend}"


@pytest.mark.parametrize("shape", [(84, 84), (48, 64), (20, 20), (200, 150), (16, 40)])
def test_pictures_of_any_size_fit(shape):
    frames = np.full((3, *shape, 3), 51, np.uint8)
    seen = as_input(frames, 32)
    assert tuple(seen.shape) == (3, 3, 32, 32)
    torch.testing.assert_close(seen, torch.full_like(seen, 0.2))


def test_shrinking_first_or_when_judged_makes_no_difference():
    frames = np.random.default_rng(0).integers(0, 256, (5, 60, 60, 3), np.uint8)
    torch.testing.assert_close(as_input(shrunk(frames, 30), 30), as_input(frames, 30), atol=0.51 / 255, rtol=0)


def test_no_pictures_are_no_judgements(model):
    probability, progress = model.judge(np.zeros((0, 24, 24, 3), np.uint8))
    assert probability.shape == progress.shape == (0,)


def test_a_network_does_not_mind_how_light_it_is():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network, pictures = Network(32).eval(), torch.rand(4, 3, 32, 32)
    torch.testing.assert_close(network(0.5 * pictures + 0.2), network(pictures), atol=0.1, rtol=0.1)


@pytest.mark.parametrize("name", ["moved", "recolored", "convolved", "overlaid", "veiled", "blurred", "patched"])
def test_every_augmentation_changes_pictures_and_is_drawn(name):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        pictures = torch.rand(6, 3, 32, 32)
        before = pictures.clone()
        one, two = (getattr(augment, name)(pictures) for _ in range(2))
        torch.manual_seed(0)
        torch.rand(6, 3, 32, 32)
        again = getattr(augment, name)(pictures)
    assert one.shape == pictures.shape
    assert torch.isfinite(one).all()
    torch.testing.assert_close(pictures, before)
    torch.testing.assert_close(one, again)
    assert not torch.equal(one, two)
    assert not torch.equal(one, pictures)


def test_augmented_pictures_stay_pictures():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        seen = augment.augmented(torch.rand(16, 3, 24, 24))
    assert seen.min() >= 0
    assert seen.max() <= 1
