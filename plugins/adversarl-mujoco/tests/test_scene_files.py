from __future__ import annotations

import contextlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import mujoco
import numpy as np
import pytest
from adversarl_mujoco.scenes.check import check
from adversarl_mujoco.scenes.compose import compose
from adversarl_mujoco.scenes.errors import SceneError
from adversarl_mujoco.scenes.load import load_scene

from adversarl.cli.app import build_app

WEDGE = """v 0 0 0
v 0.06 0 0
v 0.06 0.04 0
v 0 0.04 0
v 0 0 0.05
v 0 0.04 0.05
f 1 4 3 2
f 1 2 5
f 4 6 3
f 2 3 6 5
f 1 5 6 4
"""
LAMP = """<mujoco><worldbody><geom name="foot" type="cylinder" size="0.03 0.01" pos="0 0 0.01" mass="0.2"/>
<body name="arm" pos="0 0 0.02"><geom name="pole" type="capsule" fromto="0 0 0 0 0 0.06" size="0.008" mass="0.05"/>
</body></worldbody></mujoco>"""
KITCHEN = Path(__file__).parents[3] / "recipes" / "scenes" / "kitchen.toml"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "wedge.obj").write_text(WEDGE)
    (tmp_path / "lamp.xml").write_text(LAMP)
    return tmp_path


def write(folder, text):
    path = folder / "desk.toml"
    path.write_text(text)
    return path


def faults(folder, text):
    with pytest.raises(SceneError) as caught:
        load_scene(write(folder, text))
    return str(caught.value)


def test_a_mesh_is_found_beside_the_scenes_file_and_stands_where_it_is_put(folder, monkeypatch, tmp_path_factory):
    path = write(folder, '[objects.wedge]\ntype = "mesh"\nfile = "wedge.obj"\nposition = [0.1, -0.05]\nmass = 0.2\n')
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    scene = compose(load_scene(path), textures=1)
    data = mujoco.MjData(scene.model)
    mujoco.mj_forward(scene.model, data)
    about = scene.objects["wedge"]
    np.testing.assert_allclose(about.half, (0.03, 0.02, 0.025), atol=1e-6)
    low = _vertices(scene.model, data, "wedge").min(axis=0)
    np.testing.assert_allclose(low, (0.07, -0.07, 0.4), atol=1e-6)
    np.testing.assert_allclose(scene.model.body("wedge").mass, 0.2)
    skin = _vertices(scene.model, data, "wedge_skin")
    assert (skin.min(axis=0) < low).all()
    assert check(load_scene(path)) == []


def _vertices(model, data, name):
    geom, mesh = model.geom(name).id, int(model.geom(name).dataid[0])
    first = model.mesh_vertadr[mesh]
    vertices = model.mesh_vert[first : first + model.mesh_vertnum[mesh]]
    return vertices @ data.geom_xmat[geom].reshape(3, 3).T + data.geom_xpos[geom]


def test_an_mjcf_file_is_attached_and_falls_as_one_body(folder):
    path = write(folder, '[objects.lamp]\ntype = "mjcf"\nfile = "lamp.xml"\n')
    scene = compose(load_scene(path), textures=1)
    assert scene.model.body("lamp_arm").id > scene.model.body("lamp").id
    np.testing.assert_allclose(scene.objects["lamp"].half, (0.03, 0.03, 0.044), atol=1e-6)
    assert check(load_scene(path)) == []


def test_a_bad_mesh_names_file_and_object(folder):
    (folder / "wedge.obj").write_text("this is no mesh\n")
    path = write(folder, '[objects.wedge]\ntype = "mesh"\nfile = "wedge.obj"\n')
    with pytest.raises(SceneError, match=r"desk.toml: \[objects.wedge\] file: .*wedge.obj cannot be used: "):
        check(load_scene(path), "desk.toml")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('<freejoint/><geom size="0.02"/>', "has a free joint, which the scene gives it. Take it out"),
        ("", "has no geom. Add one"),
    ],
)
def test_an_mjcf_file_that_cannot_be_an_object_says_why(folder, body, problem):
    (folder / "lamp.xml").write_text(f"<mujoco><worldbody><body>{body}</body></worldbody></mujoco>")
    path = write(folder, '[objects.lamp]\ntype = "mjcf"\nfile = "lamp.xml"\n')
    with pytest.raises(SceneError, match=rf"desk.toml: \[objects.lamp\] file: .*lamp.xml {problem}"):
        check(load_scene(path), "desk.toml")


