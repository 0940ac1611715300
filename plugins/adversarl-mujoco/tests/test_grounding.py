"""Prompts and what they are taken for."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from adversarl_mujoco.axes import AXES, camera, clutter, dynamics, geometry, lights, sensors
from adversarl_mujoco.axes.catalog import WORLD_AXES
from adversarl_mujoco.grounding import ground, say
from adversarl_mujoco.grounding.benchmark import furnished
from adversarl_mujoco.grounding.lexicon import KINDS, load, source
from adversarl_mujoco.textures import PATTERNS
from hypothesis import given, settings
from hypothesis import strategies as st

from adversarl.types import Axis, Perturbation

RED, GREEN, BLUE = (0.85, 0.1, 0.1), (0.15, 0.65, 0.2), (0.1, 0.25, 0.85)
WHITE, BLACK = (1.0, 1.0, 1.0), (0.05, 0.05, 0.05)
LIGHT_AXES = (
    "light-position light-direction light-intensity light-temperature light-color ambient-light shadow "
    "light-specular light-count"
).split()
SURFACES = ("table", "object", "background", "robot")
NAMES = [axis.name for axis in AXES]


def p(axis, intensity=0.5, value=None, target=None):
    return Perturbation(axis, intensity, target, value)


def rounded(perturbation):
    return replace(perturbation, intensity=round(perturbation.intensity, 9))


UNDERSTOOD = {
    # how strongly
    "dim the lights": [p("light-intensity", 0.5, "dim")],
    "dim the lights slightly": [p("light-intensity", 0.25, "dim")],
    "dim the lights a little bit": [p("light-intensity", 0.25, "dim")],
    "moderately dim the lights": [p("light-intensity", 0.5, "dim")],
    "make the lights much dimmer": [p("light-intensity", 0.75, "dim")],
    "extremely bright lights": [p("light-intensity", 1.0, "bright")],
    "make it pitch dark": [p("light-intensity", 1.0, "dim")],
    "lower the light intensity by 60%.": [p("light-intensity", 0.6, "dim")],
    "dim the lights by 40 percent": [p("light-intensity", 0.4, "dim")],
    "lights at 0.3": [p("light-intensity", 0.3)],
    # descriptions that share their subject
    "the cube is small and red": [p("object-size", 0.5, "small"), p("object-color", 0.5, RED)],
    "the light is dim and warm": [p("light-intensity", 0.5, "dim"), p("light-temperature", 0.5, "warm")],
    "a red cube on a green table under blue light": [
        p("object-color", 0.5, RED),
        p("table-color", 0.5, GREEN),
        p("light-color", 0.5, BLUE),
    ],
    "the cube is slippery and heavy": [p("object-friction", 0.5, "slippery"), p("object-mass", 0.5, "heavy")],
    "DIM THE LIGHTS!!!": [p("light-intensity", 0.5, "dim")],
    "turn off the lights": [p("light-intensity", 1.0, "dim")],
    "turn the lights down": [p("light-intensity", 0.5, "dim")],
    # lights
    "brighten the key light extremely": [p("light-intensity", 1.0, "bright", "key")],
    "dim the key light and brighten the fill light": [
        p("light-intensity", 0.5, "dim", "key"),
        p("light-intensity", 0.5, "bright", "fill"),
    ],
    "switch to harsh overhead lighting": [p("light-position", 0.75, "overhead"), p("shadow", 0.75)],
    "light from the left": [p("light-position", 0.5, "left")],
    "move the fill light up and to the left": [p("light-position", 0.5, "up left", "fill")],
    "move the lamp 30 cm to the right": [p("light-position", 0.3, "right")],
    "aim the light at the table": [p("light-direction")],
    "warm light": [p("light-temperature", 0.5, "warm")],
    "use cold lighting at 80 percent": [p("light-temperature", 0.8, "cool")],
    "set the color temperature to 3000 K": [p("light-temperature", 1.0, "warm")],
    "cool the light to 8000 kelvin": [p("light-temperature", 1.0, "cool")],
    "use red lighting at 70 %": [p("light-color", 0.7, RED)],
    "make the light blue": [p("light-color", 0.5, BLUE)],
    "increase the ambient light": [p("ambient-light", 0.5, "bright")],
    "cast strong shadows": [p("shadow", 0.75)],
    "make the scene very dark with strong shadows": [p("light-intensity", 0.75, "dim"), p("shadow", 0.75)],
    # surfaces
    "make the table red": [p("table-color", 0.5, RED)],
    "make the table light blue": [p("table-color", 0.5, (0.6, 0.75, 0.95))],
    "paint the background #0000ff": [p("background-color", 0.5, (0.0, 0.0, 1.0))],
    "change the object's color to blue": [p("object-color", 0.5, BLUE)],
    "bright red table": [p("table-color", 0.5, RED)],
    "make the table and the object red": [p("table-color", 0.5, RED), p("object-color", 0.5, RED)],
    "make the robot black and the table white": [p("robot-color", 0.5, BLACK), p("table-color", 0.5, WHITE)],
    "randomize the table texture strongly": [p("table-texture", 0.75)],
    "replace the table surface with a wooden texture": [p("table-texture", 0.5, "wood")],
    "put a wood texture on the table": [p("table-texture", 0.5, "wood")],
    "change the wall to stripes": [p("background-texture", 0.5, "stripes")],
    "tex_003 on the object": [p("object-texture", 0.5, "tex_003")],
    "change the table color and texture": [p("table-color"), p("table-texture")],
    "random colors and textures for the table": [p("table-color"), p("table-texture")],
    "give everything random colors": [p(f"{thing}-color") for thing in (*SURFACES, "floor")],
    "random textures everywhere, fully": [p(f"{thing}-texture", 1.0) for thing in SURFACES],
    # camera
    "move the camera at 30 %": [p("camera-position", 0.3)],
    "move the camera 5 cm to the left": [p("camera-position", 0.5, "left")],
    "shift the camera closer by 20 mm": [p("camera-position", 0.2, "closer")],
    "move the camera slightly to the left and tilt it down": [
        p("camera-position", 0.25, "left"),
        p("camera-orientation", 0.5, "down"),
    ],
    "randomize the camera pose": [p("camera-position"), p("camera-orientation")],
    "zoom in strongly": [p("camera-fov", 0.75, "narrow")],
    "widen the field of view by 2.5 degrees": [p("camera-fov", 0.5, "wide")],
    # clutter
    "place a tall object partially blocking the target": [p("occluder", 0.5)],
    "put a tall post between the camera and the target": [p("occluder", 0.5)],
    "block the view of the cube completely": [p("occluder", 1.0)],
    "hide 30 % of the target": [p("occluder", 0.5)],
    "put a bright red pole in front of the cube": [p("occluder", 0.5, RED)],
    "add three distractors": [p("distractors", 3 / 6)],
    "add a distractor": [p("distractors", 1 / 6)],
    "put six distractors on the table": [p("distractors", 1.0)],
    "add two more cubes": [p("distractors", 2 / 6)],
    "put a red object on the table": [p("distractors", 1 / 6, RED)],
    "add heavy clutter around the target": [p("clutter", 0.75)],
    # picture
    "make the image black and white": [p("saturation", 1.0, "gray")],
    "reduce the saturation by 40 percent": [p("saturation", 0.4, "gray")],
    "make the colors vivid": [p("saturation", 0.5, "vivid")],
    "increase the contrast": [p("contrast", 0.5, "high")],
    "make the image darker": [p("brightness", 0.5, "dark")],
    "shift the hue fully": [p("hue", 1.0)],
    # what is felt rather than seen
    "make the object heavier": [p("object-mass", 0.5, "heavy")],
    "make the cube twice as heavy": [p("object-mass", math.log(2) / math.log(3), "heavy")],
    "half the size of the object": [p("object-size", 1.0, "small")],
    "scale the cube up by 20 percent": [p("object-size", 0.4, "large")],
    "increase the friction of the table by a factor of 1.5": [
        p("table-friction", math.log(1.5) / math.log(3), "rough")
    ],
    "set gravity to 7.81 m/s^2": [p("gravity", 0.5, "weak")],
    "delay the image by two frames": [p("camera-latency", 2 / 3)],
    "delay the actions by 50 ms": [p("action-delay", 0.5)],
    "make the gripper weaker": [p("gripper-force", 0.5, "weak")],
    "move the object": [p("object-position")],
    "turn the cube into a ball": [p("object-shape", 0.5, "sphere")],
    "move the light by the vector 0.1 0.2 -0.3": [p("light-position", 0.5, (0.1, 0.2, -0.3))],
    "make the cube look like the table": [p("object-camouflage", 1.0, "table")],
    "make the object look slightly like the wall": [p("object-camouflage", 0.25, "background")],
    # what is not asked for
    "make the robot red rather than grey": [p("robot-color", 0.5, RED)],
    "make the cube hevier": [p("object-mass", 0.5, "heavy")],
    # several at once
    "dim the lighting to 40% and add two distractor objects near the target": [
        p("light-intensity", 0.4, "dim"),
        p("distractors", 2 / 6),
    ],
    "low light and occlusion at 80 percent": [p("light-intensity", 0.8, "dim"), p("occluder", 0.8)],
    "vary table color, background texture, and light position at 45 %": [
        p("table-color", 0.45),
        p("background-texture", 0.45),
        p("light-position", 0.45),
    ],
    "red table, blue object and white background at 90%": [
        p("table-color", 0.9, RED),
        p("object-color", 0.9, BLUE),
        p("background-color", 0.9, WHITE),
    ],
    "perturb the lights strongly and the camera weakly": [p("light-intensity", 0.75), p("camera-position", 0.25)],
    "randomize everything at 30%": [p(name, 0.3) for name in NAMES],
    "dim the lights, then brighten the lights": [p("light-intensity", 0.5, "bright")],
    # taking back one thing
    "without shadows": [p("shadow", 0.0)],
    "turn shadows off": [p("shadow", 0.0)],
    "remove the occluder": [p("occluder", 0.0)],
    "remove all distractors and the occluder": [p("distractors", 0.0), p("occluder", 0.0)],
    "don't move the camera": [p("camera-position", 0.0)],
    "dim the lights without shadows": [p("light-intensity", 0.5, "dim"), p("shadow", 0.0)],
    "reset the camera": [p("camera-position", 0.0), p("camera-orientation", 0.0), p("camera-fov", 0.0)],
    "reset to default lighting": [
        p(axis.name, 0.0, target=target)
        for name in LIGHT_AXES
        for axis in AXES
        if axis.name == name
        for target in (None, *axis.targets[1:])
    ],
}

RESTORED = {
    "back to normal": [],
    "reset everything": [],
    "return to nominal conditions": [],
    "restore the original scene": [],
    "back to normal, then dim the lights": [p("light-intensity", 0.5, "dim")],
    "dim the lights, then back to normal": [],
}

REFUSED = {
    "make the floor slippery": ["floor", "slippery"],
    "increase the friction": ["increase", "friction"],
    "remove the table": ["remove", "table"],
    "tilt the table": ["tilt", "table"],
    "make it red": ["red"],
    "make it harder": ["harder"],
    "table": ["table"],
    "50 %": ["50 %"],
    "flood the room with water": ["flood", "water"],
    "add sensor noise": ["add", "sensor", "noise"],
    "make the mug blue": ["mug", "blue"],
    "make the camera heavier": ["camera", "heavier"],
    "let the lights flicker": ["lights", "flicker"],
    "make the cube five times as heavy": ["five times (object-mass ends at x 3)"],
    "move the camera 20 cm to the left": ["20 cm (camera-position ends at 0.1 m)"],
    "dim the lights by 150 %": ["150 % (light-intensity ends at 100 %)"],
    "move the camera -30 %": ["-30 % (negative)"],
    "add ten distractors": ["ten (distractors ends at 6)"],
    "set the color temperature to 12000 K": ["12000 k (light-temperature lies between 3000 and 8000 K)"],
    "dim the lights by 3 degrees": ["3 degrees (not a unit of light-intensity)"],
    "hide 90 % of the target": ["90 % of (occluder ends at 60 %)"],
    "dim the lights 30-40 %": ["30 (light-intensity needs a unit or %)", "-40 % (negative)"],
    "Dimme das Licht": ["dimme", "das", "licht"],
    "灯を暗くする": ["灯を暗くする"],
    "🌧": ["🌧"],
}

PARTLY = {
    "dim the lights and make it snow": ([p("light-intensity", 0.5, "dim")], ["snow"]),
    "make the table wobble and dim the lights": ([p("light-intensity", 0.5, "dim")], ["table", "wobble"]),
    "red and blue table": ([p("table-color", 0.5, BLUE)], ["red"]),
    "make the table red or blue": ([p("table-color", 0.5, RED)], ["blue"]),
    "move the camera to the left of the elephant": ([p("camera-position", 0.5, "left")], ["elephant"]),
}


@pytest.mark.parametrize("text", UNDERSTOOD)
def test_prompt_is_understood_completely(text):
    grounding = ground(text, AXES)
    assert [rounded(found) for found in grounding.perturbations] == [rounded(one) for one in UNDERSTOOD[text]]
    assert grounding.not_understood == ()
    assert grounding.complete
    assert not grounding.restore
    assert grounding.understood


@pytest.mark.parametrize("text", RESTORED)
def test_prompt_restores(text):
    grounding = ground(text, AXES)
    assert (list(grounding.perturbations), grounding.restore) == (RESTORED[text], True)
    assert grounding.complete


@pytest.mark.parametrize("text", REFUSED)
def test_prompt_is_not_understood_and_changes_nothing(text):
    grounding = ground(text, AXES)
    assert (grounding.perturbations, grounding.restore) == ((), False)
    assert list(grounding.not_understood) == REFUSED[text]
    assert not grounding.complete


@pytest.mark.parametrize("text", PARTLY)
def test_what_is_left_over_is_named(text):
    grounding = ground(text, AXES)
    assert (list(grounding.perturbations), list(grounding.not_understood)) == PARTLY[text]
    assert not grounding.complete


def test_the_tables_are_long_enough():
    assert len(UNDERSTOOD) >= 60
    assert len(REFUSED) >= 20


@pytest.mark.parametrize("axis", AXES, ids=lambda axis: axis.name)
def test_a_phrase_with_any_percentage_grounds_to_its_axis(axis):
    for percent in range(101):
        grounding = ground(f"{axis.phrase} at {percent} %", AXES)
        assert grounding.perturbations == (Perturbation(axis.name, percent / 100),)
        assert grounding.complete
        alone = ground(f"{axis.phrase} at {percent} %", [axis])
        assert alone.perturbations == grounding.perturbations


def values_of(axis):
    """Values of an axis that hypothesis may choose from: names, directions that stand together, numbers, textures."""
    choices = [st.none()]
    if axis.names:
        choices.append(st.sampled_from(axis.names))
    if axis.directions:
        opposite = {"left": "right", "up": "down", "closer": "farther"}
        pairs = [(a, b) for a in axis.names for b in axis.names if a != b and b not in (opposite.get(a), "overhead")]
        pairs = [(a, b) for a, b in pairs if opposite.get(b) != a and a != "overhead"]
        choices.append(st.sampled_from([" ".join(pair) for pair in pairs]))
    if axis.numbers:
        span = st.floats(-1, 1) if axis.directions or axis.spec.name == "gravity" else st.floats(0, 1)
        choices.append(st.tuples(*[span] * axis.numbers).filter(axis.accepts))
    if axis.spec.name.endswith("-texture"):
        choices.append(st.sampled_from([*PATTERNS, "tex_000", "tex_117"]))
    if axis.spec.name in ("background-image", "background-video"):
        choices.append(st.sampled_from(["clouds_0", "waves_12"]))
    return st.one_of(choices)


WORLD = furnished()
TARGETS = {axis.name: axis.targets for axis in WORLD}


@st.composite
def perturbations(draw, axis):
    targets = (None, *TARGETS[axis.spec.name][1:])
    return Perturbation(axis.spec.name, draw(st.floats(0, 1)), draw(st.sampled_from(targets)), draw(values_of(axis)))


@pytest.mark.parametrize("axis", WORLD_AXES, ids=lambda axis: axis.spec.name)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_what_is_said_grounds_to_the_same_again(axis, data):
    said = data.draw(perturbations(axis))
    grounding = ground(say(said, WORLD), WORLD)
    assert grounding.perturbations == (said,), say(said, WORLD)
    assert grounding.complete, (say(said, WORLD), grounding.not_understood)


def test_naming_the_default_target_asks_for_the_same_as_naming_none():
    for axis in WORLD:
        for target in axis.targets[:1]:
            said = Perturbation(axis.name, 0.5, target)
            assert ground(say(said, WORLD), WORLD).perturbations == (replace(said, target=None),)


def test_several_sentences_joined_ground_to_all_of_them():
    said = [Perturbation(axis.name, 0.01 * (5 + index)) for index, axis in enumerate(AXES)]
    for joint in (", ", " and ", ". Then ", "; "):
        grounding = ground(joint.join(say(one) for one in said), AXES)
        assert list(grounding.perturbations) == said
        assert grounding.complete


def test_axes_that_are_not_passed_in_are_not_understood():
    some = [axis for axis in AXES if axis.name in ("light-intensity", "table-color")]
    assert ground("dim the lights", some).complete
    moved = ground("move the light", some)
    assert moved.perturbations == ()
    assert moved.not_understood == ("move", "light")
    assert [found.axis for found in ground("give everything random colors", some).perturbations] == ["table-color"]
    assert [found.axis for found in ground("randomize everything", some).perturbations] == [a.name for a in some]


def test_an_axis_that_the_lexicon_has_never_heard_of_is_asked_for_by_its_phrase():
    rain = Axis("rain", "visual", "Rain.", "mm/h", "0", "50", "ours", "make it rain")
    grounding = ground("make it rain at 40 % and dim the lights", [*AXES, rain])
    assert grounding.perturbations == (Perturbation("rain", 0.4), p("light-intensity", 0.5, "dim"))
    assert grounding.complete


def test_understood_names_words_and_meaning():
    grounding = ground("dim the lights by 40 %", AXES)
    assert grounding.understood == (("dim lights 40 %", "light-intensity dim at 40 %"),)


def test_physical_units_are_read_in_the_scale_of_the_axis():
    (warm,) = ground("set the color temperature to 3500 K", AXES).perturbations
    assert warm.intensity == pytest.approx((1 / 3500 - 1 / 6500) / (1 / 3000 - 1 / 6500))
    (twice,) = ground("2 times brighter lights", AXES).perturbations
    assert (twice.value, twice.intensity) == ("bright", pytest.approx(0.6309, abs=1e-4))
    (turned,) = ground("rotate the camera by 0.045 rad", AXES).perturbations
    assert turned.intensity == pytest.approx(0.5)


def test_units_of_the_lexicon_are_the_bounds_of_the_axes():
    units = {frame.axis: frame.units for frame in load().frames if frame.units}
    assert units["camera-position"] == {"m": camera.DISPLACEMENT_M}
    assert units["camera-orientation"] == {"deg": pytest.approx(math.degrees(camera.ROTATION_RAD))}
    assert units["camera-fov"] == {"deg": camera.FOVY_DEG}
    assert units["light-position"] == {"m": lights.DISPLACEMENT_M}
    assert units["light-direction"] == {"deg": pytest.approx(math.degrees(lights.AIM_RAD))}
    assert units["occluder"] == {"%of": 100 * clutter.HIDDEN}


def bounds(axis):
    """Factors (up, down) at intensity 1 that the lexicon gives an axis, and its units."""
    frames = [frame for frame in load().frames if frame.axis == axis and (frame.factor or frame.units)]
    factor = next((frame.factor for frame in frames if frame.factor), None)
    return (factor.up[1], factor.down[1]) if factor else None, frames[0].units


def test_factors_of_the_lexicon_are_the_bounds_of_the_axes():
    wanted = {
        "light-intensity": (lights.BRIGHT, lights.DIM),
        "object-size": (1 + geometry.SIZE, 1 - geometry.SIZE),
        "object-mass": (dynamics.MASS, 1 / dynamics.MASS),
        "object-friction": (dynamics.ROUGH, 1 / dynamics.SLIPPERY),
        "table-friction": (dynamics.ROUGH, 1 / dynamics.SLIPPERY),
        "link-mass": (1 + dynamics.LINK, 1 - dynamics.LINK),
        "joint-damping": (dynamics.DAMPING, 1 / dynamics.DAMPING),
        "actuator-gain": dynamics.GAIN[::-1],
        "gripper-force": (dynamics.STRONG_GRIP, 1 / dynamics.WEAK_GRIP),
        "gravity": (1 + dynamics.GRAVITY / 9.81, 1 - dynamics.GRAVITY / 9.81),
    }
    assert {axis: bounds(axis)[0] for axis in wanted} == {axis: pytest.approx(pair) for axis, pair in wanted.items()}


def test_amounts_of_the_lexicon_are_the_bounds_of_the_axes():
    assert bounds("object-position")[1] == {"m": geometry.SHIFT_M}
    assert bounds("object-rotation")[1] == {"deg": pytest.approx(math.degrees(geometry.YAW_RAD))}
    assert bounds("table-height")[1] == {"m": geometry.TABLE_M}
    assert bounds("robot-start")[1] == {"deg": pytest.approx(math.degrees(geometry.START_RAD))}
    assert bounds("gravity")[1]["m/s2"] == dynamics.GRAVITY
    assert bounds("camera-latency")[1] == {"frames": sensors.LATENCY, "steps": sensors.LATENCY, "s": 0.15}
    assert bounds("proprio-delay")[1] == {"steps": sensors.DELAY, "s": 0.15}
    assert bounds("dropped-frames")[1] == {"%of": 100 * sensors.DROP}
    assert bounds("proprio-bias")[1] == {"deg": pytest.approx(math.degrees(sensors.PROPRIO))}
    counts = {frame.axis: frame.count for frame in load().frames if frame.count}
    assert counts["clutter"] == geometry.CLUTTER


def test_every_frame_of_the_lexicon_belongs_to_an_axis_and_uses_its_values():
    data = source()
    axes = {axis.spec.name: axis for axis in WORLD_AXES}
    assert set(axes) == {frame["axis"] for frame in data["frame"]}
    for frame in data["frame"]:
        named = {value for value in frame.get("values", {}).values() if value != "="} | set(frame.get("scale", ()))
        if isinstance(frame.get("value"), str):
            named.add(frame["value"])
        known = PATTERNS if frame["axis"].endswith("-texture") else axes[frame["axis"]].names
        assert named <= set(known), frame["axis"]


def test_every_atom_of_a_frame_is_in_the_lexicon():
    data = source()
    known = {atom for kind in KINDS for atom in data[kind]} | {"unit K", "unit frames", "unit s", "unit steps"}
    known |= {frame["axis"] for frame in data["frame"] if "words" in frame}
    known |= {atom for compound in data["compound"] for atom in compound["atoms"]}
    for frame in data["frame"]:
        used = {atom for needs in frame.get("needs", ()) for atom in needs}
        used |= set(frame.get("absorbs", ())) | set(frame.get("values", ()))
        assert used <= known, (frame["axis"], used - known)


@pytest.mark.parametrize(
    ("asked", "back"),
    [
        ("dim the right light", "reset the lights"),
        ("dim the left light", "reset all lights"),
        ("make the bottle red", "reset the objects"),
    ],
)
def test_what_is_taken_back_without_a_target_is_taken_back_everywhere(open_world, asked, back):
    things = {"cup": {"type": "cup"}, "bottle": {"type": "bottle", "position": [0, 0.2]}}
    world = open_world(1, scene={"objects": things})
    for text in (asked, back):
        assert world.ground(text).complete
        world.perturb([0], [world.ground(text).perturbations])
    assert not [one for one in world.active([0])[0] if one.intensity]


def test_a_word_of_any_length_is_looked_for_once():
    word = "a" * 100_000
    assert ground(f"fog and {word}", AXES).not_understood == (word,)


@pytest.mark.parametrize("text", ["no", "not", "No!"])
def test_a_mere_no_takes_nothing_back(text):
    found = ground(text, AXES)
    assert not found.restore
    assert not found.complete


def test_bytes_are_colours_too():
    (found,) = ground("the table is rgb 255 0 51", AXES).perturbations
    assert found.value == (1.0, 0.0, 0.2)


@pytest.mark.parametrize("text", ["tex_999 on the table", "the robot is rgb 300 0 0", "background video clip_7"])
def test_what_the_world_would_refuse_is_not_understood(open_world, text):
    world = open_world(1)
    found = world.ground(f"{text} and add fog")
    assert [one.axis for one in found.perturbations] == ["fog"]
    assert [meaning for _, meaning in found.understood] == ["fog at 50 %"]
    assert found.not_understood[0].startswith("the world has no value of ")
    world.perturb([0], [found.perturbations])


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_no_text_whatever_raises(text):
    grounding = ground(text, AXES)
    assert grounding == ground(text, AXES)
    assert all(0 <= found.intensity <= 1 for found in grounding.perturbations)


@settings(max_examples=100, deadline=None)
@given(
    text=st.sampled_from(sorted(UNDERSTOOD)),
    where=st.floats(0, 1),
    word=st.sampled_from(["giraffe", "quickly", "underwater", "flammable", "tomorrow", "expensive"]),
)
def test_a_strange_word_anywhere_is_reported(text, where, word):
    words = text.split()
    words.insert(round(where * len(words)), word)
    assert word in ground(" ".join(words), AXES).not_understood
