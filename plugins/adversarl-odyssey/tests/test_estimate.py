import json
from dataclasses import replace

import pytest
from adversarl_odyssey.bank.store import Bank
from adversarl_odyssey.estimate.outline import outline_of
from adversarl_odyssey.estimate.sums import Assumptions, Estimate, Outline, estimate
from adversarl_odyssey.goal_pictures import goal_folder, goal_script
from adversarl_odyssey.pure_options import OdysseyOptions
from PIL import Image
from typer.testing import CliRunner

from adversarl.cli.app import build_app
from adversarl.recipe import load_recipe

RECIPE = """
[run]
total_steps = 3_600
[backend]
use = "{use}"
num_envs = 4
{keys}
[learner]
use = "random-search"
[evaluation]
episodes = 6
"""
FEW_AXES = 'axes = ["light-intensity"]'
SLOW = ["--speed", "1", "--frame-rate", "1", "--open-seconds", "0"]


@pytest.fixture(autouse=True)
def _nobody_there(monkeypatch, tmp_path):
    """A stream that is opened, or a key that is asked for, is an error; nothing was filmed before."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    monkeypatch.setenv("ODYSSEY_API_URL", "http://127.0.0.1:9")
    monkeypatch.delenv("ODYSSEY_API_KEY", raising=False)


@pytest.fixture
def write(tmp_path):
    def write(use, keys=FEW_AXES, more=""):
        path = tmp_path / "recipe.toml"
        path.write_text(RECIPE.format(use=use, keys=keys) + more)
        return path

    return write


@pytest.fixture
def ask(write, adversarl_registry):
    def ask(use, *overrides, keys=FEW_AXES, more="", assumed=Assumptions(1.0, 1.0, 0.0)) -> Estimate:  # noqa: B008
        recipe = load_recipe(write(use, keys, more), adversarl_registry, overrides)
        return estimate(recipe, outline_of(recipe), assumed)

    return ask


def part(found, name):
    return next(phase for phase in found.phases if phase.name == name)


def run(*words):
    return CliRunner().invoke(build_app(), ["odyssey", "estimate", *map(str, words)])


def test_a_world_without_streams_costs_nothing(write):
    result = run(write("mujoco"))
    assert result.exit_code == 0
    assert "backend 'mujoco' costs nothing" in result.output


def test_a_hybrid_world_pays_for_all_its_streams_as_long_as_the_run_takes(ask):
    found = ask("odyssey-hybrid")
    training = part(found, "training")
    assert training.wall_s == 3600
    assert training.stream_s == 4 * 3600
    assert found.streams == 4
    assert found.price_usd_per_hour == 2.0


def test_a_world_of_streams_makes_as_many_steps_as_pictures_come(ask):
    found = ask("odyssey", keys="max_episode_steps = 10")
    training = part(found, "training")
    assert training.wall_s == 900
    assert training.stream_s == 3600


def test_opening_a_stream_at_every_reset_takes_its_time(ask):
    found = ask("odyssey", keys="max_episode_steps = 10", assumed=Assumptions(1.0, 1.0, 5.0))
    assert part(found, "training").wall_s == 900 * 1.5


def test_a_goal_that_has_yet_to_be_filmed_is_paid_too(ask):
    assert part(ask("odyssey", keys=""), "1 missing video").stream_s > 0
    options = OdysseyOptions()
    bank, script = Bank(goal_folder(options)), goal_script(options)
    with bank.locked():
        bank.put(replace(bank.add(script), status="done"))
    assert part(ask("odyssey", keys=""), "1 missing video").stream_s == script.seconds
    bank.video(bank.entries[script.hash]).write_bytes(b"a film")
    assert not [phase for phase in ask("odyssey", keys="").phases if "missing" in phase.name]


def test_a_goal_that_is_given_is_not_filmed(ask, tmp_path):
    goal = tmp_path / "goal.png"
    Image.new("RGB", (84, 84)).save(goal)
    found = ask("odyssey", keys=f'judge = {{ use = "goal-image", goal = "{goal}" }}')
    assert not [phase for phase in found.phases if "missing" in phase.name]


def test_the_suite_is_played_before_and_after_training(ask):
    found = ask("odyssey-hybrid", "evaluation.intensities=[0.0, 1.0]")
    before, after = part(found, "evaluation before"), part(found, "evaluation after")
    assert before.env_steps == after.env_steps == 2 * 6 * 100


def test_streams_of_training_are_paid_while_they_idle(ask):
    cold, warm = ask("odyssey-hybrid"), ask("odyssey-hybrid", "learner.use=ppo", "learner.warm_start_steps=10")
    assert part(cold, "evaluation before").stream_s == part(cold, "evaluation before").wall_s * 4
    for found, name in ((warm, "evaluation before"), (warm, "evaluation after"), (cold, "evaluation after")):
        assert part(found, name).stream_s == (part(found, name).wall_s + 30) * 4


def test_shorter_episodes_shorten_the_evaluation(ask):
    half = ask("odyssey-hybrid", assumed=Assumptions(1.0, 1.0, 0.0, 0.5))
    assert part(half, "evaluation before").env_steps == 5 * 6 * 50


def test_the_guards_teacher_costs_nothing_and_says_so(ask):
    found = ask("odyssey-hybrid", more='[curriculum]\nuse = "uniform"\nguard = "teacher"')
    assert not [phase for phase in found.phases if phase.name == "trials aside"]
    assert any("teacher needs no pictures" in sentence for sentence in found.assumptions)


def test_a_guard_that_sees_pays_for_its_trials_and_for_the_streams_that_wait(ask):
    more = '[curriculum]\nuse = "uniform"\nguard = "antagonist"\nantagonist = "run"\nclean_share = 0'
    hybrid, pure = ask("odyssey-hybrid", more=more), ask("odyssey", keys="", more=more)
    assert part(hybrid, "trials aside").stream_s == 4 * 3600
    assert part(pure, "trials aside").stream_s == (4 + 1) * 3600
    assert (hybrid.streams, pure.streams) == (4, 5)


def test_counterfactual_failures_spend_their_budget_at_each_report(ask):
    more = '[failure]\nuse = "counterfactual"\nbudget = 500\nreport_every = 9'
    assert part(ask("odyssey-hybrid", more=more), "trials aside").env_steps == 4 * 500


def test_levels_that_are_tried_aside_are_counted(ask):
    more = '[curriculum]\nuse = "plr"\nclean_share = 0\nreplay_probability = 0.5\ntrials_per_level = 2'
    assert part(ask("odyssey-hybrid", more=more), "trials aside").env_steps == 2 * 3600


def test_a_ceiling_that_is_too_low_says_where_the_run_will_stop(ask):
    half_of_training = 4 * 2.0 / 2 + ask("odyssey-hybrid").phases[0].stream_s / 3600 * 2
    found = ask("odyssey-hybrid", f"backend.max_cost_usd={half_of_training}")
    assert found.stops_in == ("training", pytest.approx(0.5))


def test_more_environments_than_streams_are_warned_of(ask):
    found = ask("odyssey-hybrid", "backend.num_envs=6")
    assert "6 environments need as many streams at once; the account may have 5" in found.warnings[0]
    assert not ask("odyssey-hybrid", "backend.num_envs=6", "backend.max_streams=6").warnings


def test_trials_that_need_more_streams_than_there_are_are_warned_of(ask):
    more = '[curriculum]\nuse = "uniform"\nguard = "antagonist"\nantagonist = "run"'
    found = ask("odyssey", "backend.max_streams=4", keys="", more=more)
    assert "While trials are played aside, 5 streams run at once" in found.warnings[0]


def test_a_stream_alone_has_no_teacher_and_that_is_said_before(ask):
    found = ask("odyssey", "learner.use=ppo", keys="")
    assert "no teacher" in found.warnings[0]
    assert "learner.warm_start_steps = 0" in found.warnings[0]
    assert not ask("odyssey-hybrid", "learner.use=ppo").warnings


def test_playback_costs_nothing(ask):
    found = ask("odyssey-hybrid", 'backend.playback="somewhere"')
    assert found.stream_hours == 0
    assert found.max_cost_usd is None


def test_a_batch_pays_for_the_videos_that_its_bank_lacks_and_for_nothing_else(ask, tmp_path):
    found = ask("odyssey-batch", f'backend.bank="{tmp_path / "none"}"', "backend.seconds=4")
    assert found.stream_hours * 3600 == pytest.approx(found.phases[0].stream_s)
    assert found.phases[0].name == "3 missing videos"
    assert found.phases[0].stream_s == 3 * 4
    assert found.streams == 0


def test_the_command_prints_its_assumptions_and_needs_no_key(write):
    result = run(write("odyssey-hybrid"), *SLOW)
    assert result.exit_code == 0, result.output
    assert "All environments together make 1 steps per second" in result.output
    assert "max_cost_usd = 5 ends the run after" in result.output
    assert "set backend.max_cost_usd = " in result.output


def test_a_speed_is_assumed_unless_a_run_has_measured_it(write, tmp_path):
    path = write("odyssey-hybrid")
    assert "100 steps per second" in (text := run(path).output)
    assert "assumed, not measured" in text
    (tmp_path / "metrics.jsonl").write_text('{"env_steps": 1, "time/fps": 9.0}\n{"env_steps": 2, "time/fps": 40.0}\n')
    text = run(path, "--speed", tmp_path).output
    assert "40 steps per second" in text
    assert "assumed, not measured" not in text


@pytest.mark.parametrize("speed", ["quick", "0", "nan", "inf"])
def test_a_speed_that_is_none_is_named(write, speed):
    assert "--speed" in str(run(write("odyssey-hybrid"), "--speed", speed).exception)


def test_json_adds_up(write):
    result = run(write("odyssey-hybrid"), "--json", *SLOW)
    found = json.loads(result.output)
    assert found["stream_hours"] == pytest.approx(sum(row["stream_hours"] for row in found["phases"]))
    assert found["usd_low"] == pytest.approx(found["stream_hours"])
    assert found["usd_high"] == found["usd"] == pytest.approx(2 * found["stream_hours"])
    assert found["stops_in"]["phase"] == "evaluation before"


def test_a_bad_recipe_is_named(write):
    result = run(write("odyssey-hybrid", "imag_size = 3"))
    assert result.exit_code != 0
    assert "imag_size" in str(result.exception)


def test_the_outline_of_a_pure_world_needs_no_stream(write, adversarl_registry):
    outline = outline_of(load_recipe(write("odyssey", ""), adversarl_registry))
    assert isinstance(outline, Outline)
    assert outline.kind == "stream"
    assert outline.axes
