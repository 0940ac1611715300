"""Every axis on the real scene, judged by its pixels."""

from __future__ import annotations

import copy
from functools import partial

import adversarl_mujoco.gl  # noqa: F401  isort: skip
import mujoco
import numpy as np
import pytest
from adversarl_mujoco.axes import AXES, Perturber
from adversarl_mujoco.axes.catalog import WORLD_AXES
from adversarl_mujoco.render import Renderer
from adversarl_mujoco.robot import panda
from adversarl_mujoco.scene import build_scene
from adversarl_mujoco.simulation import Simulation
from adversarl_mujoco.tasks.pick import Pick, PickOptions
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adversarl.errors import PerturbationError
from adversarl.types import Perturbation

SIZE = 84
SEEN = [axis for axis in WORLD_AXES if axis.spec.group == "visual"]
NAMES = [axis.spec.name for axis in SEEN]
SYMMETRIC = {"shadow", "object-camouflage"}
"""Axes that leave nothing to the seed."""
LEAST = {
    "object-color": 0.3,
    "object-texture": 0.3,
    "object-camouflage": 0.25,
    "background-texture": 0.8,
    "light-specular": 0.25,  # its value "dull": nominal surfaces are almost matte
}
"""Least mean change of a pixel [of 255] at intensity 1 for small or far things; else 1."""


class Studio:
    """One scene with a camera: shows what perturbations look like."""

    def __init__(self) -> None:
        scene = self.scene = build_scene(panda(), image_size=SIZE, textures=16)
        self.simulation = Simulation(scene, partial(Pick, PickOptions()), np.random.default_rng(0))
        self.simulation.reset(3)
        self.model, self.data = self.simulation.model, self.simulation.data
        self.perturber = self.simulation.perturber
        self.renderer = Renderer(scene.model, SIZE)
        self.nominal = self.shot()

    def shot(self, *active: Perturbation) -> np.ndarray:
        asked = self.perturber.apply(active)
        mujoco.mj_forward(self.model, self.data)
        view = self.simulation.view
        view.configure(asked)
        frame = np.empty((SIZE, SIZE, 3), np.uint8)
        self.renderer.draw(view, frame)
        return frame


def difference(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(int) - b).mean())


def contents(model: mujoco.MjModel) -> bytes:
    """The whole model, headlight included."""
    buffer = np.empty(mujoco.mj_sizeModel(model), np.uint8)
    mujoco.mj_saveModel(model, None, buffer)
    return buffer.tobytes()


@pytest.fixture(scope="module")
def studio():
    made = Studio()
    yield made
    made.renderer.close()


@pytest.mark.parametrize("name", NAMES)
def test_intensity_one_is_clearly_seen_and_undone_to_the_bit(studio, name):
    before = contents(studio.model)
    for seed in (1, 2, 3):
        seen = difference(studio.shot(Perturbation(name, 1.0, seed=seed)), studio.nominal)
        assert seen > LEAST.get(name, 1.0), seen
    assert np.array_equal(studio.shot(), studio.nominal)
    assert contents(studio.model) == before


@pytest.mark.parametrize("name", NAMES)
def test_intensity_zero_is_nominal_to_the_bit(studio, name):
    before = contents(studio.model)
    assert np.array_equal(studio.shot(Perturbation(name, 0.0, seed=5)), studio.nominal)
    assert contents(studio.model) == before


@pytest.mark.parametrize("name", NAMES)
def test_more_intensity_is_never_less_visible(studio, name):
    """Averaged over seeds: a single draw may move a light so that it happens to look alike."""

    def mean(intensity: float) -> float:
        shots = [studio.shot(Perturbation(name, intensity, seed=seed)) for seed in range(5)]
        return float(np.mean([difference(shot, studio.nominal) for shot in shots]))

    assert mean(0.2) < mean(1.0) * (1.6 if name == "shadow" else 1.0)


@pytest.mark.parametrize("name", NAMES)
def test_a_small_intensity_is_a_small_change(studio, name):
    tiny = difference(studio.shot(Perturbation(name, 0.01, seed=1)), studio.nominal)
    assert tiny < (3.0 if name == "distractors" else 2.5), tiny


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_decides_what_is_left_open(studio, name):
    shots = {studio.shot(Perturbation(name, 0.8, seed=seed)).tobytes() for seed in range(12)}
    again = {studio.shot(Perturbation(name, 0.8, seed=seed)).tobytes() for seed in range(12)}
    assert shots == again
    assert len(shots) == 1 if name in SYMMETRIC else len(shots) > 1


