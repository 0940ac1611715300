"""The renderer ``pbr`` shows what the classic one shows, and the same state always in the same pixels."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import mujoco
import numpy as np
import pytest
from adversarl_mujoco.pbr.engine import probe
from adversarl_mujoco.pbr.exposure import SUPERSAMPLING, WHITE, display, expose, linear, tone
from adversarl_mujoco.pbr.renderer import FilamentRenderer
from adversarl_mujoco.render import Renderer, metres
from PIL import Image
from typer.testing import CliRunner

from adversarl.cli.app import build_app
from adversarl.errors import NoVulkan
from adversarl.types import Perturbation

SIZE = 64


@pytest.fixture(scope="module", autouse=True)
def _needs_vulkan():
    """Skips everything, loudly, where there is no Vulkan driver."""
    try:
        probe()
    except NoVulkan as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def world(open_world):
    made = open_world(2, image_size=SIZE, renderer="pbr")
    made.reset(seed=0)
    return made


@pytest.fixture
def stage(world):
    """Puts perturbations in force in environment 0 and returns its pictures by both renderers."""
    simulation = world.simulations[0]
    pbr = FilamentRenderer(world._model, SIZE)
    classic = Renderer(world._model, SIZE)

    def draw(*perturbations):
        simulation._apply(perturbations)
        mujoco.mj_forward(simulation.model, simulation.data)
        pictures = np.empty((2, SIZE, SIZE, 3), np.uint8)
        classic.make_current()
        for renderer, picture in zip((classic, pbr), pictures, strict=True):
            renderer.draw(simulation.view, picture)
        return pictures

    draw.view, draw.pbr, draw.classic = simulation.view, pbr, classic
    yield draw
    draw()
    classic.close()
    pbr.close()


def test_the_nominal_picture_is_neither_flat_nor_over_nor_underexposed(stage):
    classic, pbr = stage()
    assert len(np.unique(pbr.reshape(-1, 3), axis=0)) > 100
    assert (pbr == 255).all(axis=2).mean() < 0.02
    assert (pbr == 0).all(axis=2).mean() < 0.02
    assert abs(pbr.mean() - classic.mean()) < 20


def red_centroid(picture):
    """Middle of the cube, the only red thing: row and column [pixel]."""
    red, green, blue = picture.astype(int).transpose(2, 0, 1)
    rows, columns = np.nonzero((red > 2 * green) & (red > 2 * blue))
    return np.array([rows.mean(), columns.mean()])


@pytest.mark.parametrize("axis", [None, "camera-position", "camera-orientation", "camera-fov"])
def test_the_object_stands_where_the_classic_renderer_shows_it(stage, axis):
    classic, pbr = stage(*([Perturbation(axis, 1.0, seed=3)] if axis else []))
    assert np.abs(red_centroid(classic) - red_centroid(pbr)).max() < 1


GROUPS = {
    "lights": ["light-position", "light-direction", "light-intensity", "light-temperature", "light-color"],
    "surroundings": ["ambient-light", "shadow"],
    "textures": ["table-texture", "object-texture", "background-texture"],
    "colors": ["table-color", "object-color", "background-color", "robot-color"],
    "camera": ["camera-position", "camera-orientation", "camera-fov"],
    "things": ["occluder", "distractors"],
    "background": ["background-image", "color-grid", "fog"],
    "picture": ["hue", "saturation", "contrast", "brightness"],
}


@pytest.mark.parametrize("group", GROUPS)
def test_visual_axes_change_the_picture_and_are_undone_exactly(stage, group):
    _, nominal = stage()
    for axis in GROUPS[group]:
        classic, changed = stage(Perturbation(axis, 1.0, seed=3))
        assert (changed != nominal).mean() > 0.003, axis
        if axis != "light-position":  # the classic renderer knows no distance to a light
            share = np.abs(classic.astype(int) - changed).mean()
            assert share < 45, f"{axis}: {share:.0f} of 255 from the classic picture"
        _, undone = stage()
        assert np.array_equal(undone, nominal), axis


def test_a_shape_may_change_within_an_episode(stage):
    _, nominal = stage()
    model = stage.view.model
    geom = model.geom("cube").id
    kept = model.geom_type[geom], model.geom_size[geom].copy()
    model.geom_type[geom], model.geom_size[geom] = mujoco.mjtGeom.mjGEOM_SPHERE, (0.04, 0, 0)
    _, sphere = stage()
    model.geom_type[geom], model.geom_size[geom] = kept
    _, again = stage()
    assert (sphere != nominal).any(axis=2).sum() > 20
    assert np.array_equal(again, nominal)


def test_depth_is_the_classic_renderers(stage):
    stage()
    depth = stage.pbr.depth(stage.view)
    raw = np.empty((SIZE, SIZE), np.float32)
    stage.classic.make_current()
    picture = np.empty((SIZE, SIZE, 3), np.uint8)
    stage.classic.draw(stage.view, picture)
    mujoco.mjr_readPixels(None, raw, stage.classic._rect, stage.classic._context)
    error = np.abs(depth - metres(raw[::-1], stage.view.model))
    assert depth.dtype == np.float32
    assert np.median(error) < 1e-4
    assert (error > 0.01).mean() < 0.02  # edges


def test_one_renderer_draws_many_environments_in_any_order(world):
    renderer = FilamentRenderer(world._model, SIZE)
    views = [simulation.view for simulation in world.simulations]
    pictures = np.empty((4, SIZE, SIZE, 3), np.uint8)
    for view, picture in zip([*views, *reversed(views)], pictures, strict=True):
        renderer.draw(view, picture)
    renderer.close()
    assert not np.array_equal(pictures[0], pictures[1])
    assert np.array_equal(pictures[:2], pictures[:1:-1])


def test_another_thread_draws_the_same_pixels_with_an_engine_of_its_own(world):
    views, drawn = [s.view for s in world.simulations], np.zeros((2, SIZE, SIZE, 3), np.uint8)

    def draw(row):
        renderer = FilamentRenderer(world._model, SIZE)
        renderer.draw(views[0], drawn[row])
        renderer.close()

    draw(0)
    thread = threading.Thread(target=draw, args=(1,))
    thread.start()
    thread.join()
    assert drawn[0].any()
    assert np.array_equal(drawn[0], drawn[1])


def test_a_world_plays_rewinds_and_restores_in_the_same_pixels(world):
    rng = np.random.default_rng(0)
    actions = rng.uniform(-1, 1, (6, 2, world.single_action_space.shape[0])).astype(np.float32)
    nominal = world.reset(seed=7)[0]["image"]
    world.perturb([0], [[Perturbation("table-color", 1.0, seed=1)]])
    start = world.snapshot([0, 1])
    first = [world.step(action)[0]["image"] for action in actions]
    world.rewind([0, 1], start)
    assert all(
        np.array_equal(world.step(action)[0]["image"], seen) for action, seen in zip(actions, first, strict=True)
    )
    world.restore([0, 1])
    assert np.array_equal(world.reset(seed=7)[0]["image"], nominal)
    assert world.frames([1], 100).shape == (1, 100, 100, 3)


def test_a_process_without_vulkan_is_told_what_to_install_and_lives_on():
    code = (
        "from adversarl.errors import AdversarlError\n"
        "from adversarl_mujoco.backend import Mujoco\n"
        "try:\n"
        "    Mujoco(Mujoco.Options(num_envs=1, threads=1, renderer='pbr')).make(seed=0)\n"
        "except AdversarlError as error:\n"
        "    print(type(error).__name__, error)\n"
    )
    environment = os.environ | {"VK_ICD_FILENAMES": "nothing.json", "VK_DRIVER_FILES": "nothing.json"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("NoVulkan backend.renderer = 'pbr' needs Vulkan, which does not work here: Unable to")
    assert "apt-get install -y mesa-vulkan-drivers libvulkan1" in done.stdout


def test_the_display_curve_is_srgb_and_highlights_are_compressed_not_cut():
    steps = np.linspace(0, 1, 50)
    assert display(linear(steps)) == pytest.approx(steps)
    assert tone(np.array([0.2, 0.6, WHITE, 9.0])) == pytest.approx([0.2, 0.6, 1, 1])
    assert (np.diff(tone(np.linspace(0, WHITE, 200))) >= 0).all()


def test_a_brightened_scene_is_shown_as_dark_as_it_is():
    out = np.empty((2, 1, 1, 3), np.uint8)
    for row, gain in enumerate((1.0, 8.0)):
        drawn = np.full((SUPERSAMPLING, SUPERSAMPLING, 3), 20 * gain, np.uint8)
        expose(drawn, gain, out[row])
    assert np.array_equal(out[0], out[1])


def test_scene_renderers_times_both_and_draws_them_side_by_side(tmp_path):
    picture = tmp_path / "both.png"
    words = ["scene", "renderers", "--frames", "1", "--size", "32", "--json", "-o", str(picture)]
    done = CliRunner().invoke(build_app(), words)
    assert done.exit_code == 0, done.output
    times = json.loads(done.stdout)
    assert list(times) == ["classic", "pbr"]
    assert all(set(row) == {"frame_ms", "shadowed_ms"} for row in times.values())
    left, right = np.split(np.asarray(Image.open(picture)).astype(int), 2, axis=1)
    assert left.shape == right.shape == (480, 480, 3)
    assert 0 < np.abs(left - right).mean() < 25


def test_a_scene_is_drawn_by_the_renderer_asked_for(tmp_path):
    scene = tmp_path / "scene.toml"
    scene.write_text("")
    pictures = []
    for renderer in ("classic", "pbr"):
        words = ["scene", "render", str(scene), "-o", str(tmp_path / f"{renderer}.png"), "--size", "32"]
        done = CliRunner().invoke(build_app(), [*words, "--renderer", renderer])
        assert done.exit_code == 0, done.output
        pictures.append(np.asarray(Image.open(tmp_path / f"{renderer}.png")))
    assert not np.array_equal(*pictures)
