"""Pictures kept as they are used, and used again."""

from __future__ import annotations

import json
import math
import subprocess
import sys

import numpy as np
import pytest
from adversarl_odyssey.errors import OdysseyError
from adversarl_odyssey.recording import Playback, Recording
from adversarl_odyssey.sources import Shown
from painter import Painter

from adversarl.errors import Interrupted
from adversarl.plugins import build_plugin_manager
from adversarl.recipe import parse_recipe
from adversarl.runs import read_rows
from adversarl.training import train


class Noisy(Painter):
    """Every picture is another one; every second one is shown twice."""

    def show(self, env, *, fresh):
        self.shows += 1
        number = self.shows - self.shows % 2
        picture = np.random.default_rng(number).integers(0, 256, (self.size, self.size, 3)).astype(np.uint8)
        late = math.nan if self.shows < 3 else 0.1 * self.shows
        return Shown(picture, number, 0.01 * self.shows, late, self.shows % 3, self.shows % 5 == 0)


def use(source, calls):
    source.begin(0, "A room.", restart=False)
    source.begin(1, "A room.", restart=False)
    return [source.show(env, fresh=False) for env in calls]


def equal(one, other):
    names = ("number", "age_s", "dropped", "renewed")
    late = one.latency_s == other.latency_s or (math.isnan(one.latency_s) and math.isnan(other.latency_s))
    same = all(getattr(one, name) == getattr(other, name) for name in names)
    return late and same and np.array_equal(one.picture, other.picture)


def record(folder, calls=(0, 1, 1, 0, 0, 1, 0), **options):
    recording = Recording(Noisy(2, 16), folder, **options)
    shown = use(recording, calls)
    recording.close()
    return shown


def test_playback_shows_what_was_recorded_to_the_bit(tmp_path):
    calls = (0, 1, 1, 0, 0, 1, 0)
    shown = record(tmp_path, calls)
    playback = Playback(tmp_path, 16)
    again = use(playback, calls)
    playback.close()
    assert all(equal(a, b) for a, b in zip(shown, again, strict=True))


def test_a_picture_that_is_used_twice_is_kept_once(tmp_path):
    record(tmp_path, (0,) * 8)
    rows = [json.loads(line) for line in (tmp_path / "world-0000" / "index.jsonl").read_text().splitlines()]
    assert len(rows) == 8
    assert len({row["at"] for row in rows}) == 5


def test_each_world_of_a_run_has_a_folder_and_the_next_run_begins_anew(tmp_path):
    outer, inner = Recording(Noisy(2, 16), tmp_path), Recording(Noisy(2, 8), tmp_path)
    use(inner, (0, 1))
    use(outer, (0, 1))
    for one in (inner, outer):
        one.close()
    assert sorted(path.name for path in tmp_path.glob("world-*")) == ["world-0000", "world-0001"]
    for _ in range(2):
        first, second = Playback(tmp_path), Playback(tmp_path)
        assert [use(one, (1,))[0].picture.shape for one in (first, second)] == [(16, 16, 3), (8, 8, 3)]
        first.close()
        second.close()


def test_a_recording_ends_with_a_clear_error(tmp_path):
    record(tmp_path, (0, 0, 1))
    playback = Playback(tmp_path)
    use(playback, (0, 0))
    with pytest.raises(OdysseyError, match=r"ends after 2 pictures of environment 0 in world-0000. Ask"):
        playback.show(0, fresh=False)
    with pytest.raises(OdysseyError, match="ends after 0 pictures of environment 7"):
        playback.show(7, fresh=False)
    playback.close()


def test_what_cannot_be_played_is_said_with_what_to_do(tmp_path):
    with pytest.raises(OdysseyError, match=r"is not there. Make one with \[backend\] record"):
        Playback(tmp_path / "nowhere")
    record(tmp_path)
    first, second = Playback(tmp_path, 84), Playback(tmp_path)
    with pytest.raises(OdysseyError, match=r"pictures of 16 x 16 pixels, not of 84 x 84. Set backend.image_size = 16"):
        use(first, (0,))
    with pytest.raises(OdysseyError, match=r"nothing for a world that this run makes \(world-0001\)"):
        use(second, (0,))
    first.close()
    second.close()


def test_asking_for_other_things_than_were_recorded_is_told_once(tmp_path):
    record(tmp_path)
    playback, told = Playback(tmp_path), []
    playback.connect(told.append)
    use(playback, (0,))
    assert told == []
    playback.prompt(0, "A dark room.")
    playback.show(0, fresh=True)
    playback.show(0, fresh=True)
    playback.close()
    assert len(told) == 1
    assert "'A dark room.' instead of 'A room.'" in told[0]


def test_a_folder_with_another_recording_is_not_touched(tmp_path):
    record(tmp_path)
    before = (tmp_path / "world-0000" / "index.jsonl").read_text()
    with pytest.raises(OdysseyError, match=r"holds a recording already. Name another one"):
        record(tmp_path)
    assert (tmp_path / "world-0000" / "index.jsonl").read_text() == before


