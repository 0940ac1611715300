from __future__ import annotations

import json
import multiprocessing
import os

import pyarrow.parquet as pq
import pytest

from adversarl.errors import RunFolderError
from adversarl.runs import JOURNALS, RunFolder, latest_checkpoint, read_rows, write_json
from adversarl.types import CellResult, Episode, Perturbation


def episode(index):
    fog = (Perturbation("fog", 0.5, value=(0.1, 0.2, 0.3)),)
    return Episode(index, 0, index, 10 * index, 10, 1.0, True, False, perturbations=fog, prompts=("fog",))


def save(folder, step, text="weights"):
    folder.save_checkpoint(
        step, {"loop": step}, {"phase": "train"}, lambda path: (path / "policy").write_text(text) and None
    )


def start(path):
    """A folder as a run leaves it before its first checkpoint."""
    folder = RunFolder(path, resume=False)
    (path / "recipe.toml").write_text("")
    return folder


def test_episodes_are_on_disk_as_soon_as_they_end(tmp_path):
    with RunFolder(tmp_path / "run", resume=False) as folder:
        folder.adversarl_episode_finished(episode(0))
        (row,) = read_rows(tmp_path / "run" / "episodes.jsonl")
        assert row["perturbations"][0]["value"] == [0.1, 0.2, 0.3]
        assert row["prompts"] == ["fog"]


def test_resuming_cuts_the_journals_back_to_the_checkpoint(tmp_path):
    with start(tmp_path) as folder:
        folder.adversarl_episode_finished(episode(0))
        folder.adversarl_scalars(10, {"train/loss": 0.5})
        save(folder, 10)
        folder.adversarl_episode_finished(episode(1))
        folder.adversarl_scalars(20, {"train/loss": 0.25})
    with RunFolder(tmp_path, resume=True) as folder:
        assert [row["index"] for row in folder.rows("episodes")] == [0]
        assert folder.rows("metrics") == [{"env_steps": 10, "train/loss": 0.5}]
        folder.adversarl_episode_finished(episode(1))
        assert [row["index"] for row in folder.rows("episodes")] == [0, 1]


def test_resuming_without_a_checkpoint_begins_again(tmp_path):
    with start(tmp_path) as folder:
        folder.adversarl_episode_finished(episode(0))
    with RunFolder(tmp_path, resume=True) as folder:
        assert folder.latest() is None
        assert folder.rows("episodes") == []


def test_a_row_cut_off_by_a_crash_is_left_out(tmp_path):
    path = tmp_path / "episodes.jsonl"
    path.write_text('{"index": 0}\n{"index": 1')
    assert read_rows(path) == [{"index": 0}]


def test_an_unfinished_checkpoint_is_no_checkpoint_and_is_swept_away(tmp_path):
    with start(tmp_path) as folder:
        save(folder, 10)

        def crash(path):
            (path / "policy").write_text("half")
            raise RuntimeError("power cut")

        with pytest.raises(RuntimeError, match="power cut"):
            folder.save_checkpoint(20, {}, {}, crash)
        assert (tmp_path / "checkpoints" / ".step-000000000020").is_dir()
    with RunFolder(tmp_path, resume=True) as folder:
        assert folder.latest().name == "step-000000000010"
        assert [p.name for p in folder.checkpoints.iterdir()] == ["step-000000000010"]


def test_the_two_newest_checkpoints_are_kept(tmp_path):
    with start(tmp_path) as folder:
        for step in (5, 30, 200, 200):
            save(folder, step)
        kept = sorted(path.name for path in folder.checkpoints.iterdir())
    assert kept == ["step-000000000030", "step-000000000200"]
    assert latest_checkpoint(tmp_path).name == "step-000000000200"
    assert (latest_checkpoint(tmp_path) / "learner" / "policy").read_text() == "weights"


def test_a_folder_that_holds_a_run_is_not_overwritten(tmp_path):
    start(tmp_path).__exit__()
    with pytest.raises(RunFolderError) as caught:
        RunFolder(tmp_path, resume=False)
    assert str(caught.value) == (
        f"{tmp_path}: holds a run already. Go on with --resume, or choose another folder with --out"
    )


def test_there_must_be_a_run_to_resume(tmp_path):
    path = tmp_path / "nothing"
    with pytest.raises(RunFolderError) as caught:
        RunFolder(path, resume=True)
    assert str(caught.value) == f"{path}: there is no run to resume. Start it without --resume"
    assert not path.exists()


def test_a_folder_that_cannot_be_written_says_why(tmp_path):
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "run"
    with pytest.raises(RunFolderError) as caught:
        RunFolder(path, resume=False)
    assert str(caught.value) == f"{path}: cannot be written: Not a directory. Choose another folder with --out"


def _try(path, resume, answers):
    try:
        RunFolder(path, resume=resume)
        answers.put("opened")
    except RunFolderError as error:
        answers.put(str(error))


@pytest.mark.parametrize("resume", [False, True])
def test_a_folder_in_use_names_the_process(tmp_path, resume):
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    with start(tmp_path):
        process = context.Process(target=_try, args=(tmp_path, resume, answers))
        process.start()
        answer = answers.get(timeout=60)
        process.join()
    answers.close()
    answers.join_thread()
    assert answer == (
        f"{tmp_path}: is in use by process {os.getpid()}. Wait for it, stop it, or choose another folder with --out"
    )


def test_a_folder_is_free_again_when_its_run_ends(tmp_path):
    start(tmp_path).__exit__()
    with RunFolder(tmp_path, resume=True) as folder:
        assert set(folder._files) == set(JOURNALS)


def test_parquet_holds_every_episode(tmp_path):
    with RunFolder(tmp_path, resume=False) as folder:
        for index in range(3):
            folder.adversarl_episode_finished(episode(index))
        folder.write_parquet()
    table = pq.read_table(tmp_path / "episodes.parquet").to_pydict()
    assert table["index"] == [0, 1, 2]
    assert json.loads(table["perturbations"][0])[0]["axis"] == "fog"
    assert table["prompts"][0] == ["fog"]


def test_an_evaluation_is_known_at_its_step_alone(tmp_path):
    result = [CellResult("mixed", 0.5, (1, 2), (True, False), (1.0, 0.0))]
    with RunFolder(tmp_path, resume=False) as folder:
        assert folder.evaluation("final", 10) is None
        folder.adversarl_evaluation_finished(10, "final", result)
        folder.adversarl_evaluation_finished(0, "warm_start", [])
        assert folder.evaluation("final", 10) == result
        assert folder.evaluation("final", 20) is None
        assert folder.evaluation("warm_start", 0) == []


def test_json_is_replaced_in_one_piece(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"a": 1})
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})
    assert json.loads(path.read_text()) == {"a": 1}