@pytest.mark.parametrize("axis", [axis for axis in SEEN if axis.names], ids=lambda axis: axis.spec.name)
def test_every_named_value_can_be_seen_and_differs(studio, axis):
    shots = [studio.shot(Perturbation(axis.spec.name, 1.0, value=name, seed=4)) for name in axis.names]
    least = min(0.5, LEAST.get(axis.spec.name, 1.0))
    assert all(difference(shot, studio.nominal) > least for shot in shots)
    assert len({shot.tobytes() for shot in shots}) == len(shots)


@pytest.mark.parametrize("axis", [axis for axis in SEEN if axis.numbers], ids=lambda axis: axis.spec.name)
def test_a_value_given_by_numbers_does_not_depend_on_the_seed_where_it_says_all(studio, axis):
    shots = {studio.shot(Perturbation(axis.spec.name, 1.0, value=(0.1, 0.9, 0.2), seed=s)).tobytes() for s in (1, 2)}
    assert len(shots) == (2 if axis.spec.name in ("occluder", "distractors") else 1)


@pytest.mark.parametrize("axis", [axis.spec for axis in SEEN if axis.spec.targets], ids=lambda axis: axis.name)
def test_targets_differ_and_none_is_the_first(studio, axis):
    shots = {target: studio.shot(Perturbation(axis.name, 1.0, target, seed=1)).tobytes() for target in axis.targets}
    assert len(set(shots.values())) == len(axis.targets)
    assert studio.shot(Perturbation(axis.name, 1.0, seed=1)).tobytes() == shots[axis.targets[0]]


def test_every_texture_of_the_pool_and_every_pattern_can_be_named(studio):
    for value in ("wood", "checker", "tex_000", "tex_015"):
        assert difference(studio.shot(Perturbation("table-texture", 1.0, value=value)), studio.nominal) > 5


def test_distractors_are_counted_and_stand_on_the_table(studio):
    for count in range(7):
        studio.shot(Perturbation("distractors", count / 6, seed=count))
        heights = [studio.model.body(f"distractor_{i}").pos[2] for i in range(6)]
        assert sum(height > 0.4 for height in heights) == count


def test_distractors_keep_off_the_area_where_the_object_starts(studio):
    for seed in range(50):
        studio.shot(Perturbation("distractors", 1.0, seed=seed))
        places = np.array([studio.model.body(f"distractor_{i}").pos[:2] for i in range(6)])
        assert ((np.abs(places[:, 0]) > 0.11) | (np.abs(places[:, 1]) > 0.14)).all()
        gaps = np.linalg.norm(places[:, None] - places[None], axis=-1) + np.eye(6)
        assert gaps.min() > 0.08


def red_pixels(frame: np.ndarray) -> int:
    r, g, b = np.moveaxis(frame.astype(int), -1, 0)
    return int(((r > 80) & (r > 2 * g) & (r > 2 * b)).sum())


def test_the_occluder_hides_at_most_sixty_percent_of_the_object(studio):
    address = studio.model.joint("cube_free").qposadr[0]
    kept = studio.data.qpos.copy()
    try:
        studio.data.qpos[address : address + 7] = (0, 0, 0.4225, 1, 0, 0, 0)
        whole = red_pixels(studio.shot())
        post = {intensity: Perturbation("occluder", intensity, value="center", seed=1) for intensity in (0.5, 1.0)}
        hidden = {i: 1 - red_pixels(studio.shot(p)) / whole for i, p in post.items()}
    finally:
        studio.data.qpos[:] = kept
    assert 0.15 < hidden[0.5] < hidden[1.0] < 0.75
    assert hidden[1.0] > 0.45


def test_clutter_never_touches_physics(studio):
    calm, busy = copy.copy(studio.model), copy.copy(studio.model)
    clutter = [Perturbation("occluder", 1.0, seed=1), Perturbation("distractors", 1.0, seed=1)]
    Perturber(busy, studio.scene, "cube").apply(clutter)
    states = []
    for model in (calm, busy):
        data = mujoco.MjData(model)
        data.qpos[:], data.ctrl[:] = studio.data.qpos, studio.data.ctrl + 0.1
        mujoco.mj_step(model, data, 300)
        states.append(data.qpos.copy())
    assert np.array_equal(*states)


