from __future__ import annotations

import numpy as np
import pytest
from adversarl_sb3.ppo import PPO
from adversarl_sb3.sac import SAC
from adversarl_sb3.td3 import TD3

onnxruntime = pytest.importorskip("onnxruntime")
exporter = pytest.importorskip("adversarl_sb3.onnx_exporter")


def make(learner, env, **options):
    return learner(learner.Options(hidden=32, threads=1, **options), env, np.random.default_rng(0))


@pytest.mark.parametrize("learner", [PPO, SAC, TD3])
def test_exported_file_acts_as_the_policy_does(world, tmp_path, learner):
    env = world(6)
    trained = make(learner, env, precision="float32")
    path = exporter.Onnx(exporter.Onnx.Options()).export(trained, tmp_path / "policy.onnx")

    observation, _ = env.reset(seed=1)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    actions = session.run(["action"], observation)[0]
    np.testing.assert_allclose(actions, trained.act(observation), atol=1e-4)
    assert [entry.name for entry in session.get_inputs()] == ["image", "proprio"]
    assert [path] == list(tmp_path.iterdir())


def test_export_is_in_full_precision_and_leaves_the_learner_as_it_was(world, tmp_path):
    trained = make(PPO, world(), precision="bfloat16")
    observation, _ = trained.env.reset(seed=1)
    before = trained.act(observation)
    exporter.Onnx(exporter.Onnx.Options()).export(trained, tmp_path / "policy.onnx")
    np.testing.assert_array_equal(trained.act(observation), before)


def test_a_file_that_acts_otherwise_is_refused(world, tmp_path):
    other, trained = make(TD3, world()), make(TD3, world())
    writer = exporter.Onnx(exporter.Onnx.Options())
    path = writer.export(other, tmp_path / "policy.onnx")
    for parameter in trained.algorithm.policy.parameters():
        parameter.data += 0.1
    with pytest.raises(exporter.ExportError, match="actions differ from the policy's by up to"):
        writer._compare(trained, exporter.random_observation(trained, 3), path)
