"""What trackers see of an evaluation: which cells, which episodes, and what filming leaves untouched."""

from __future__ import annotations

import numpy as np
import pluggy
import pytest

from adversarl import hookimpl, hooks
from adversarl.evaluate import evaluate, teacher
from adversarl.filming import LONGEST, choose, play, show
from adversarl.interfaces.trials import Trial
from adversarl.recipe import load_recipe
from adversarl.registry import Component
from adversarl.runs import JOURNALS, read_json, read_rows
from adversarl.seeding import TRAINING_SEEDS
from adversarl.testing.fakes import make_world
from adversarl.training import train
from adversarl.types import Cell, CellResult, Perturbation

TRACKERS = """
import numpy as np
from adversarl import hookimpl
from adversarl.interfaces.tracker import Tracker

class Album(Tracker):
    @hookimpl
    def adversarl_media(self, step, pictures, videos):
        np.savez(self.folder / f"album-{step}.npz", **{name.replace("/", " "): one for name, one in videos.items()})

class Clumsy(Tracker):
    @hookimpl
    def adversarl_scalars(self, step, scalars):
        raise OSError("the disk is full")

    @hookimpl
    def adversarl_notice(self, source, text):
        raise RuntimeError("cannot even say so")
"""


class Heard:
    def __init__(self):
        self.media = []

    @hookimpl
    def adversarl_media(self, step, pictures, videos):
        self.media.append((step, pictures, videos))


def result(axis, intensity, successes, n=4):
    return CellResult(axis, intensity, tuple(range(n)), tuple(index < successes for index in range(n)))


def names(results):
    return [f"{results[index].axis} {results[index].intensity}" for index in choose(results)]


def test_the_nominal_cell_and_the_axes_that_fail_first_are_filmed():
    results = [
        result("mixed", 0.0, 4), result("mixed", 0.5, 1), result("mixed", 1.0, 0),
        result("fog", 0.5, 3), result("fog", 1.0, 1),
        result("hue", 0.5, 4), result("hue", 1.0, 4),
        result("glare", 0.5, 0), result("glare", 1.0, 0),
    ]  # fmt: skip
    assert names(results) == ["mixed 0.0", "glare 0.5", "mixed 0.5", "fog 1.0"]
    assert names(results[:3]) == ["mixed 0.0", "mixed 0.5"]
    assert names(results[5:7]) == ["hue 1.0"]  # an axis that never fails, at its hardest
    assert names([]) == []


@pytest.fixture
def stage():
    """An evaluation by the teacher in which the second half of the cells is impossible, and who heard of it."""
    manager, heard = pluggy.PluginManager("adversarl"), Heard()
    manager.add_hookspecs(hooks)
    seeds = tuple(TRAINING_SEEDS + n for n in range(3))
    dark = (Perturbation("background-color", 1.0, seed=5),)
    cells = [Cell("mixed", 0.0, seeds, ((),) * 3), Cell("mixed", 1.0, seeds, (dark,) * 3)]
    return manager, heard, cells


def run(manager, cells, made):
    def make(keys):
        made.append(make_world(1, image_size=16, max_episode_steps=40, **keys))
        made[-1].close_extras = lambda **kwargs: made.append("closed")
        return made[-1]

    world = make_world(2, image_size=16, max_episode_steps=40)
    results = evaluate(teacher(world), world, cells)
    alone = make_world(1, image_size=16, max_episode_steps=40)

    def act(observation):
        del observation
        return teacher(made[-1] if made[-1] != "closed" else alone)({})

    show(manager.hook, 7, act, make, cells, results)
    return results


def test_without_a_listener_nothing_is_played(stage):
    manager, _, cells = stage
    made = []
    run(manager, cells, made)
    assert made == []


def test_a_picture_and_a_film_of_each_chosen_cell_are_shown(stage):
    manager, heard, cells = stage
    manager.register(heard)
    made = []
    run(manager, cells, made)
    ((step, pictures, videos),) = heard.media
    assert step == 7
    assert list(pictures) == ["trajectory/image/mixed/0.00", "trajectory/image/mixed/1.00"]
    assert list(videos) == ["trajectory/video/mixed/0.00", "trajectory/video/mixed/1.00"]
    for picture, film in zip(pictures.values(), videos.values(), strict=True):
        assert film.dtype == np.uint8
        assert film.shape[1:] == (16, 16, 3)  # nothing but observations to show
        assert 2 < len(film) <= LONGEST
        assert np.array_equal(film[0], picture)
        assert not np.array_equal(film[0], film[-1])
    nominal, changed = pictures.values()
    assert np.abs(nominal.astype(int) - changed).mean() > 10
    assert made.count("closed") == 2


