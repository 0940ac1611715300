"""W&B for real, offline: what it wrote is read back from its own file."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pluggy
import pytest
from adversarl_trackers.weights_and_biases import WeightsAndBiases

from adversarl import hooks
from adversarl.errors import AdversarlError
from adversarl.metrics import wilson
from adversarl.testing import checks_for
from adversarl.types import CellResult, FailureMode, FailureReport, Proposal

wandb = pytest.importorskip("wandb")
RECIPE = {"run": {"name": "check", "seed": 3}, "curriculum": {"use": "rules", "axes": ["hue", "shadow"]}}
BLOCK = 32768
RUN = """
[run]
total_steps = 24_000
checkpoint_every = 2_000
evaluate_every = 8_000

[backend]
use = "point-mass"
num_envs = 4
image_size = 16
max_episode_steps = 20

[failure]
use = "none"
report_every = 20

[learner]
use = "random-search"
directions = 2

[evaluation]
episodes = 2
intensities = [0.0, 1.0]

[tracking]
use = ["wandb", "tensorboard"]
"""


def chunks(path):
    """Records of a W&B file, a log as LevelDB keeps it: blocks with pieces that have checksum, length and kind."""
    content, at, record = path.read_bytes(), 7, b""
    while at + 7 <= len(content):
        if BLOCK - at % BLOCK < 7:
            at += BLOCK - at % BLOCK
            continue
        length, piece = int.from_bytes(content[at + 4 : at + 6], "little"), content[at + 6]
        record += content[at + 7 : at + 7 + length]
        at += 7 + length
        if piece in (1, 4):  # full, or the last piece
            yield record
            record = b""


def kind(record):
    return record.WhichOneof("record_type")


def records(folder):
    """All records of the runs in a folder, oldest first; W&B's own process may still be writing the last ones."""
    from wandb.proto.wandb_internal_pb2 import Record

    until = time.monotonic() + 60
    while True:
        paths = sorted(folder.glob("wandb/*run-*/*.wandb"), key=lambda path: path.parent.name)
        found = [[Record.FromString(chunk) for chunk in chunks(path)] for path in paths]
        if paths and any(kind(record) == "exit" for record in found[-1]):
            return [record for file in found for record in file]
        assert time.monotonic() < until, paths
        time.sleep(0.05)


def history(folder):
    """Rows as they were logged."""
    rows = [r.history for r in records(folder) if kind(r) == "history"]
    keyed = [{".".join(i.nested_key) or i.key: json.loads(i.value_json) for i in row.item} for row in rows]
    return [{key: value for key, value in row.items() if not key.startswith("_")} for row in keyed]


def scalars(folder, tag):
    return {row["env_steps"]: row[tag] for row in history(folder) if tag in row}


def summary(folder):
    found = {}
    for record in records(folder):
        if kind(record) == "summary":
            found |= {".".join(i.nested_key) or i.key: json.loads(i.value_json) for i in record.summary.update}
    return found


def runs(folder):
    return [r.run for r in records(folder) if kind(r) == "run"]


def config(folder):
    return {".".join(i.nested_key) or i.key: json.loads(i.value_json) for i in runs(folder)[0].config.update}


def track(folder, **options):
    manager = pluggy.PluginManager("adversarl")
    manager.add_hookspecs(hooks)
    tracker = WeightsAndBiases(WeightsAndBiases.Options(**options), folder)
    manager.register(tracker)
    manager.check_pending()
    return manager.hook


def start(folder, resumed_at=0, **options):
    hook = track(folder, **options)
    hook.adversarl_run_started(folder=folder, recipe=RECIPE, resumed_at=resumed_at)
    return hook