def test_a_missing_mesh_is_named(folder):
    text = faults(folder, '[objects.wedge]\ntype = "mesh"\nfile = "wegde.obj"\n')
    assert text.startswith("desk.toml: [objects.wedge] file: there is no file ")
    assert text.endswith("wegde.obj. Paths are relative to the scene's file")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[objects.a]\ntype = "cupp"', "[objects.a] type: there is no object type 'cupp'. Did you mean 'cup'?"),
        ('[objects.a]\ntype = "cup"\ncolour = [1, 1, 1]', "[objects.a] colour: unknown key. Did you mean 'color'?"),
        ("[objects.a]\nmass = 1", "[objects.a] type: is missing. It has no default"),
        (
            '[objects.a]\ntype = "cup"\nsize = [1]',
            "[objects.a]: size of a cup is [diameter, height] in metres, not 1 numbers",
        ),
        ('[objects.a]\ntype = "mesh"', "[objects.a]: type 'mesh' needs file = \"PATH\". Types with a file"),
        ('[objects.table]\ntype = "box"', "[objects.table] name: 'table' is a part of the world. Choose another name"),
        ('[objects.a]\ntype = "box"\nmass = -1', "[objects.a] mass: should be greater than 0, not -1 (Mass [kg]"),
        (
            '[objects.a]\ntype = "box"\nrandomize = { mass = [2, 1] }',
            "[objects.a.randomize] mass: must be [from, to] with from <= to; write [1.0, 2.0]",
        ),
        (
            '[[objects]]\nname = "a"\ntype = "box"\n[[objects]]\nname = "a"\ntype = "cup"',
            "objects: two are called 'a'. Give one another name",
        ),
        ("[lights.key]\nposition = [0, 0, 2]", "[lights]: there must be a light called 'fill'"),
        ("[tabel]\n", "tabel: unknown key. Did you mean 'table'?"),
        ("[[robots]]\nyaw = 270", "[robots.0] yaw: should be less than or equal to 180, not 270 (Rotation of the base"),
        ("objects = 3", "objects: should be a valid tuple, not 3"),
        ("x = ", "not valid TOML"),
    ],
)
def test_errors_name_file_object_and_key(folder, text, message):
    assert faults(folder, text).startswith(f"desk.toml: {message}")


def test_a_missing_file_is_named(folder):
    with pytest.raises(SceneError, match=re.escape("nowhere.toml: there is no such file")):
        load_scene(folder / "nowhere.toml")


def test_the_example_is_sound_and_its_cup_is_picked(open_world):
    assert check(load_scene(KITCHEN), "kitchen.toml") == []
    world = open_world(4, image_size=16, scene=str(KITCHEN))
    assert world.task == "pick up the cup"
    world.reset(seed=0)
    solved = np.zeros(4, bool)
    for _ in range(60):
        solved |= world.step(world.teacher(range(4)))[2]
    assert solved.all()


@pytest.fixture
def cli():
    from typer.testing import CliRunner

    app, runner = build_app(), CliRunner()
    return lambda *words: runner.invoke(app, ["scene", *map(str, words)])


def test_scene_check_says_sound_or_raises(cli, folder):
    shutil.copy(KITCHEN, folder / "kitchen.toml")
    result = cli("check", folder / "kitchen.toml", "--samples", 5)
    assert result.exit_code == 0
    assert "kitchen.toml: sound (4 objects, 1 robot, 5 draws, seed 0)" in result.output
    bad = write(folder, '[objects.a]\ntype = "box"\nposition = [0, 0, 0.1]\n')
    assert isinstance(cli("check", bad).exception, SceneError)


