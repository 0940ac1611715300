import runpy
from pathlib import Path

import numpy as np
import pytest
from adversarl_benchmark.distance import cell_frames, cielab, correlation, features, training_frames, visual_distance

from adversarl.assembly import load_recipe_of
from adversarl.errors import RunFolderError
from adversarl.plugins import build_plugin_manager
from adversarl.types import Cell, Perturbation

EXAMPLE = runpy.run_path(str(Path(__file__).with_name("report_example.py")))
INTENSITIES = (0.25, 0.5, 0.75, 1.0)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    plugins = build_plugin_manager()
    return plugins, EXAMPLE["trained"](tmp_path_factory.mktemp("distance") / "run", plugins)


def scenes(count, shift=0.0, seed=0):
    """Pictures of a bright square at a place that varies, in a light that `shift` changes."""
    rng = np.random.default_rng(seed)
    pictures = np.full((count, 32, 32, 3), 60.0) + 120 * shift
    for picture, (x, y) in zip(pictures, rng.integers(4, 20, size=(count, 2)), strict=True):
        picture[y : y + 8, x : x + 8] = (200, 60 + 100 * shift, 60)
    return (pictures + rng.normal(0, 2, pictures.shape)).clip(0, 255).astype(np.uint8)


def test_known_colors_have_their_published_cielab():
    # CIE 15 with D65: Lindbloom's calculator for sRGB white, black, red and a middle grey.
    rgb = np.array([[1, 1, 1], [0, 0, 0], [1, 0, 0], [0.5, 0.5, 0.5]], dtype=np.float64)
    expected = [[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20], [53.39, 0, 0]]
    assert np.allclose(cielab(rgb), expected, atol=0.02)


def test_the_features_are_thumbnails_and_gradients():
    colors, gradients = features(scenes(3))
    assert colors.shape == (3, 192)
    assert gradients.shape == (3, 576)
    assert gradients.max() <= 0.2


def test_the_same_distribution_is_as_near_as_training_is_to_itself():
    tests = {("same", 0.0): scenes(40, seed=1), ("other", 1.0): scenes(40, 0.8, seed=2)}
    success = {("a", "same", 0.0): 1.0, ("a", "other", 1.0): 0.0}
    same, other = (p["distance"] for p in visual_distance({"a": scenes(128)}, tests, success)["points"])
    assert abs(same) < 0.05 < 10 * abs(same) < other


def test_distance_grows_with_intensity():
    tests = {("light", i): scenes(20, i, seed=3) for i in INTENSITIES}
    success = {("a", "light", i): 1 - i for i in INTENSITIES}
    found = visual_distance({"a": scenes(128)}, tests, success)
    distances = [point["distance"] for point in found["points"]]
    assert distances == sorted(distances)
    assert distances[0] > 0
    assert found["correlation"]["value"] == -1.0
    assert "CIELAB" in found["feature"]


def test_training_that_has_shown_it_is_nearer_than_training_that_has_not():
    broad = np.concatenate([scenes(64), scenes(64, 0.5, seed=4)])
    tests = {("light", 0.5): scenes(20, 0.5, seed=5)}
    success = {(name, "light", 0.5): 0.5 for name in ("broad", "narrow")}
    points = visual_distance({"broad": broad, "narrow": scenes(128)}, tests, success)["points"]
    assert {p["condition"]: p["distance"] < 0.2 for p in points} == {"broad": True, "narrow": False}


def test_conditions_and_cells_without_pictures_are_left_out():
    success = {("a", "light", 0.5): 0.5, ("a", "gone", 0.5): 0.5, ("oracle", "light", 0.5): 1.0}
    points = visual_distance({"a": scenes(8)}, {("light", 0.5): scenes(4, 0.5)}, success)["points"]
    assert [(point["condition"], point["curve"]) for point in points] == [("a", "light")]


def test_the_correlation_has_an_interval_and_is_the_same_every_time():
    rng = np.random.default_rng(0)
    points = [
        {"condition": "a", "curve": f"c{curve}", "distance": d, "success": 1 - d + rng.normal(0, 0.2)}
        for curve in range(12) for d in INTENSITIES
    ]  # fmt: skip
    first = correlation(points)
    assert -1 <= first["low"] < first["value"] < first["high"] < 0
    assert first == correlation(points)


def test_conditions_that_differ_do_not_make_a_correlation_within_them():
    rng = np.random.default_rng(1)
    drawn = [(name, far, *rng.random(2) / 10) for name, far in (("near", 0.0), ("far", 0.5)) for _ in range(40)]
    points = [
        {"condition": name, "curve": f"c{index % 40}", "distance": far + one, "success": 0.9 - far + other}
        for index, (name, far, one, other) in enumerate(drawn)
    ]
    found = correlation(points)
    assert found["value"] < -0.6
    assert all(abs(value) < 0.4 for value in found["by_condition"].values())


def test_where_nothing_varies_there_is_no_correlation():
    points = [{"condition": "a", "curve": "c", "distance": float(d), "success": 1.0} for d in range(5)]
    assert correlation(points)["value"] is None
    assert correlation([])["value"] is None


def test_pictures_of_training_are_made_again_and_are_the_same_every_time(run):
    plugins, folder = run
    first, second = (training_frames(folder, plugins, 20) for _ in range(2))
    assert first.shape == (20, 32, 32, 3)
    assert np.array_equal(first, second)
    assert len(np.unique(first.reshape(20, -1), axis=0)) == 20


def test_a_run_that_finished_no_episode_has_no_pictures(run, tmp_path):
    plugins, folder = run
    (tmp_path / "recipe.toml").write_text((folder / "recipe.toml").read_text())
    with pytest.raises(RunFolderError, match="has no finished episode"):
        training_frames(tmp_path, plugins)


def test_a_dimmer_world_is_farther_from_training(run):
    plugins, folder = run
    recipe = load_recipe_of(folder, plugins, [])
    seeds = tuple(2**31 + index for index in range(12))
    cells = [Cell("dim", i, seeds, ((Perturbation("brightness", i),),) * len(seeds)) for i in INTENSITIES]
    tests = cell_frames(recipe, [Cell("mixed", 0.0, seeds, tuple(() for _ in seeds)), *cells])
    nominal = cell_frames(recipe, [Cell("n", 0.0, tuple(range(64)), tuple(() for _ in range(64)))])["n", 0.0]
    success = {("nominal", curve, intensity): 1 - intensity for curve, intensity in tests}
    distances = [point["distance"] for point in visual_distance({"nominal": nominal}, tests, success)["points"]]
    assert abs(distances[0]) < 0.1 < distances[1]
    assert distances == sorted(distances)