def test_a_line_that_was_cut_off_by_a_crash_is_left_out(tmp_path):
    shown = record(tmp_path, (0, 0, 0))
    index = tmp_path / "world-0000" / "index.jsonl"
    index.write_text(index.read_text()[:-20])
    playback = Playback(tmp_path)
    assert all(equal(a, b) for a, b in zip(shown, use(playback, (0, 0)), strict=False))
    with pytest.raises(OdysseyError, match="ends after 2 pictures"):
        playback.show(0, fresh=False)
    playback.close()


def test_a_damaged_picture_is_named(tmp_path):
    record(tmp_path)
    (tmp_path / "world-0000" / "pictures.bin").write_bytes(b"")
    playback = Playback(tmp_path)
    with pytest.raises(OdysseyError, match=r"is damaged in world-0000/pictures.bin: .*. Record it again"):
        use(playback, (0,))
    playback.close()


def test_pictures_survive_a_process_that_is_killed(tmp_path):
    program = (
        "import os, signal, sys\n"
        "sys.path.insert(0, sys.argv[2])\n"
        "from pathlib import Path\n"
        "from test_recording import Noisy, Recording, use\n"
        "use(Recording(Noisy(2, 16), Path(sys.argv[1])), (0, 1, 0, 1))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(tmp_path), str(__file__).rpartition("/")[0]])
    assert ended.returncode == -9
    playback = Playback(tmp_path)
    assert all(equal(a, b) for a, b in zip(use(Noisy(2, 16), (0, 1, 0, 1)), use(playback, (0, 1, 0, 1)), strict=True))
    playback.close()


def test_a_resumed_run_cuts_its_recording_back_to_its_checkpoint(tmp_path):
    folder, run = tmp_path / "kept", tmp_path / "run"
    first = Recording(Noisy(2, 16), folder)
    first.connect(print, run)
    shown = use(first, (0, 1, 0))
    position = {env: first.position(env) for env in (0, 1)}
    use(first, (1, 1, 0))
    first.close()
    resumed = Recording(Noisy(2, 16), folder)
    resumed.connect(print, run)
    for env in (0, 1):
        resumed.seek(env, position[env])
    later = use(resumed, (0, 1))
    resumed.close()
    playback = Playback(folder)
    again = use(playback, (0, 1, 0, 0, 1))
    playback.close()
    assert all(equal(a, b) for a, b in zip(shown + later, again, strict=True))


def test_playback_goes_on_where_a_checkpoint_was(tmp_path):
    shown = record(tmp_path, (0, 0, 0, 1, 0))
    first = Playback(tmp_path)
    use(first, (0, 0))
    positions = [first.position(env) for env in (0, 1)]
    first.close()
    resumed = Playback(tmp_path)
    for env in (0, 1):
        resumed.seek(env, positions[env])
    assert equal(use(resumed, (0,))[0], shown[2])
    resumed.close()


def tiny(**backend):
    tables = {
        "run": {"total_steps": 200, "checkpoint_every": 80},
        "backend": {
            "use": "odyssey-hybrid",
            "task": {"type": "pick", "success": {"time_limit": 1.0}},
            "image_size": 16,
            "threads": 1,
            "axes": ["light-intensity", "table-color"],
            **backend,
        },
        "curriculum": {"use": "rules"},
        "failure": {"use": "statistics", "report_every": 4},
        "learner": {"use": "random-search", "directions": 1, "top": 1},
        "evaluation": {"episodes": 2, "intensities": [1.0]},
    }
    return parse_recipe(tables, build_plugin_manager().registry, "tiny.toml", "tiny")


def run(folder, *, resume=False, **backend):
    train(tiny(**backend), build_plugin_manager(), folder, resume=resume)
    return journals(folder)


def interrupted_run(folder, **backend):
    """A run that somebody stops in the middle of its training."""
    asked = iter(range(10))
    with pytest.raises(Interrupted):
        train(tiny(**backend), build_plugin_manager(), folder, stop_requested=lambda: next(asked) == 3)
    assert 0 < len(read_rows(folder / "episodes.jsonl")) < 10


def journals(folder):
    files = {name: (folder / f"{name}.jsonl").read_text() for name in ("episodes", "curriculum", "reports", "metrics")}
    metrics = [json.loads(line) for line in files.pop("metrics").splitlines()]
    own = [{key: value for key, value in row.items() if not key.startswith("odyssey/")} for row in metrics]
    cells = json.loads((folder / "evaluation.json").read_text()) if (folder / "evaluation.json").exists() else {}
    return files, own, cells


def test_runs_from_one_recording_are_the_one_that_was_recorded_to_the_bit(emulator, tmp_path):
    kept = str(tmp_path / "kept")
    recorded = run(tmp_path / "live", record=kept)
    assert len(list((tmp_path / "kept").glob("world-*"))) == 3
    assert run(tmp_path / "one", playback=kept) == run(tmp_path / "two", playback=kept) == recorded
    assert (tmp_path / "one" / "notices.jsonl").read_text() == ""
    interrupted_run(tmp_path / "three", playback=kept)
    assert run(tmp_path / "three", playback=kept, resume=True) == recorded


def test_a_recording_goes_on_with_its_resumed_run_and_plays_as_if_it_had_never_stopped(emulator, tmp_path):
    kept = str(tmp_path / "kept")
    interrupted_run(tmp_path / "live", record=kept)
    recorded = run(tmp_path / "live", record=kept, resume=True)
    assert run(tmp_path / "again", playback=kept) == recorded
