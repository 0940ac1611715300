from __future__ import annotations

import json

from PIL import Image

WORLD = ("--backend", "point-mass")


def test_list_shows_every_axis_of_a_group(adversarl):
    out = adversarl("axes", "list", *WORLD, "--group", "visual").out
    assert "brightness" in out
    assert "object-size" not in out


def test_an_unknown_group_names_those_there_are(adversarl):
    done = adversarl("axes", "list", *WORLD, "--group", "taste")
    assert done.code == 2
    assert "no group 'taste'" in done.err


def test_json_has_the_whole_specification(adversarl):
    content = json.loads(adversarl("axes", "list", *WORLD, "--json").out)
    axes = {axis["name"]: axis for axis in content["axes"]}
    assert axes["object-size"]["unit"] == "m"
    assert all(axis["source"] and axis["bound"] and axis["nominal"] for axis in axes.values())
    assert content["presets"] == []


def test_show_prints_the_source_of_a_range(adversarl):
    out = adversarl("axes", "show", "object-size", *WORLD).out
    assert "source" in out
    assert "shrink the goal" in out


def test_show_names_the_nearest_axis(adversarl):
    done = adversarl("axes", "show", "object-sise", *WORLD)
    assert done.code == 2
    assert "Did you mean 'object-size'?" in done.err


def test_render_draws_three_pictures_an_axis(adversarl, tmp_path):
    sheet, one = tmp_path / "sheet.png", tmp_path / "one.png"
    assert f"wrote {sheet}" in adversarl("axes", "list", *WORLD, "--render", sheet).out
    adversarl("axes", "show", "brightness", *WORLD, "--render", one)
    with Image.open(one) as image:
        low, high = image.crop((2, 22, 300, 300)), image.crop((image.width - 300, 22, image.width - 2, 300))
        assert low.tobytes() != high.tobytes()
        assert image.width > 2.9 * image.height * 0.9
    with Image.open(sheet) as image:
        assert image.width > 12 * 180
