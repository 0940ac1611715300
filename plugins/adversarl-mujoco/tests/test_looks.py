"""What visual axes promise beyond being seen: true segmentation, true mixes, copies of other looks."""

from __future__ import annotations

import adversarl_mujoco.gl  # noqa: F401  isort: skip
import mujoco
import numpy as np
import pytest
from adversarl_mujoco.render import Renderer
from adversarl_mujoco.robot import panda
from adversarl_mujoco.scene import BACKGROUND_GROUP, build_scene
from adversarl_mujoco.simulation import Simulation
from adversarl_mujoco.tasks.catalog import make_task
from adversarl_mujoco.tasks.pick import PickOptions
from adversarl_mujoco.textures import PATTERNS, POOL, texture

from adversarl.types import Perturbation

SIZE = 84


class Studio:
    """One scene with a camera."""

    def __init__(self) -> None:
        scene = build_scene(panda(), image_size=SIZE, textures=16)
        self.simulation = Simulation(scene, make_task(PickOptions()), np.random.default_rng(0))
        self.simulation.reset(3)
        self.model, self.data, self.view = self.simulation.model, self.simulation.data, self.simulation.view
        self.renderer = Renderer(scene.model, SIZE)

    def shot(self, *active: Perturbation, step: int = 0) -> np.ndarray:
        self.prepare(*active)
        self.view.step = step
        return self.draw()

    def prepare(self, *active: Perturbation) -> None:
        asked = self.simulation.perturber.apply(active)
        mujoco.mj_forward(self.model, self.data)
        self.view.configure(asked)

    def draw(self) -> np.ndarray:
        frame = np.empty((SIZE, SIZE, 3), np.uint8)
        self.renderer.draw(self.view, frame)
        return frame

    def background(self) -> np.ndarray:
        """Where background is seen, by painting everything of it in a colour that nothing else has."""
        self.prepare()
        model = self.model
        behind = [g for g in range(model.ngeom) if model.geom_group[g] == BACKGROUND_GROUP]
        others = [g for g in range(model.ngeom) if g not in behind]
        kept = model.geom_rgba.copy(), model.geom_matid.copy(), model.mat_emission.copy()
        visible = [g for g in others if model.geom_rgba[g, 3] > 0]
        model.geom_matid[[*behind, *visible]] = -1
        model.geom_rgba[visible] = (0, 0, 0, 1)
        model.geom_rgba[[g for g in behind if kept[0][g, 3] > 0]] = (1, 1, 1, 1)
        light = model.vis.headlight.ambient.copy()
        model.vis.headlight.ambient[:] = 3.0
        mask = self.draw().min(-1) > 128
        model.vis.headlight.ambient[:] = light
        model.geom_rgba[:], model.geom_matid[:] = kept[0], kept[1]
        return mask


@pytest.fixture(scope="module")
def studio():
    made = Studio()
    yield made
    made.renderer.close()


@pytest.mark.parametrize("axis", ["color-grid", "background-image", "background-video"])
def test_exactly_the_pixels_of_floor_and_wall_are_replaced(studio, axis):
    nominal = studio.shot()
    mask = studio.background()
    changed = (studio.shot(Perturbation(axis, 1.0, seed=2)) != nominal).any(-1)
    assert not (changed & ~mask).any()
    assert (changed & mask).sum() > 0.9 * mask.sum()
    assert 0.1 < mask.mean() < 0.9


