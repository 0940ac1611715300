import asyncio
import socket

import numpy as np
import pytest
from adversarl_odyssey.bank.filling import Filling
from adversarl_odyssey.bank.plan import Wanted, scripts_of
from adversarl_odyssey.bank.store import Bank, Script
from adversarl_odyssey.bank.words import rounded
from adversarl_odyssey.batch import Batch, BatchOptions
from adversarl_odyssey.errors import OdysseyError
from pydantic import ValidationError

from adversarl.recipe import load_recipe
from adversarl.testing import checks_for
from adversarl.types import Perturbation

AXES = ("light-intensity", "background-color")
RECIPE = """
[run]
total_steps = 64
[backend]
use = "odyssey-batch"
axes = ["light-intensity", "background-color"]
num_envs = 2
client = "thin"
levels = [0.5, 1.0]
seconds = 1
bank = "{bank}"
[learner]
use = "ppo"
n_steps = 32
batch_size = 32
n_epochs = 1
warm_start_steps = 0
distillation = 0
{more}
[evaluation]
episodes = 1
"""


@pytest.fixture(scope="module")
def shared(_emulator, hurried, tmp_path_factory, adversarl_registry):
    """A bank for `AXES`, with conditions of somebody's own."""
    folder = tmp_path_factory.mktemp("batch")
    path = folder / "recipe.toml"
    path.write_text(RECIPE.format(bank=folder / "bank", more=""))
    recipe = load_recipe(path, adversarl_registry)
    bank, wanted = Bank(folder / "bank"), Wanted((0.5, 1.0), 1.0, ("dim the lights",))
    with pytest.MonkeyPatch.context() as patch, bank.locked():
        patch.setenv("ODYSSEY_API_URL", _emulator.url)
        patch.setenv("ODYSSEY_API_KEY", _emulator.key)
        patch.setenv("NO_PROXY", "127.0.0.1")
        bank.levels = wanted.levels
        filling = Filling(bank, recipe["backend"].options, poll_s=0.1, max_queued=10)
        entries = [bank.add(script) for script in scripts_of(recipe, wanted)]
        asyncio.run(filling.run(entries))
    return bank


@pytest.fixture
def options(shared):
    def make(**keys):
        return BatchOptions(**{"bank": str(shared.folder), "axes": AXES, "num_envs": 2, "image_size": 48, **keys})

    return make