def finish(hook, folder):
    hook.adversarl_run_finished(folder=folder, summary={"robustness_auc": {"value": 0.5, "n": 10}, "name": "check"})


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    """No settings of whoever runs the tests, and no proxy that could be asked."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.parametrize("check", checks_for("tracker"))
def test_the_promises_of_a_tracker_are_kept(check):
    check(WeightsAndBiases)


def test_everything_is_in_the_run_folder_under_tensorboards_names(tmp_path):
    hook = start(tmp_path, project="arm", group="rules", tags=("one", "two"), name="third")
    hook.adversarl_scalars(step=100, scalars={"rollout/success_rate": 0.25, "train/loss": 3.0})
    hook.adversarl_scalars(step=200, scalars={"rollout/success_rate": 0.5})
    hook.adversarl_prompt(env=0, episode=7, proposal=Proposal("dim the light", "to see", onset=3, duration=5))
    mode = FailureMode("hue", None, (0.5, 1.0), wilson(2, 10), 0.6, "success with hue is 20 %")
    hook.adversarl_report(env_steps=250, report=FailureReport(80, wilson(6, 10), wilson(9, 10), (mode,)))
    cells = [CellResult("mixed", 0.0, (1, 2), (True, True)), CellResult("mixed", 0.25, (1, 2), (True, False))]
    hook.adversarl_evaluation_finished(step=300, name="final", results=cells)
    finish(hook, tmp_path)
    assert scalars(tmp_path, "rollout/success_rate") == {100: 0.25, 200: 0.5}
    assert scalars(tmp_path, "train/loss") == {100: 3.0}
    assert scalars(tmp_path, "failure/effect/hue") == {250: 0.6}
    assert scalars(tmp_path, "evaluation/mixed/0.25") == {300: 0.5}
    assert scalars(tmp_path, "evaluation/mixed/auc") == {300: 0.75}
    assert summary(tmp_path)["summary/robustness_auc"] == 0.5
    assert config(tmp_path)["curriculum.axes"] == "hue, shadow"
    (run,) = runs(tmp_path)
    assert (run.project, run.run_group, list(run.tags), run.display_name) == ("arm", "rules", ["one", "two"], "third")
    tables = {tag: json.loads(media(tmp_path, tag).read_text()) for tag in ("curriculum/prompts", "evaluation/final")}
    assert tables["curriculum/prompts"]["data"] == [["7", "dim the light", "from step 3, 5 steps", "to see"]]
    assert tables["evaluation/final"]["data"][1] == ["mixed", "25%", "50 % [9, 91] (n=2)"]
    report = json.loads(media(tmp_path, "failure/report").read_text())
    assert "- success with hue is 20 %" in report["data"][0][0]


def media(folder, tag):
    """The file of the last table, picture or film with a name."""
    (*_, last) = (row[f"{tag}.path"] for row in history(folder) if f"{tag}.path" in row)
    (path,) = folder.glob(f"wandb/*run-*/files/{last}")
    return path


def test_curves_are_drawn_over_environment_steps(tmp_path):
    finish(start(tmp_path), tmp_path)
    metrics = [r.metric for r in records(tmp_path) if kind(r) == "metric"]
    assert {(m.name or m.glob_name, m.step_metric) for m in metrics} == {("env_steps", ""), ("*", "env_steps")}


def test_pictures_and_films_are_files_of_the_run(tmp_path):
    from PIL import Image

    film = np.zeros((4, 24, 24, 3), np.uint8)
    for index in range(4):
        film[index, :, 6 * index : 6 * index + 6] = (250, 120, 10)
    hook = start(tmp_path)
    picture, video = "trajectory/image/mixed/0.00", "trajectory/video/mixed/0.00"
    hook.adversarl_media(step=400, pictures={picture: film[0]}, videos={video: film})
    finish(hook, tmp_path)
    assert {step for tag in (picture, video) for step in scalars(tmp_path, f"{tag}.path")} == {400}
    with Image.open(media(tmp_path, picture)) as image:
        assert np.array_equal(np.asarray(image.convert("RGB")), film[0])
    with Image.open(media(tmp_path, video)) as image:
        assert (image.format, image.n_frames) == ("GIF", 4)
        image.seek(3)
        assert np.abs(np.asarray(image.convert("RGB")).astype(int) - film[3]).max() <= 8


def test_a_resumed_run_is_the_same_run_of_wandb_and_may_go_back(tmp_path):
    first = start(tmp_path)
    for step in (100, 200, 300):
        first.adversarl_scalars(step=step, scalars={"rollout/success_rate": 0.1})
    del first  # interrupted: no goodbye
    second = start(tmp_path, resumed_at=200)
    second.adversarl_scalars(step=250, scalars={"rollout/success_rate": 0.7})
    finish(second, tmp_path)
    assert len({run.run_id for run in runs(tmp_path)}) == 1
    assert runs(tmp_path)[0].run_id == (tmp_path / "wandb" / "id").read_text()
    assert scalars(tmp_path, "rollout/success_rate") == {100: 0.1, 200: 0.1, 300: 0.1, 250: 0.7}


def test_two_folders_are_two_runs(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        finish(start(tmp_path / name), tmp_path / name)
    one, other = ((tmp_path / name / "wandb" / "id").read_text() for name in ("a", "b"))
    assert one != other
    assert [run.display_name for name in ("a", "b") for run in runs(tmp_path / name)] == ["a", "b"]
    assert [run.run_group for run in runs(tmp_path / "a")] == ["check"]


def test_disabled_writes_nothing_of_wandbs(tmp_path):
    hook = start(tmp_path, mode="disabled")
    hook.adversarl_scalars(step=100, scalars={"rollout/success_rate": 0.25})
    finish(hook, tmp_path)
    assert not list(tmp_path.rglob("*.wandb"))


def test_online_without_an_account_is_refused_before_training(tmp_path):
    with pytest.raises(AdversarlError, match=r"\[tracking.wandb\] mode = 'online' needs an account. Run: wandb login"):
        WeightsAndBiases(WeightsAndBiases.Options(mode="online"), tmp_path)


def test_the_package_is_imported_when_a_run_wants_it_and_its_absence_is_explained(tmp_path):
    code = (
        "import sys, adversarl_trackers.weights_and_biases as module\n"
        "from pathlib import Path\n"
        "assert 'wandb' not in sys.modules\n"
        "sys.modules['wandb'] = None\n"
        "try:\n    module.WeightsAndBiases(module.WeightsAndBiasesOptions(), Path('.'))\n"
        "except Exception as error:\n    assert type(error).__name__ == 'MissingExtra', error\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "Run: pip install 'adversarl-trackers[wandb]'" in done.stdout


def children(marker):
    """Command lines of processes of W&B that carry a marker in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if marker.encode() in (folder / "environ").read_bytes() and b"wandb-core" in (
                line := (folder / "cmdline").read_bytes()
            ):
                found.append(line)
        except OSError:
            continue
    return found