def test_the_background_stays_behind_when_the_camera_has_moved(studio):
    moved = Perturbation("camera-position", 1.0, value="left up")
    first, second = (
        studio.shot(moved, Perturbation("background-image", 1.0, value=name)) for name in ("room_0", "leaves_3")
    )
    nominal = studio.shot(moved)
    changed = (first != second).any(-1)
    assert np.array_equal(first[~changed], second[~changed])
    table = np.zeros_like(changed)
    table[SIZE // 2 :] = True
    assert not (changed & table).any()
    assert np.array_equal(first[table], nominal[table])


def test_a_background_is_mixed_by_intensity(studio):
    nominal, whole = studio.shot(), studio.shot(Perturbation("background-image", 1.0, value="hills_1"))
    half = studio.shot(Perturbation("background-image", 0.5, value="hills_1"))
    assert np.abs((nominal.astype(int) + whole) / 2 - half).max() <= 1


def test_a_video_moves_with_the_control_steps_and_an_image_does_not(studio):
    video, image = (Perturbation(f"background-{kind}", 1.0, seed=1) for kind in ("video", "image"))
    assert not np.array_equal(studio.shot(video, step=1), studio.shot(video, step=9))
    assert np.array_equal(studio.shot(video, step=1), studio.shot(video, step=1))
    assert np.array_equal(studio.shot(image, step=1), studio.shot(image, step=9))
    rain = Perturbation("rain", 1.0, seed=1)
    assert not np.array_equal(studio.shot(rain, step=1), studio.shot(rain, step=2))


def test_fog_is_thicker_where_things_are_farther(studio):
    fogged = studio.shot(Perturbation("fog", 1.0, value=(0.0, 0.0, 1.0))).astype(float)
    nominal = studio.shot().astype(float)
    left = fogged[..., 0] / np.maximum(nominal[..., 0], 1)
    near, far = left[-1, SIZE // 2], left[2, 2]
    distance = -np.log((near, far)) / 1.2
    assert 0.3 < distance[0] < 0.8
    assert 1.4 < distance[1] < 2.4


@pytest.mark.parametrize("thing", ["table", "object", "background", "robot"])
def test_a_texture_at_half_is_the_mean_of_nominal_and_texture(studio, thing):
    nominal, half, whole = (
        studio.shot(Perturbation(f"{thing}-texture", i, seed=2)).astype(int) for i in (0.0, 0.5, 1.0)
    )
    assert np.abs((nominal + whole) / 2 - half).max() <= 3  # rounding
    assert np.abs(whole - nominal).max() > 30


@pytest.mark.parametrize("thing", ["table", "object", "background", "robot"])
def test_not_drawing_what_a_texture_covers_is_not_seen(studio, thing):
    covered = studio.shot(Perturbation(f"{thing}-texture", 1.0, seed=2))
    hidden = studio.model.geom_rgba[:, 3] == 0
    below = [g for g in np.flatnonzero(hidden) if _is_covered(studio.model, int(g))]
    studio.model.geom_rgba[below, 3] = 1
    assert below
    assert np.abs(studio.draw().astype(int) - covered).max() <= 1


def _is_covered(model, geom):
    names = {model.geom(g).name: g for g in range(model.ngeom)}
    skin = names.get(f"{model.geom(geom).name}_skin")
    return skin is not None and model.geom_rgba[skin, 3] == 1


def test_a_camouflaged_object_takes_over_colour_and_texture_of_the_table(studio):
    surface = Perturbation("table-texture", 1.0, value="tex_003"), Perturbation("table-color", 0.7, value=(0, 1, 0))
    studio.prepare(*surface, Perturbation("object-camouflage", 1.0, value="table"))
    model = studio.model
    assert np.array_equal(model.mat("mat_cube").rgba, model.mat("mat_table").rgba)
    assert model.geom("cube_skin").matid == model.geom("table_skin").matid
    assert model.geom("cube_skin").rgba[3] == 1
    studio.prepare(Perturbation("object-camouflage", 1.0, value="robot"), Perturbation("object-texture", 1.0))
    assert model.geom("cube_skin").rgba[3] == 0
    assert model.geom("cube").rgba[3] == 1
    studio.prepare()


def test_distractors_take_the_objects_colour_and_more_and_more_of_them_its_shape(studio):
    crowd, shapes = Perturbation("distractors", 1.0, seed=1), []
    for intensity in (0.0, 0.5, 1.0):
        studio.prepare(crowd, Perturbation("distractor-similarity", intensity))
        geoms = [studio.model.geom(f"distractor_{i}") for i in range(6)]
        sizes = [tuple(geom.size) == tuple(studio.model.geom("cube").size) for geom in geoms]
        shapes.append(sum(sizes))
        reds = [np.abs(geom.rgba[:3] - studio.model.mat("mat_cube").rgba[:3]).max() < 1e-6 for geom in geoms]
        assert all(reds) == (intensity == 1)
    assert shapes == [0, 3, 6]
    heights = [studio.model.body(f"distractor_{i}").pos[2] for i in range(6)]
    assert np.allclose(heights, 0.4225)
    studio.prepare()


def test_look_alikes_come_where_there_are_no_distractors(studio):
    studio.prepare(Perturbation("distractor-similarity", 1.0, seed=4))
    assert sum(studio.model.body(f"distractor_{i}").pos[2] > 0 for i in range(6)) == 3
    studio.prepare()


def test_lamps_are_lit_one_after_the_other_and_put_out_likewise(studio):
    lit = []
    for intensity in (0.2, 0.5, 1.0):
        studio.prepare(Perturbation("light-count", intensity, value="more"))
        lit.append(sum(bool(studio.model.light(f"lamp_{i}").active[0]) for i in range(4)))
    assert lit == [1, 2, 4]
    studio.prepare(Perturbation("light-count", 0.5, value="fewer"))
    assert studio.model.light("fill").diffuse.max() == 0
    assert studio.model.light("key").diffuse.min() > 0.5
    studio.prepare()


def test_the_pool_is_large_and_pools_of_different_seeds_share_nothing():
    pools = [{texture(index, seed=seed).tobytes() for index in range(POOL)} for seed in (0, 1)]
    assert [len(pool) for pool in pools] == [POOL, POOL]
    assert POOL >= 200
    assert POOL % len(PATTERNS) == 0
    assert not pools[0] & pools[1]