def test_scene_check_takes_a_recipe(cli, folder):
    recipe = folder / "recipe.toml"
    recipe.write_text('[backend]\nuse = "mujoco"\nscene.objects.cup.type = "cup"\n[learner]\nuse = "random"\n')
    assert "sound (1 object, 1 robot" in cli("check", recipe).output
    shutil.copy(KITCHEN, folder / "kitchen.toml")
    recipe.write_text(f'[backend]\nuse = "mujoco"\nscene = "{folder / "kitchen.toml"}"\n[learner]\nuse = "random"\n')
    assert "sound (4 objects, 1 robot" in cli("check", recipe).output


def test_of_a_recipe_without_a_scene_the_tasks_own_is_checked(cli, folder):
    recipe = folder / "recipe.toml"
    recipe.write_text('[backend]\nuse = "mujoco"\ntask = "handover"\n')
    assert "sound (1 object, 2 robots" in cli("check", recipe).output


def test_a_recipe_of_another_backend_has_no_scene(cli, folder):
    recipe = folder / "recipe.toml"
    recipe.write_text('[backend]\nuse = "point-mass"\n')
    result = cli("check", recipe)
    assert str(result.exception).startswith("recipe.toml: [backend] use: 'point-mass' has no scenes")


def test_what_is_neither_a_file_nor_a_table_is_no_scene():
    with pytest.raises(SceneError, match="must be a TOML file or a table, not 3"):
        load_scene(3)


def test_scene_render_draws_the_colours_of_the_scene(cli, folder):
    import cv2

    path = write(folder, '[objects.a]\ntype = "box"\nsize = [0.2, 0.2, 0.05]\ncolor = [0, 0, 1]\n')
    written = folder / "out" / "a.png"
    assert cli("render", path, "-o", written, "--size", 64).exit_code == 0
    picture = cv2.imread(str(written))
    assert picture.shape == (64, 64, 3)
    blue, green, red = picture[30, 32].astype(int)
    assert blue > 2 * max(green, red)


def test_scene_render_draws_from_the_randomization_only_with_a_seed(cli, folder):
    path = write(folder, '[objects.a]\ntype = "box"\nrandomize = { position = [0.1, 0.1], color = true }\n')
    pictures = []
    for words in ((), (), ("--seed", 1), ("--seed", 1), ("--seed", 2)):
        assert cli("render", path, "-o", folder / "a.png", "--size", 48, *words).exit_code == 0
        pictures.append((folder / "a.png").read_bytes())
    assert pictures[0] == pictures[1] != pictures[2] == pictures[3] != pictures[4]


def test_an_unknown_camera_lists_those_there_are(cli, folder):
    path = write(folder, '[objects.a]\ntype = "box"\n')
    result = cli("render", path, "-o", folder / "a.png", "--camera", "side")
    assert "desk.toml: [cameras]: no camera named 'side'. There is: front." in str(result.exception)


def test_scene_view_without_a_display_says_what_to_do(cli, folder, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    path = write(folder, '[objects.a]\ntype = "box"\n')
    error = str(cli("view", path).exception)
    assert "there is no display" in error
    assert f"adversarl scene view {path} --web 8080" in error


def test_the_web_viewer_serves_its_page_until_it_is_interrupted(folder):
    pytest.importorskip("mujoco.studio")
    path = write(folder, '[objects.a]\ntype = "box"\n')
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", "from adversarl.cli import main; main()", "scene", "view", str(path)]
    server = subprocess.Popen([*command, "--web", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        assert b"<html" in _page(server, port)
        server.send_signal(signal.SIGINT)
        assert server.wait(30) == 0
    finally:
        server.kill()
        server.communicate()


def _page(server, port):
    while server.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
            return answer.read()
        time.sleep(0.05)
    raise AssertionError(server.stderr.read().decode())


def test_scene_list_names_every_type_and_draws_them(cli, folder):
    import json

    from adversarl_mujoco.scenes.kinds import KINDS

    result = cli("list", "--json", "-o", folder / "types.png", "--size", 64)
    assert set(json.loads(result.output)) == set(KINDS)
    assert (folder / "types.png").stat().st_size > 1000