@pytest.fixture
def make(options, monkeypatch):
    """Makes worlds, on a machine without a network."""
    worlds = []

    def refuse(*_):
        raise AssertionError("a world of videos needs no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.delenv("ODYSSEY_API_KEY", raising=False)

    def world(**keys):
        worlds.append(Batch(options(**keys)).make(seed=3))
        return worlds[-1]

    yield world
    for one in worlds:
        one.close()


def still(world):
    return np.zeros(world.action_space.shape, np.float32)


def numbers(world, steps):
    return [world.step(still(world))[4]["frame_number"].tolist() for _ in range(steps)]


def videos(world):
    """Which video is behind each environment."""
    return [reel.prompt for reel in world.source._reels]


@pytest.mark.parametrize("check", checks_for("backend"), ids=lambda check: check.__name__)
def test_the_world_keeps_every_promise_of_a_backend(check, options):
    check(Batch, options())


def test_conditions_choose_the_video(make, shared):
    world = make()
    world.reset(seed=[1, 2])
    nominal = videos(world)[0]
    world.perturb([0], [[Perturbation("light-intensity", 0.4)]])
    world.step(still(world))
    dim, other = videos(world)
    assert other == nominal
    assert dim.startswith(nominal)
    assert shared.find(dim)
    world.restore([0])
    world.step(still(world))
    assert videos(world)[0] == nominal


def test_intensities_are_rounded_to_the_banks_levels():
    levels = (0.5, 1.0)
    found = [
        rounded(Perturbation("shadow", intensity), levels).intensity for intensity in (0.0, 0.2, 0.25, 0.7, 0.75, 1.0)
    ]
    assert found == [0.0, 0.0, 0.5, 0.5, 1.0, 1.0]


def test_looks_that_only_differ_by_a_seed_share_a_video(make):
    world = make()
    world.perturb([0, 1], [[Perturbation("background-color", 1.0, seed=seed)] for seed in (5, 77)])
    world.reset(seed=[1, 2])
    assert videos(world)[0] == videos(world)[1]


def test_words_that_there_is_a_video_for_are_taken_as_they_stand(make):
    world = make()
    grounding = world.ground("dim the lights")
    world.perturb([0], [grounding.perturbations])
    world.reset(seed=[1, 2])
    assert videos(world)[0].endswith("Dim the lights.")


def test_an_episode_begins_where_its_seed_says_and_goes_on_with_time(make):
    world, start = make(), make(start=4)
    world.reset(seed=[1, 2])
    first = numbers(world, 5)
    world.reset(seed=[1, 9])
    second = numbers(world, 5)
    assert [row[0] for row in first] == [row[0] for row in second]
    assert [row[1] for row in first] != [row[1] for row in second]
    start.reset(seed=[1, 2])
    assert numbers(start, 2) == [[5, 5], [6, 6]]


def test_episodes_without_a_seed_repeat_from_a_snapshot(make):
    world = make()
    world.reset(seed=[1, 2])
    snapshot = world.snapshot(range(2))
    world.reset()
    wanted = numbers(world, 3)
    world.rewind(range(2), snapshot)
    world.reset()
    assert numbers(world, 3) == wanted


def test_time_goes_on_while_nobody_looks(make):
    world = make(start=0)
    world.reset(seed=[1, 2])
    world.pictures = False
    numbers(world, 3)
    world.pictures = True
    assert numbers(world, 1) == [[4, 4]]


def test_a_video_that_is_missing_names_the_prompt_and_the_command(make, shared):
    world = make(axes=(*AXES, "shadow"))
    world.perturb([0], [[Perturbation("shadow", 1.0)]])
    with pytest.raises(
        OdysseyError, match=rf'no video of ".*". Make it with: adversarl odyssey bank .*{shared.folder}'
    ):
        world.reset(seed=[1, 2])


def test_a_nominal_video_may_stand_in_for_a_missing_one(make):
    world = make(axes=(*AXES, "shadow"), missing="nominal")
    world.perturb([0], [[Perturbation("shadow", 1.0), Perturbation("light-intensity", 1.0)]])
    world.reset(seed=[1, 1])
    row = numbers(world, 1)[0]
    assert row[0] == row[1]
    assert world.scalars()["odyssey/missing_prompts"] == 1


def test_the_weakest_conditions_may_be_left_out(make):
    world = make(axes=(*AXES, "shadow"), missing="fewer")
    world.perturb(
        [0, 1], [[Perturbation("shadow", 0.5), Perturbation("light-intensity", 1.0)], [Perturbation("shadow", 1.0)]]
    )
    world.reset(seed=[1, 1])
    dark, nominal = videos(world)
    assert dark.startswith(nominal)
    assert "dim" in dark.removeprefix(nominal)
    assert world.scalars()["odyssey/left_out"] == 2


def test_a_bank_that_is_not_there_names_the_command(tmp_path):
    with pytest.raises(OdysseyError, match=f"Make it with: adversarl odyssey bank RECIPE --out {tmp_path}"):
        Batch(BatchOptions(bank=str(tmp_path), num_envs=1)).make(seed=0)


def test_levels_that_are_none_are_refused():
    with pytest.raises(ValidationError, match="above 0 and up to 1"):
        BatchOptions(levels=(0.0, 1.0))


def test_a_recipe_needs_the_nominal_world_each_axis_and_what_it_is_known_to_ask_for(tmp_path, adversarl_registry):
    path = tmp_path / "recipe.toml"
    more = '[curriculum]\nuse = "static"\nprompts = ["recolor the background at 60 % and dim the lights"]'
    path.write_text(RECIPE.format(bank=tmp_path / "bank", more=more))
    recipe = load_recipe(path, adversarl_registry)
    scripts = scripts_of(recipe, Wanted((0.5, 1.0), 4.0, goal=True))
    scene = BatchOptions().scene
    endings = [script.prompt.removeprefix(scene).strip() for script in scripts[:-1]]
    assert endings[0] == ""
    assert len(set(endings)) == len(endings) >= 7
    assert sum(ending.count(".") == 2 for ending in endings) >= 2  # the evaluation's, at two levels
    assert scripts[-1].then
    assert all(isinstance(script, Script) and script.seconds == 4.0 for script in scripts)


def test_a_run_trains_before_videos_without_a_network(shared, tmp_path, adversarl_run, make):
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE.format(bank=shared.folder, more='[curriculum]\nuse = "static"'))
    summary = adversarl_run(path)
    assert summary["env_steps"] == 64
