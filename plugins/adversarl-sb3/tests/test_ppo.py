from __future__ import annotations

import numpy as np
import pytest
import torch
from adversarl_sb3.ppo import PPO

SMALL = dict(n_steps=32, batch_size=64, n_epochs=2, hidden=64, warm_start_steps=1500, warm_start_passes=8, threads=1)


def make(env, seed=0, **options):
    return PPO(PPO.Options(**(SMALL | options)), env, np.random.default_rng(seed))


def go_on(scalars):
    return True


def parameters(learner):
    return {name: value.clone() for name, value in learner.algorithm.policy.state_dict().items()}


def test_warm_start_then_training_raises_success(world, success_of):
    learner = make(world(8), warm_start_steps=700)  # enough to begin, too little to be perfect
    before = success_of(learner)
    learner.warm_start(go_on)
    warm = success_of(learner)
    learner.learn(6_000, go_on)
    after = success_of(learner)
    assert before < warm < after
    assert after > 0.8


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_resumed_training_gives_the_very_same_parameters(world, tmp_path, precision):
    options = dict(warm_start_steps=128, precision=precision)
    straight = make(world(), **options)
    straight.warm_start(go_on)
    straight.learn(1024, go_on)

    first_env = world()
    first = make(first_env, **options)
    first.warm_start(go_on)
    first.learn(1024, lambda scalars: first.env_steps < 512)
    assert first.env_steps == 512
    first.save(tmp_path)

    env = world()
    env.rewind(first_env.snapshot())
    torch.manual_seed(99)
    second = make(env, seed=7, **options)
    second.load(tmp_path)
    second.warm_start(go_on)
    second.learn(1024, go_on)

    expected, found = parameters(straight), parameters(second)
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_interrupted_warm_start_goes_on_exactly(world, tmp_path):
    options = dict(warm_start_steps=512)
    straight = make(world(), **options)
    straight.warm_start(go_on)

    first_env = world()
    first = make(first_env, **options)
    first.warm_start(lambda scalars: scalars["warm_start/frames"] < 256)
    assert first.warm_start_env_steps == 256
    first.save(tmp_path)

    env = world()
    env.rewind(first_env.snapshot())
    second = make(env, seed=7, **options)
    second.load(tmp_path)
    second.warm_start(go_on)

    assert second.warm_start_env_steps == 512
    expected, found = parameters(straight), parameters(second)
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_learning_stops_when_told_and_goes_on_when_called_again(world):
    learner = make(world(), warm_start_steps=0)
    learner.learn(512, lambda scalars: False)
    assert learner.env_steps == 128
    learner.learn(512, go_on)
    assert learner.env_steps == 512


def test_progress_carries_the_scalars_that_sb3_users_know(world):
    seen = {}
    learner = make(world(), warm_start_steps=0)
    learner.learn(384, lambda scalars: seen.update(scalars) or True)
    assert seen.keys() >= {
        "rollout/ep_rew_mean",
        "rollout/success_rate",
        "time/fps",
        "train/approx_kl",
        "train/clip_fraction",
        "train/explained_variance",
        "train/loss",
        "train/distillation_loss",
        "train/distillation_weight",
    }
    assert all(np.isfinite(value) for value in seen.values())


def test_the_actor_stands_still_while_the_critic_warms_up(world):
    learner = make(world(), warm_start_steps=256, distillation=0, critic_warm_up=100)
    learner.warm_start(go_on)
    before = {name: value.clone() for name, value in learner.algorithm.policy.named_parameters()}
    learner.learn(512, go_on)
    moved = {
        name for name, value in learner.algorithm.policy.named_parameters() if not torch.equal(value, before[name])
    }
    assert moved
    assert all(name.startswith(("value_net", "mlp_extractor.value_net")) for name in moved)


def test_distillation_weight_falls_to_zero(world):
    weights = []
    learner = make(world(), warm_start_steps=0, distillation=2.0, distillation_end=0.5)
    learner.learn(1024, lambda scalars: weights.append(scalars["train/distillation_weight"]) or True)
    assert weights == sorted(weights, reverse=True)
    assert weights[0] == pytest.approx(2.0 * 0.75)
    assert weights[-1] == 0.0


def test_plain_ppo_asks_no_teacher(world):
    class Teacherless(world):
        def teacher(self, indices):
            raise AssertionError("asked")

    learner = make(Teacherless(), warm_start_steps=0, distillation=0.0)
    learner.warm_start(go_on)
    learner.learn(256, go_on)
    assert learner.env_steps == 256
    assert learner.frames.size == 0


def test_actor_needs_no_privileged_state(world):
    env = world()
    observation, _ = env.reset(seed=0)
    actions = make(env).act(observation)
    assert actions.shape == (4, 3)
    assert actions.dtype == np.float32
    assert np.abs(actions).max() <= 1


def test_same_seed_same_policy(world):
    first, second, other = (make(world(), seed=seed, warm_start_steps=128) for seed in (3, 3, 4))
    for learner in (first, second, other):
        torch.manual_seed(0)
        learner.warm_start(go_on)
    a, b, c = parameters(first), parameters(second), parameters(other)
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert any(not torch.equal(a[name], c[name]) for name in a)
