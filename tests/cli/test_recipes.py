from __future__ import annotations

import json
import tomllib


def test_check_says_ok_for_each(adversarl, recipe_file):
    done = adversarl("recipes", "check", recipe_file, recipe_file)
    assert (done.code, done.out) == (0, f"{recipe_file}: ok\n" * 2)


def test_check_applies_overrides(adversarl, recipe_file):
    done = adversarl("recipes", "check", recipe_file, "--set", "backend.num_envs=0")
    assert done.code == 2
    assert "[backend] num_envs: should be greater than or equal to 1, not 0" in done.err


def test_show_prints_every_default_as_toml_or_json(adversarl, recipe_file):
    text = adversarl("recipes", "show", recipe_file, "--set", "learner.top=3", "--set", "learner.step_size=0.5").out
    shown = tomllib.loads(text)
    assert shown["learner"] == {"use": "random-search", "step_size": 0.5, "noise": 0.2, "directions": 2, "top": 3}
    assert json.loads(adversarl("recipes", "show", recipe_file, "--json").out)["curriculum"] == {
        "use": "none",
        "clean_share": 0.1,
        "guard": "none",
        "guard_attempts": 3,
    }
