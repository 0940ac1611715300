from __future__ import annotations

import json

import numpy as np
from PIL import Image

WORLD = ("--backend", "point-mass")


def test_a_prompt_shows_what_it_is_grounded_to(adversarl):
    done = adversarl("prompt", "dim the light at 40 %", *WORLD)
    assert done.code == 0
    assert "brightness" in done.out
    assert "40%" in done.out
    assert "drawn" in done.out


def test_what_was_not_understood_is_told_and_is_exit_code_1(adversarl):
    done = adversarl("prompt", "dim the light and summon a gremlin", *WORLD)
    assert done.code == 1
    assert "not understood: summon, a, gremlin" in done.out


def test_a_prompt_that_asks_for_nothing_says_so(adversarl):
    done = adversarl("prompt", "please", *WORLD)
    assert done.code == 1
    assert "it asks for nothing" in done.out


def test_back_to_normal_is_told(adversarl):
    done = adversarl("prompt", "back to normal", *WORLD)
    assert done.code == 0
    assert "back to nominal first" in done.out


def test_json_is_one_object_for_one_prompt_and_a_list_for_several(adversarl):
    one = json.loads(adversarl("prompt", "dim the light", *WORLD, "--json").out)
    assert one["complete"] is True
    assert one["perturbations"][0]["axis"] == "brightness"
    two = json.loads(adversarl("prompt", "dim the light", "shift the camera", *WORLD, "--json").out)
    assert [grounding["perturbations"][0]["axis"] for grounding in two] == ["brightness", "camera-shift"]


def test_render_writes_a_picture_before_and_after(adversarl, tmp_path):
    path = tmp_path / "new" / "sheet.png"
    done = adversarl("prompt", "dim the light strongly", *WORLD, "--render", path)
    assert f"wrote {path}" in done.out
    with Image.open(path) as image:
        sheet = np.asarray(image)
    half = sheet.shape[1] // 2
    assert sheet[20:, :half].mean() > 2 * sheet[20:, half + 4 :].mean()


def test_a_recipe_says_whose_world_to_ask(adversarl, recipe_file, tmp_path):
    done = adversarl("prompt", "dim the light", "--recipe", recipe_file, "--render", tmp_path / "a.png")
    assert done.code == 0
    with Image.open(tmp_path / "a.png") as sheet:
        assert sheet.size == (2 * 240 + 4, 260)


def test_overrides_reach_a_world_without_a_recipe(adversarl):
    done = adversarl("prompt", "dim the light", *WORLD, "--set", "backend.image_size=7")
    assert done.code == 2
    assert "[backend] image_size: should be greater than or equal to 8, not 7" in done.err


def test_another_backend_than_the_recipes_may_be_asked(adversarl, recipe_file):
    done = adversarl("prompt", "dim the light", "--recipe", recipe_file, "--backend", "point-mas")
    assert done.code == 2
    assert "no backend named 'point-mas'. Did you mean 'point-mass'?" in done.err
