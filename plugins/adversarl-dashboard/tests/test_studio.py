import json
import threading

import numpy as np
import pytest
from adversarl_dashboard.film import caption, changes, enlarged, perturbations_of, play
from adversarl_dashboard.player import story
from adversarl_dashboard.previews import Previews
from adversarl_dashboard.readers.runs import Run
from adversarl_dashboard.studio import Studio

from adversarl.errors import AdversarlError
from adversarl.plugins import build_plugin_manager
from adversarl.types import Perturbation

DARK = Perturbation("brightness", 1.0, onset=4, duration=3)


@pytest.fixture(scope="module")
def plugins():
    return build_plugin_manager(())


@pytest.fixture
def studio(plugins):
    made = Studio({"use": "point-mass", "num_envs": 8}, plugins)
    yield made
    made.close()


def test_everything_happens_in_one_thread_that_is_not_the_callers(studio):
    names = {studio.submit(lambda world: threading.current_thread().name).result() for _ in range(3)}
    assert len(names) == 1
    assert threading.current_thread().name not in names


def test_a_world_has_one_environment_whatever_the_recipe_says(studio):
    assert studio.submit(lambda world: world.num_envs).result() == 1


def test_a_backend_that_is_not_there_is_told_in_the_future(plugins):
    studio = Studio({"use": "no-such-world"}, plugins)
    with pytest.raises(AdversarlError, match="no backend named 'no-such-world'"):
        studio.submit(lambda world: None).result()
    studio.close()


def test_live_streams_which_may_cost_are_not_drawn(plugins):
    pytest.importorskip("adversarl_odyssey")
    studio = Studio({"use": "odyssey"}, plugins)
    with pytest.raises(AdversarlError, match="live streams of a service, which may cost"):
        studio.submit(lambda world: None).result()
    studio.close()


def test_a_film_shows_the_world_change_where_the_perturbation_begins_and_ends(studio):
    clear = studio.submit(lambda world: play(world, 5, ())).result()
    film = studio.submit(lambda world: play(world, 5, (DARK,))).result()
    assert len(film.frames) == film.length + 1
    differs = [step for step in film.frames if (film.frames[step] != clear.frames[step]).any()]
    assert differs == [5, 6, 7]  # pictures after the control steps 4, 5 and 6
    told = story(film, (DARK,))
    assert told["marks"] == [4, 7]
    assert [told["captions"][step] for step in (4, 5, 7, 8)] == [
        "nominal",
        "brightness 100%",
        "brightness 100%",
        "nominal",
    ]
    assert told["frames"][0].startswith("data:image/jpeg;base64,")


def test_the_teacher_solves_a_nominal_episode_and_nothing_stays_in_force(studio):
    film = studio.submit(lambda world: play(world, 5, (Perturbation("brightness", 1.0),))).result()
    assert film.success
    assert studio.submit(lambda world: world.active([0])).result() == [()]


def test_only_the_steps_asked_for_are_drawn(studio):
    assert set(studio.submit(lambda world: play(world, 5, (), steps=(0, 3))).result().frames) == {0, 3}


def test_the_policy_of_the_latest_checkpoint_plays_an_episode_the_same_way_twice(made, studio):
    policy = studio.policy(made).result()
    assert policy.env_steps == int(max((made / "checkpoints").glob("step-*")).name[5:])
    row = json.loads((made / "episodes.jsonl").read_text().splitlines()[-1])
    perturbations = perturbations_of(row)
    films = [
        studio.submit(lambda world: play(world, row["seed"], perturbations, policy.learner.act)).result()
        for _ in range(2)
    ]
    assert films[0].total_reward == films[1].total_reward
    assert perturbations
    teacher = studio.submit(lambda world: play(world, row["seed"], perturbations)).result()
    assert (teacher.frames[0] == films[0].frames[0]).all()
    assert teacher.total_reward != films[0].total_reward


def test_a_run_without_a_checkpoint_has_no_policy(made, tmp_path, studio):
    (tmp_path / "recipe.toml").write_text((made / "recipe.toml").read_text())
    with pytest.raises(AdversarlError, match="has no checkpoint yet"):
        studio.policy(tmp_path).result()


def test_captions_name_axis_target_and_intensity():
    several = (Perturbation("object-color", 0.5, "goal"), Perturbation("mass", 0.25, onset=3))
    assert caption(several, 0) == "object-color of goal 50%"
    assert caption(several, 3) == "object-color of goal 50%, mass 25%"
    assert changes(several, 10) == [3]
    assert changes(several, 2) == []


def test_perturbations_that_are_spoilt_are_told():
    with pytest.raises(ValueError, match="episode 3 cannot be read"):
        perturbations_of({"index": 3, "perturbations": [{"axes": "x"}]})
    with pytest.raises(ValueError, match="cannot be read"):
        perturbations_of({"perturbations": 9})


def test_small_pictures_are_enlarged_by_whole_pixels():
    assert enlarged(np.zeros((32, 32, 3), dtype=np.uint8)).size == (320, 320)
    assert enlarged(np.zeros((300, 300, 3), dtype=np.uint8)).size == (300, 300)


def test_a_preview_is_drawn_aside_and_kept(runs, studio):
    run, previews = Run(runs / "first", "first"), Previews()
    first = previews.look(run, studio)
    film = first.film.result(timeout=60)
    assert len(film.frames) == 2
    assert previews.look(run, studio) is first
    assert first.row == run.last("episodes", 1)[0]
    assert previews.look(Run(runs / "none", "none"), studio) is None
