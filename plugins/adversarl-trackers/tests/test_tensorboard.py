import subprocess
import sys

import pluggy
import pytest
from adversarl_trackers.tensorboard import TensorBoard
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

from adversarl import hooks
from adversarl.metrics import wilson
from adversarl.testing import checks_for
from adversarl.types import CellResult, FailureMode, FailureReport, Proposal

RECIPE = {"run": {"name": "check", "seed": 3}, "curriculum": {"use": "rules", "axes": ["hue", "shadow"], "quick": True}}


@pytest.mark.parametrize("check", checks_for("tracker"))
def test_the_promises_of_a_tracker_are_kept(check):
    check(TensorBoard)


@pytest.fixture
def hook(tmp_path):
    manager = pluggy.PluginManager("adversarl")
    manager.add_hookspecs(hooks)
    manager.register(TensorBoard(TensorBoard.Options(), tmp_path))
    manager.check_pending()
    return manager.hook


def read(folder):
    accumulator = EventAccumulator(str(folder / "tensorboard"))
    accumulator.Reload()
    return accumulator


def scalars(folder, tag):
    return {event.step: pytest.approx(event.value) for event in read(folder).Scalars(tag)}


def text(folder, tag):
    (*_, last) = read(folder).Tensors(tag)
    return last.step, last.tensor_proto.string_val[0].decode()


def start(hook, folder, resumed_at=0):
    hook.adversarl_run_started(folder=folder, recipe=RECIPE, resumed_at=resumed_at)


def test_scalars_keep_their_names_and_steps(hook, tmp_path):
    start(hook, tmp_path)
    hook.adversarl_scalars(step=100, scalars={"rollout/success_rate": 0.25, "train/loss": 3.0})
    hook.adversarl_scalars(step=200, scalars={"rollout/success_rate": 0.5})
    assert scalars(tmp_path, "rollout/success_rate") == {100: 0.25, 200: 0.5}
    assert scalars(tmp_path, "train/loss") == {100: 3.0}


def test_a_resumed_run_replaces_what_it_repeats(hook, tmp_path):
    start(hook, tmp_path)
    for step in (100, 200, 300):
        hook.adversarl_scalars(step=step, scalars={"rollout/success_rate": 0.1})
    manager = pluggy.PluginManager("adversarl")
    manager.add_hookspecs(hooks)
    manager.register(TensorBoard(TensorBoard.Options(), tmp_path))
    start(manager.hook, tmp_path, resumed_at=200)
    manager.hook.adversarl_scalars(step=250, scalars={"rollout/success_rate": 0.7})
    assert scalars(tmp_path, "rollout/success_rate") == {100: 0.1, 200: 0.1, 250: 0.7}


def test_reports_become_scalars_and_sentences(hook, tmp_path):
    mode = FailureMode("hue", "fill", (0.5, 1.0), wilson(2, 10), 0.6, "success with hue is 20 %")
    hook.adversarl_report(env_steps=500, report=FailureReport(80, wilson(6, 10), wilson(9, 10), (mode,), changed=True))
    assert scalars(tmp_path, "failure/success_rate") == {500: 0.6}
    assert scalars(tmp_path, "failure/nominal_success_rate") == {500: 0.9}
    assert scalars(tmp_path, "failure/effect/hue/fill") == {500: 0.6}
    step, written = text(tmp_path, "failure/report")
    assert step == 500
    assert written.startswith("80 episodes: success 60 % [31, 83] (n=10), nominal 90 % [60, 98] (n=10). Success has")
    assert "- success with hue is 20 %" in written


def test_a_report_without_episodes_has_no_rates(hook, tmp_path):
    hook.adversarl_report(env_steps=0, report=FailureReport(0, wilson(0, 0), wilson(0, 0)))
    assert "failure/success_rate" not in read(tmp_path).Tags()["scalars"]
    assert "success unknown" in text(tmp_path, "failure/report")[1]


def test_the_newest_prompts_come_with_each_report(hook, tmp_path):
    for episode in range(30):
        proposal = Proposal(f"move | it at {episode} %", "because", onset=episode, duration=5)
        hook.adversarl_prompt(env=0, episode=episode, proposal=proposal)
    hook.adversarl_report(env_steps=500, report=FailureReport(0, wilson(0, 0), wilson(0, 0)))
    _, written = text(tmp_path, "curriculum/prompts")
    assert written.count("\n") == 11
    assert "| 29 | move \\| it at 29 % | from step 29, 5 steps | because |" in written


def test_evaluations_become_curves_and_a_table(hook, tmp_path):
    cells = [CellResult("mixed", 0.0, (1, 2), (True, True)), CellResult("mixed", 0.25, (1, 2), (True, False))]
    hook.adversarl_evaluation_finished(step=900, name="final", results=cells)
    assert scalars(tmp_path, "evaluation/mixed/0.25") == {900: 0.5}
    assert scalars(tmp_path, "evaluation/mixed/auc") == {900: 0.75}
    assert "| mixed | 25% | 50 % [9, 91] (n=2) |" in text(tmp_path, "evaluation/final")[1]


def test_the_recipe_becomes_text_and_hyperparameters(hook, tmp_path):
    start(hook, tmp_path)
    hook.adversarl_scalars(step=300, scalars={"time/fps": 1.0})
    hook.adversarl_run_finished(
        folder=tmp_path, summary={"name": "check", "robustness_auc": {"value": 0.5, "n": 10}, "env_steps": 300}
    )
    assert "| curriculum.axes | hue, shadow |" in text(tmp_path, "recipe")[1]
    assert scalars(tmp_path, "summary/robustness_auc") == {300: 0.5}
    content = read(tmp_path).SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    started = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info.hparams
    assert started["curriculum.use"].string_value == "rules"
    assert started["curriculum.quick"].bool_value is True
    assert started["run.seed"].number_value == 3
    metrics = read(tmp_path).SummaryMetadata("_hparams_/experiment").plugin_data.content
    names = [m.name.tag for m in plugin_data_pb2.HParamsPluginData.FromString(metrics).experiment.metric_infos]
    assert names == ["summary/robustness_auc", "summary/env_steps"]


def test_neither_torch_nor_tensorflow_is_imported():
    code = "import sys, adversarl_trackers.tensorboard; assert not {'torch', 'tensorflow'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
