"""The reward detector `classifier`, and the model that comes with the package."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from adversarl_mujoco.backend import Mujoco
from adversarl_rewards.classifier import SHIPPED, Classifier, model_path
from adversarl_rewards.collect import collect, grid_trials
from adversarl_rewards.errors import ModelError, OtherTask, UnknownModel
from adversarl_rewards.network import Model, Network

from adversarl.interfaces.reward import Step

TASK = "pick up the cube"


@pytest.fixture
def frames():
    return np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), np.uint8)


@pytest.fixture
def file(tmp_path):
    """A model that was never trained."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        Model(Network(32).eval(), TASK, 32, 1.0, 0.9, {"held_out_axes": ["fog"]}).save(tmp_path / "model.pt")
    return tmp_path / "model.pt"


def make(file, **options):
    return Classifier(Classifier.Options(model=str(file), **options))


def step(frames):
    n = len(frames)
    return Step(frames, TASK, np.zeros(n), np.zeros(n, bool), np.zeros(n, bool))


@pytest.fixture(scope="module")
def nominal():
    """Nominal pictures of the task `pick`, of episodes that nothing was trained on."""
    world = Mujoco(Mujoco.Options(task="pick", num_envs=16, threads=1)).make(seed=0)
    rng = np.random.default_rng(20)
    found = collect(world, grid_trials((), (0,), 48, rng), rng)
    world.close()
    return found


def test_the_shipped_model_sees_success(nominal):
    detector = Classifier(Classifier.Options())
    found = detector.judge(nominal.frames, nominal.task)
    yes = found.probability >= detector.options.threshold
    assert (yes[nominal.success].mean() + (~yes[~nominal.success]).mean()) / 2 >= 0.9
    assert yes[nominal.kind == "apart"].mean() < 0.05
    assert np.corrcoef(found.progress, nominal.progress)[0, 1] > 0.9


def test_the_shipped_model_knows_what_it_has_not_seen():
    detector = Classifier(Classifier.Options())
    assert {"camera-position", "object-color", "fog", "distractors"} <= set(detector.held_out_axes)
    assert detector.model.task == TASK
    assert (SHIPPED / "pick.pt").stat().st_size < 1_000_000


def test_a_model_is_a_file_or_the_name_of_one_that_is_shipped(tmp_path):
    assert model_path("pick") == SHIPPED / "pick.pt"
    assert model_path("pick.pt").name == "pick.pt"
    assert model_path("models/stack").parts == ("models", "stack")
    assert model_path(str(tmp_path)) == tmp_path
    with pytest.raises(UnknownModel) as caught:
        Classifier(Classifier.Options(model="pikc"))
    assert str(caught.value) == (
        "reward.model: no model named 'pikc' comes with adversarl-rewards, which has: pick. Did you mean 'pick'? "
        "For a file, write its name with .pt; to train one: adversarl reward train RECIPE --out pikc.pt"
    )


def test_a_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(ModelError) as caught:
        make(tmp_path / "none.pt")
    path = tmp_path / "none.pt"
    assert str(caught.value) == (
        f"reward.model: {path}: there is no such file. Train one: adversarl reward train RECIPE --out {path}"
    )


def test_another_task_than_the_one_it_was_trained_on_is_named(file, frames):
    detector = make(file)
    with pytest.raises(OtherTask) as caught:
        detector.begin(frames, np.ones(6, bool), "put the cube away")
    assert str(caught.value) == (
        f'reward.model: {file} was trained on "pick up the cube", and the task is "put the cube away". '
        "Train one for it: adversarl reward train RECIPE --out FILE.pt; or set reward.any_task = true"
    )
    assert np.isfinite(make(file, any_task=True).judge(frames, "put the cube away").probability).all()
    assert np.isfinite(detector.judge(frames, "").probability).all()


def test_each_picture_is_judged_by_itself_and_in_bounds(file, frames):
    detector = make(file)
    together = detector.judge(frames, TASK)
    for one in (together.probability, together.progress):
        assert one.dtype == np.float64
        assert ((one > 0) & (one < 1)).all()
    for i in range(6):
        alone = detector.judge(frames[i : i + 1], TASK)
        np.testing.assert_allclose(alone.probability, together.probability[i : i + 1], atol=1e-5)


def test_making_one_leaves_the_global_generator_alone(file):
    state = torch.get_rng_state()
    make(file)
    assert torch.equal(torch.get_rng_state(), state)


def test_it_goes_on_exactly_where_it_was(file, frames):
    rng = np.random.default_rng(1)
    film = rng.integers(0, 256, (12, 6, 32, 32, 3), np.uint8)
    first = make(file, threshold=0.4, hold=2)
    first.begin(frames, np.ones(6, bool), TASK)
    whole = [first.score(step(one)) for one in film[:6]]
    state = first.state_dict()
    whole += [first.score(step(one)) for one in film[6:]]
    again = make(file, threshold=0.4, hold=2)
    again.load_state_dict(state)
    for one, score in zip(film[6:], whole[6:], strict=True):
        repeated = again.score(step(one))
        np.testing.assert_array_equal(repeated.reward, score.reward)
        np.testing.assert_array_equal(repeated.success, score.success)


def test_what_was_learnt_after_training_is_noted_in_the_file(file):
    Classifier.note(file, {"held_out_axes": ["rain"], "seed": 3})
    assert make(file).held_out_axes == ("rain",)
    assert make(file).model.about["seed"] == 3
    model = make(file).model
    replace(model, about={}).save(file)
    assert make(file).held_out_axes == ()


def test_sixteen_pictures_take_few_milliseconds_each():
    detector, before = Classifier(Classifier.Options()), torch.get_num_threads()
    frames = np.random.default_rng(0).integers(0, 256, (16, 84, 84, 3), np.uint8)
    torch.set_num_threads(1)
    try:
        times = []
        for _ in range(10):
            begun = time.thread_time()
            detector.judge(frames, TASK)
            times.append(1000 * (time.thread_time() - begun) / 16)
    finally:
        torch.set_num_threads(before)
    assert min(times) < 3  # 0.4 on the machine it was made on; the rest is for slow and busy ones