def command(folder, *options):
    (folder / "small.toml").write_text(RUN)
    main = "from adversarl.cli import main; main()"
    words = [sys.executable, "-c", main, "run", "small.toml", "--out", "run", *options]
    environment = {**os.environ, "ADVERSARL_MARK": str(folder)}
    # No way out: whoever asks for a connection is told that there is none.
    environment |= {name: "http://127.0.0.1:9" for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")}
    return subprocess.Popen(
        words, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for_none(folder):
    until = time.monotonic() + 60
    while children(str(folder)) and time.monotonic() < until:
        time.sleep(0.1)
    assert children(str(folder)) == []


@pytest.mark.skipif(not Path("/proc").exists(), reason="processes are looked up in /proc")
def test_a_run_killed_and_resumed_is_tracked_without_network_and_leaves_no_process(tmp_path):
    process = command(tmp_path)
    until = time.monotonic() + 80
    while not list(tmp_path.glob("run/wandb/offline-run-*/*.wandb")) or not list(
        tmp_path.glob("run/checkpoints/step-*")
    ):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    wait_for_none(tmp_path)
    process = command(tmp_path, "--resume")
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, out + err
    assert "Training goes on without it" not in out + err
    wait_for_none(tmp_path)
    made = sorted(path.name for path in tmp_path.glob("run/wandb/offline-run-*"))
    assert [name.rpartition("-")[2] for name in made] == [(tmp_path / "run" / "wandb" / "id").read_text()] * 2
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    events.Reload()
    tags = events.Tags()
    logged = {tag for row in history(tmp_path / "run") for tag in row} | set(summary(tmp_path / "run"))
    assert set(tags["scalars"]) <= logged
    assert {f"{tag}.path" for tag in tags["images"]} <= logged
    assert "trajectory/video/mixed/0.00" in tags["images"]
    for tag in tags["scalars"]:
        if not tag.startswith(("time/", "summary/")):
            found = scalars(tmp_path / "run", tag)
            shown = {event.step: pytest.approx(event.value) for event in events.Scalars(tag) if event.step in found}
            assert shown == found, tag
