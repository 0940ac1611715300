import numpy as np
import pytest
from adversarl_benchmark.frames import suite_frames

from adversarl.errors import NoVulkan
from adversarl.plugins import build_plugin_manager
from adversarl.recipe import parse_recipe
from adversarl.types import Cell, Perturbation

TABLES = {"backend": {"use": "point-mass", "image_size": 32}, "learner": {"use": "random-search"}}
SEEDS = (2**31 + 5, 2**31 + 6)


@pytest.fixture(scope="module")
def recipe():
    return parse_recipe(TABLES, build_plugin_manager().registry, "frames.toml")


def cell(axis, intensity, *names, world=None):
    told = tuple(tuple(Perturbation(name, intensity, seed=3) for name in ps) for ps in names)
    return Cell(axis, intensity, SEEDS, told, world or {})


def test_every_curve_begins_with_the_same_scene_with_nothing_changed(recipe):
    cells = [cell("brightness", strength, ["brightness"], ["brightness"]) for strength in (0.5, 1.0)]
    frames = suite_frames(recipe, cells, size=48)[0]["brightness"]
    assert [frame.intensity for frame in frames] == [0.0, 0.5, 1.0]
    assert frames[0].picture.shape == (48, 48, 3)
    means = [frame.picture.mean() for frame in frames]
    assert means[0] > means[1] > means[2]


def test_what_begins_at_0_is_shown_once(recipe):
    cells = [cell("mixed", 0.0, [], []), cell("mixed", 1.0, ["brightness"], ["brightness"])]
    frames = suite_frames(recipe, cells)[0]["mixed"]
    assert [frame.intensity for frame in frames] == [0.0, 1.0]


def test_every_sentence_has_frames_of_its_own(recipe):
    cells = [cell("prompts", 1.0, ["brightness"], ["background-color"])]
    frames, notes = suite_frames(recipe, cells, sentences=("dim it", "paint it"))
    assert [(frame.text, frame.intensity) for frame in frames["prompts"]] == [
        ("dim it", 0.0), ("dim it", 1.0), ("paint it", 0.0), ("paint it", 1.0),
    ]  # fmt: skip
    assert notes == []


def test_two_worlds_are_shown_one_after_the_other(recipe):
    cells = [cell("mixed", 1.0, ["brightness"], []), cell("large", 1.0, [], [], world={"image_size": 64})]
    frames = suite_frames(recipe, cells)[0]
    assert list(frames) == ["mixed", "large"]


def test_a_world_that_cannot_be_drawn_is_left_out_with_a_sentence(recipe, monkeypatch):
    from adversarl.builtin.point_mass import PointMass

    make = PointMass.make

    def fails(self, **keys):
        if self.options.image_size == 64:
            raise NoVulkan("no device")
        return make(self, **keys)

    monkeypatch.setattr(PointMass, "make", fails)
    cells = [cell("mixed", 1.0, ["brightness"], []), cell("mixed-pbr", 1.0, [], [], world={"image_size": 64})]
    frames, notes = suite_frames(recipe, cells)
    assert list(frames) == ["mixed"]
    assert "mixed-pbr" in notes[0]
    assert "no device" in notes[0]


def test_frames_are_the_same_every_time(recipe):
    cells = [cell("background-color", 0.7, ["background-color"], [])]
    first, second = (suite_frames(recipe, cells)[0]["background-color"] for _ in range(2))
    assert all(np.array_equal(a.picture, b.picture) for a, b in zip(first, second, strict=True))
