from __future__ import annotations

from pathlib import Path

import pytest

from adversarl import errors
from adversarl.errors import (
    AdversarlError,
    BrokenPlugin,
    DuplicateName,
    Exhausted,
    GroundingError,
    Interrupted,
    LiveWorld,
    MissingExtra,
    NoCritic,
    NoGL,
    NoPlayer,
    NoTeacher,
    NotTrainable,
    NoVulkan,
    PerturbationError,
    PluginFileError,
    RecipeError,
    RewardHacked,
    RunFolderError,
    UnknownComponent,
    did_you_mean,
)

MESSAGES = {
    RecipeError("a.toml", "[run] seed", "is wrong"): "a.toml: [run] seed: is wrong",
    UnknownComponent("reward", "stat", ["state", "clip"]): "no reward named 'stat'. Did you mean 'state'?",
    UnknownComponent("reward", "x", [], "a.toml: [reward] use"): (
        "a.toml: [reward] use: no reward named 'x'. There is none."
    ),
    BrokenPlugin("learner", "ppo", "adversarl-sb3", "ImportError: no libfoo"): (
        "learner 'ppo' comes from adversarl-sb3, which is broken: ImportError: no libfoo. "
        "Repair it or run: pip install --force-reinstall adversarl-sb3"
    ),
    MissingExtra("exporter 'onnx'", "onnx", "'adversarl-sb3[onnx]'"): (
        "exporter 'onnx' needs the package 'onnx', which is not installed. Run: pip install 'adversarl-sb3[onnx]'"
    ),
    DuplicateName("backend", "fog", "one", "two"): (
        "backend 'fog' is registered by both one and two. Remove one: pip uninstall two"
    ),
    PluginFileError(Path("mine.py"), "it is wrong"): "mine.py: it is wrong",
    PerturbationError("axis", "fgo", ["fog", "rain"]): "the world has no axis 'fgo'. Did you mean 'fog'?",
    GroundingError("make it odd", ["odd"], ["fog", "rain"]): (
        "prompt \"make it odd\": not understood: 'odd'. This world can change: fog, rain. "
        'Try: adversarl prompt "make it odd"'
    ),
    GroundingError("please", [], ["fog"]): (
        'prompt "please": not understood: it asks for nothing. This world can change: fog. '
        'Try: adversarl prompt "please"'
    ),
    NoTeacher("World"): (
        "World has no scripted teacher. Set learner.warm_start_steps = 0 and learner.distillation = 0 "
        "to train from reward alone."
    ),
    NoCritic("TD3"): "TD3 estimates no values of states. Use learner 'ppo', or a score that needs none.",
    NoPlayer("antagonist", "Name one."): "there is no antagonist to play an episode. Name one.",
    LiveWorld("odyssey", "which cost. Name another one"): (
        "backend 'odyssey' shows live streams of a service, which cost. Name another one"
    ),
    NoGL("egl", "no device"): (
        "no OpenGL context with MUJOCO_GL=egl: no device. Headless Linux: apt-get install -y libegl1 "
        "libegl-mesa0 libgl1-mesa-dri, then MUJOCO_GL=egl. See: adversarl doctor"
    ),
    NoVulkan("no driver"): (
        "backend.renderer = 'pbr' needs Vulkan, which does not work here: no driver. Debian or Ubuntu: apt-get "
        "install -y mesa-vulkan-drivers libvulkan1. Or set backend.renderer = 'classic'. See: adversarl doctor"
    ),
    RunFolderError(Path("runs/a"), "is odd"): "runs/a: is odd",
    Interrupted(Path("runs/a-0"), "a.toml"): (
        "stopped and saved. Go on with: adversarl run a.toml --out runs/a-0 --resume"
    ),
    RewardHacked(Path("runs/a-0"), "a.toml", "the detector 'clip' called 9 of 9 unsolved episodes solved"): (
        "saved and stopped: the detector 'clip' called 9 of 9 unsolved episodes solved. What is trained on it is not "
        "the task; measure it with: adversarl bench rewards. To go on with it all the same, set watch.on_alarm = "
        "'warn': adversarl run a.toml --out runs/a-0 --resume --set watch.on_alarm=warn"
    ),
    NotTrainable("GoalImage"): "the reward detector GoalImage has nothing to train; see: adversarl plugins list",
    Exhausted(Path("runs/a-0"), "a.toml", "2 USD are spent"): (
        "saved and stopped: 2 USD are spent. When that is mended, go on with: "
        "adversarl run a.toml --out runs/a-0 --resume"
    ),
}


@pytest.mark.parametrize(("error", "message"), MESSAGES.items(), ids=lambda value: type(value).__name__)
def test_an_error_says_what_where_and_what_to_do(error, message):
    assert str(error) == message
    assert isinstance(error, AdversarlError)


def test_no_error_goes_untested():
    classes = {c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, AdversarlError)}
    assert classes - {type(error) for error in MESSAGES} == {AdversarlError}


def test_a_near_miss_is_suggested_and_a_far_one_gets_the_list():
    assert did_you_mean("ruels", ["rules", "none"]) == "Did you mean 'rules'?"
    assert did_you_mean("xyzzy", ["rules", "none"]) == "There is: none, rules."
    assert did_you_mean("xyzzy", []) == "There is none."