def test_the_film_is_the_episode_that_was_evaluated(stage):
    _, _, cells = stage
    films = [
        play(teacher(world), world, Trial(cells[1].seeds[0], cells[1].perturbations[0]))
        for world in (make_world(1, image_size=16, max_episode_steps=40) for _ in range(2))
    ]
    assert np.array_equal(*films)


def test_a_long_episode_makes_a_film_of_a_hundred_pictures():
    world = make_world(1, image_size=16, max_episode_steps=950)
    film = play(lambda observation: np.zeros((1, 2), np.float32), world, Trial(TRAINING_SEEDS))
    assert len(film) == 95


@pytest.fixture
def trackers(plugins, tmp_path, monkeypatch):
    (tmp_path / "odd_trackers.py").write_text(TRACKERS)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("Album", "Clumsy"):
        plugins.registry.add(Component("tracker", name.lower(), f"odd_trackers:{name}", "Odd.", "mine"))


def test_a_run_is_filmed_after_each_evaluation_and_trains_as_if_it_were_not(plugins, trackers, recipe_file, tmp_path):
    for name, use in (("filmed", '["album"]'), ("plain", "[]")):
        recipe = load_recipe(recipe_file, plugins.registry, ["run.evaluate_every=800", f"tracking.use={use}"])
        train(recipe, plugins, tmp_path / name)
    for journal in JOURNALS:
        assert (tmp_path / "filmed" / f"{journal}.jsonl").read_bytes() == (
            tmp_path / "plain" / f"{journal}.jsonl"
        ).read_bytes()
    found = read_json(tmp_path / "filmed" / "evaluation.json")
    assert found == read_json(tmp_path / "plain" / "evaluation.json")
    albums = {int(path.stem.removeprefix("album-")): np.load(path) for path in (tmp_path / "filmed").glob("album-*")}
    assert sorted(albums) == [entry["env_steps"] for entry in found.values()]
    assert all("trajectory video mixed 0.00" in album.files for album in albums.values())


def test_what_a_live_service_shows_is_not_paid_for_twice(plugins, trackers, recipe_file, tmp_path, monkeypatch):
    from adversarl.builtin.point_mass import PointMass

    monkeypatch.setattr(PointMass, "live", True)
    recipe = load_recipe(recipe_file, plugins.registry, ['tracking.use=["album"]', "run.total_steps=0"])
    train(recipe, plugins, tmp_path / "run")
    assert not list((tmp_path / "run").glob("album-*"))


def test_a_tracker_that_fails_is_reported_once_and_stops_nothing(plugins, trackers, recipe_file, tmp_path):
    before = plugins.manager.get_plugins()
    recipe = load_recipe(recipe_file, plugins.registry, ['tracking.use=["clumsy"]'])
    assert train(recipe, plugins, tmp_path / "run")["env_steps"] == 1600
    told = {row["text"] for row in read_rows(tmp_path / "run" / "notices.jsonl")}
    assert "adversarl_scalars: OSError: the disk is full. Training goes on without it" in told
    rows = read_rows(tmp_path / "run" / "notices.jsonl")
    assert [row["source"] for row in rows] == ["tracker clumsy"] * len(rows)
    assert len(rows) <= 2
    assert plugins.manager.get_plugins() == before


def test_a_run_may_go_on_with_other_trackers(plugins, trackers, recipe_file, tmp_path):
    train(load_recipe(recipe_file, plugins.registry), plugins, tmp_path / "run")
    more = load_recipe(recipe_file, plugins.registry, ['tracking.use=["album"]', "run.total_steps=2000"])
    train(more, plugins, tmp_path / "run", resume=True)
    assert [path.name for path in (tmp_path / "run").glob("album-*")] == ["album-2000.npz"]
