import json

import numpy as np
import pytest
from adversarl_curricula.replay import Replay

from adversarl.errors import Interrupted, RecipeError
from adversarl.interfaces.curriculum import Slot
from adversarl.interfaces.trials import Services
from adversarl.loop import EMPTY
from adversarl.plugins import build_plugin_manager
from adversarl.recipe import parse_recipe
from adversarl.runs import JOURNALS, read_rows
from adversarl.testing import checks_for
from adversarl.testing.fakes import make_trials
from adversarl.training import train

ROW = {
    "env_steps": 0,
    "episode": 4,
    "env": 0,
    "text": "dim the light at 50 %",
    "why": "said so",
    "onset": 0,
    "duration": None,
    "restore": False,
    "perturbations": [
        {"axis": "brightness", "intensity": 0.5, "target": None, "value": None, "seed": 9, "onset": 0, "duration": None}
    ],
    "not_understood": [],
    "took_effect": 0,
}


@pytest.fixture(scope="module")
def plugins():
    return build_plugin_manager()


def recipe(plugins, curriculum, **run):
    tables = {
        "run": {"total_steps": 1600, "checkpoint_every": 400, **run},
        "backend": {"use": "point-mass", "num_envs": 4, "image_size": 16, "max_episode_steps": 20},
        "failure": {"use": "statistics", "report_every": 10},
        "curriculum": {"clean_share": 0.25, **curriculum},
        "learner": {"use": "random-search", "directions": 2},
        "evaluation": {"suite": "robustness", "episodes": 2, "intensities": [0.0, 1.0]},
    }
    return parse_recipe(tables, plugins.registry, "test.toml")


@pytest.fixture
def log(tmp_path):
    def write(*rows, name="curriculum.jsonl"):
        path = tmp_path / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    return write


@pytest.fixture
def make(world):
    def make(file, **options):
        return Replay(Replay.Options(file=file, **options), world, np.random.default_rng(0))

    return make


@pytest.mark.parametrize("check", checks_for("curriculum"))
def test_the_promises_of_a_curriculum_are_kept(check, log):
    rows = [{**ROW, "episode": episode, "onset": episode % 3} for episode in range(0, 150, 2)]
    check(Replay, Replay.Options(file=log(*rows), then={"use": "rules"}))


@pytest.mark.parametrize("first", [{"use": "rules"}, {"use": "uniform"}, {"use": "static"}], ids=lambda c: c["use"])
def test_a_replayed_run_writes_the_same_journal_byte_for_byte(first, plugins, tmp_path):
    train(recipe(plugins, first), plugins, tmp_path / "first")
    second = {"use": "replay", "file": str(tmp_path / "first" / "curriculum.jsonl")}
    train(recipe(plugins, second), plugins, tmp_path / "second")
    for name in ("curriculum", "episodes"):
        journal = (tmp_path / "first" / f"{name}.jsonl").read_bytes()
        assert len(journal.splitlines()) > 40
        assert (tmp_path / "second" / f"{name}.jsonl").read_bytes() == journal, name


def test_a_replay_that_is_interrupted_goes_on_as_if_it_had_not_been(plugins, tmp_path):
    train(recipe(plugins, {"use": "rules"}, total_steps=800), plugins, tmp_path / "first")
    again = recipe(plugins, {"use": "replay", "file": str(tmp_path / "first"), "then": {"use": "rules"}})
    train(again, plugins, tmp_path / "whole")
    asked = iter(range(10**6))
    with pytest.raises(Interrupted):
        train(again, plugins, tmp_path / "cut", stop_requested=lambda: next(asked) > 10)
    train(again, plugins, tmp_path / "cut", resume=True)
    for name in JOURNALS:
        assert (tmp_path / "cut" / f"{name}.jsonl").read_bytes() == (tmp_path / "whole" / f"{name}.jsonl").read_bytes()
    (notice,) = read_rows(tmp_path / "whole" / "notices.jsonl")
    assert "'rules' goes on" in notice["text"]


def test_an_episode_is_repeated_with_its_words_times_and_grounding(make, log):
    later = {**ROW, "onset": 5, "duration": 3, "not_understood": ["gremlin"], "took_effect": None}
    replay = make(log(ROW, later, {**ROW, "episode": 6}))
    first, second = replay.propose(Slot(0, 4, 0), EMPTY)
    assert (first.text, first.why, first.onset, first.duration) == ("dim the light at 50 %", "said so", 0, None)
    assert (second.onset, second.duration, second.grounding.not_understood) == (5, 3, ("gremlin",))
    assert [p.axis for p in first.grounding.perturbations] == ["brightness"]
    assert replay.propose(Slot(0, 5, 0), EMPTY) == ()


def test_what_a_guard_refused_is_left_out(make, log):
    replay = make(log({**ROW, "refused": "the teacher does not solve it"}, {**ROW, "episode": 5}))
    assert replay.propose(Slot(0, 4, 0), EMPTY) == ()
    assert len(replay.propose(Slot(0, 5, 0), EMPTY)) == 1


def test_a_repeated_episode_keeps_its_reset_seed_whatever_took_effect_first(make, log):
    (first, second) = make(log(ROW, {**ROW, "onset": 3, "seed": 77})).propose(Slot(0, 4, 0), EMPTY)
    assert (first.seed, first.onset, second.seed) == (77, 3, None)


def test_the_end_of_the_journal_is_told_once_and_leaves_the_world_nominal(make, log):
    notices = []
    replay = make(log(ROW))
    replay.connect(Services(make_trials(), notice=notices.append))
    for episode in (4, 5, 6):
        replay.propose(Slot(0, episode, 0), EMPTY)
    assert replay.propose(Slot(0, 7, 0), EMPTY) == ()
    assert len(notices) == 1
    assert "ends with episode 4; from here on the world stays nominal" in notices[0]


def test_after_the_journal_another_curriculum_may_go_on(make, log):
    replay = make(log(ROW), then={"use": "static", "prompts": ["shake the controls"]})
    (proposal,) = replay.propose(Slot(0, 5, 0), EMPTY)
    assert proposal.text == "shake the controls"


def test_an_error_says_which_file_and_key_and_what_to_do(make, log, tmp_path):
    with pytest.raises(RecipeError, match=r"none\.jsonl: \[curriculum\] file: cannot be read: No such file.*Name the"):
        make(tmp_path / "none.jsonl")
    with pytest.raises(RecipeError, match=r"line 2: is no row of a curriculum.jsonl \(KeyError: 'episode'\)"):
        make(log(ROW, {"text": "dim the light"}))
    with pytest.raises(RecipeError, match=r"file: holds no prompt that took its turn"):
        make(log({**ROW, "refused": "the teacher does not solve it"}))
    foreign = {**ROW, "perturbations": [{**ROW["perturbations"][0], "axis": "fog"}]}
    with pytest.raises(RecipeError, match=r"line 1: names the axis 'fog'.*brightness.*\[backend\] of the run"):
        make(log(foreign))


def test_a_last_line_that_a_crash_cut_off_is_left_out(make, log):
    path = log(ROW)
    path.write_text(path.read_text() + '{"env_steps": 3, "epis')
    assert make(path).last == 4