def test_environments_keep_their_own_looks(studio):
    other = copy.copy(studio.model)
    before = contents(other)
    studio.shot(*(Perturbation(name, 1.0, seed=9) for name in NAMES))
    assert contents(other) == before
    studio.shot()


some = st.builds(
    Perturbation,
    axis=st.sampled_from(NAMES),
    intensity=st.floats(0, 1),
    seed=st.integers(0, 2**63),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(active=st.lists(some, max_size=8), order=st.randoms(use_true_random=False))
def test_any_set_of_perturbations_is_independent_of_order_and_undone(studio, active, order):
    shuffled = list(active)
    order.shuffle(shuffled)
    first = studio.shot(*active)
    inside = contents(studio.model)
    assert np.array_equal(studio.shot(*shuffled), first)
    assert contents(studio.model) == inside
    assert np.array_equal(studio.shot(), studio.nominal)


@pytest.mark.parametrize(
    ("perturbation", "message"),
    [
        (Perturbation("light-positon", 0.5), "no axis 'light-positon'. Did you mean 'light-position'?"),
        (Perturbation("light-position", 0.5, "kye"), "no target of light-position 'kye'. Did you mean 'key'?"),
        (Perturbation("table-color", 0.5, "key"), "no target of table-color 'key'. There is none."),
        (Perturbation("light-intensity", 0.5, value="dimm"), "no value of light-intensity 'dimm'. Did you mean 'dim'?"),
        (Perturbation("table-texture", 0.5, value="tex_999"), "no value of table-texture 'tex_999'."),
        (Perturbation("table-color", 0.5, value=(2.0, 0, 0)), "no value of table-color '(2.0, 0, 0)'."),
        (Perturbation("hue", 0.5, value=(1.0,)), "no value of hue '(1.0,)'."),
        (Perturbation("fog", 0.5, value="thick"), "fog 'thick'. There is: a tuple of 3 numbers in [0, 1] (RGB)."),
        (Perturbation("camera-position", 0.5, value="left sideways"), "no value of camera-position 'sideways'."),
        (Perturbation("camera-position", 0.5, value="left right"), "no value of camera-position 'left right'."),
        (Perturbation("camera-position", 0.5, value=(0.0, 0.0, 0.0)), "no value of camera-position"),
    ],
)
def test_what_the_world_does_not_have_is_refused_and_leaves_it_nominal(studio, perturbation, message):
    with pytest.raises(PerturbationError) as error:
        studio.perturber.apply([Perturbation("table-color", 1.0), perturbation])
    assert message in str(error.value)
    with pytest.raises(PerturbationError):
        studio.perturber.check(perturbation)
    assert np.array_equal(studio.shot(), studio.nominal)


def test_a_model_without_the_names_is_refused_by_name(studio):
    bare = mujoco.MjModel.from_xml_string("<mujoco><worldbody><geom size='1'/></worldbody></mujoco>")
    with pytest.raises(PerturbationError, match="no light 'key'"):
        Perturber(bare, studio.scene, "cube")


def test_specifications_are_complete_and_their_phrases_differ():
    assert len({axis.name for axis in AXES}) == len({axis.phrase for axis in AXES}) == len(AXES) >= 40
    assert {axis.group for axis in AXES} == {"visual", "geometry", "dynamics", "sensor"}
    for axis in AXES:
        assert axis.mid_episode == (axis.group != "geometry")
        assert all((axis.summary, axis.unit, axis.nominal, axis.bound, axis.source, axis.phrase))


def test_shadows_and_filters_cost_nothing_unless_asked_for(studio):
    nothing = studio.perturber.apply([Perturbation("light-intensity", 1.0)])
    assert (nothing.shadows, nothing.filters, nothing.needs_depth, nothing.needs_background) == (
        False,
        (),
        False,
        False,
    )
    assert studio.perturber.apply([Perturbation("shadow", 0.1)]).shadows
    assert not studio.perturber.apply([]).shadows


def test_maps_of_colours_become_one(studio):
    asked = studio.perturber.apply([Perturbation(name, 0.5, seed=1) for name in ("hue", "saturation", "contrast")])
    assert len(asked.filters) == 1
    studio.perturber.apply([])
