from __future__ import annotations

import tomllib

import pytest

from adversarl.errors import AdversarlError, BrokenPlugin, RecipeError, UnknownComponent
from adversarl.plugins import build_plugin_manager
from adversarl.recipe import choose, load_recipe, parse_recipe, read_toml, validate_options
from adversarl.registry import Broken, Component


def problem(write, registry, text, *overrides):
    with pytest.raises(AdversarlError) as caught:
        load_recipe(write(text), registry, overrides)
    return str(caught.value)


def test_a_recipe_chooses_components_and_fills_in_their_defaults(recipe_file, registry):
    recipe = load_recipe(recipe_file, registry)
    assert recipe.run.name == "small"
    assert recipe["backend"].component.name == "point-mass"
    assert recipe["backend"].options.num_envs == 4
    assert recipe["reward"].component.name == "state"
    assert recipe["curriculum"].options.clean_share == 0.1
    assert recipe.trackers == ()


def test_a_resolved_recipe_is_a_recipe_that_resolves_to_itself(recipe_file, registry):
    resolved = load_recipe(recipe_file, registry).resolved()
    again = parse_recipe(tomllib.loads(load_recipe(recipe_file, registry).to_toml()), registry, "again")
    assert again.resolved() == resolved


def test_an_empty_name_is_the_name_of_the_file(write, registry, small):
    path = write(small.replace("[run]", '[run]\nname = ""'), "mine.toml")
    assert load_recipe(path, registry).run.name == "mine"


def test_unknown_key_names_the_nearest_key(write, registry, small):
    text = small.replace("num_envs = 4", "num_env = 4")
    assert problem(write, registry, text) == "bad.toml: [backend] num_env: unknown key. Did you mean 'num_envs'?"


def test_unknown_key_far_from_any_lists_what_there_is(write, registry, small):
    text = small.replace("num_envs = 4", "xyzzy = 4")
    assert problem(write, registry, text) == (
        "bad.toml: [backend] xyzzy: unknown key. There is: image_size, max_episode_steps, num_envs."
    )


def test_wrong_type_says_what_was_given_and_what_the_key_means(write, registry, small):
    text = small.replace("num_envs = 4", 'num_envs = "many"')
    assert problem(write, registry, text) == (
        "bad.toml: [backend] num_envs: should be a valid integer, unable to parse string as an integer, "
        "not 'many' (Number of parallel environments.)"
    )


def test_out_of_range_says_the_bound(write, registry, small):
    text = small.replace("num_envs = 4", "num_envs = 0")
    assert problem(write, registry, text) == (
        "bad.toml: [backend] num_envs: should be greater than or equal to 1, not 0 (Number of parallel environments.)"
    )


def test_every_mistake_in_a_table_is_told_at_once(write, registry, small):
    text = small.replace("num_envs = 4\nimage_size = 16", "num_envs = 0\nimage_size = 7\nxyzzy = 1")
    lines = problem(write, registry, text).splitlines()
    assert [line.split(":")[1] for line in lines] == [
        " [backend] num_envs",
        " [backend] image_size",
        " [backend] xyzzy",
    ]


NESTED = """
from typing import Annotated, Literal
from pydantic import BaseModel, ConfigDict, Field
from adversarl import hookimpl
from adversarl.builtin.point_mass import PointMass, PointMassOptions

class Limits(BaseModel):
    model_config = ConfigDict(extra="forbid")
    height: float = Field(0.1, gt=0, description="Height [m].")

class Lift(BaseModel):
    type: Literal["lift"] = "lift"
    success: Limits = Limits()

class Walk(BaseModel):
    type: Literal["walk"] = "walk"

class NestedOptions(PointMassOptions):
    task: Annotated[Lift | Walk, Field(discriminator="type")] = Lift()

class Nested(PointMass):
    Options = NestedOptions

@hookimpl
def adversarl_register(add):
    add.backend("nested", f"{__name__}:Nested", "A world whose tasks are tables.")
"""


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("{hight = 1}", "task.success.hight: unknown key. Did you mean 'height'?"),
        ("{height = 0}", "task.success.height: should be greater than 0, not 0 (Height [m].)"),
    ],
)
def test_a_key_in_a_table_within_a_table_gets_the_same_help(write, small, wrong, said):
    plugins = build_plugin_manager([write(NESTED, "nested.py")])
    text = small.replace('"point-mass"', '"nested"').replace(
        "num_envs = 4", f'num_envs = 4\ntask = {{type = "lift", success = {wrong}}}'
    )
    assert problem(write, plugins.registry, text) == f"bad.toml: [backend] {said}"


def test_unknown_component_names_the_nearest_one(write, registry, small):
    text = small.replace('use = "random-search"', 'use = "random-serch"')
    with pytest.raises(UnknownComponent) as caught:
        load_recipe(write(text), registry)
    assert str(caught.value) == (
        "bad.toml: [learner] use: no learner named 'random-serch'. Did you mean 'random-search'?"
    )


def test_component_of_a_package_that_is_not_installed_says_how_to_install_it(write, registry, small):
    text = small.replace('use = "random-search"', 'use = "ppo"')
    assert problem(write, registry, text) == (
        "bad.toml: [learner] use: no learner named 'ppo'. It is in adversarl-sb3. Run: pip install adversarl-sb3"
    )


def test_component_of_a_broken_package_says_the_cause(write, registry, small):
    registry.broken.append(Broken("sb3", "adversarl-sb3", "0.1.0", "ImportError: no libfoo"))
    with pytest.raises(BrokenPlugin) as caught:
        load_recipe(write(small.replace('use = "random-search"', 'use = "ppo"')), registry)
    assert str(caught.value) == (
        "learner 'ppo' comes from adversarl-sb3, which is broken: ImportError: no libfoo. "
        "Repair it or run: pip install --force-reinstall adversarl-sb3"
    )


def test_unknown_table_names_the_nearest_one(write, registry, small):
    text = small.replace("[backend]", "[backends]")
    assert problem(write, registry, text) == "bad.toml: [backends]: unknown table. Did you mean 'backend'?"


def test_a_value_where_a_table_belongs_says_how_to_write_it(write, registry, small):
    assert problem(write, registry, 'reward = "state"\n' + small) == (
        "bad.toml: reward: must be a table, not a string. Write [reward]"
    )


def test_a_table_that_must_choose_says_what_there_is(write, registry, small):
    assert problem(write, registry, small.replace('use = "random-search"', "")) == (
        'bad.toml: [learner] use: is missing. Write use = "NAME"; there is: random-search'
    )


def test_a_choice_that_is_no_name_says_what_it_is(write, registry, small):
    assert problem(write, registry, small.replace('use = "random-search"', "use = 3")) == (
        'bad.toml: [learner] use: must be a name, not a number. Write use = "NAME"; there is: random-search'
    )


def test_unreadable_toml_names_file_line_and_column(write, registry):
    assert problem(write, registry, "[run\n") == (
        "bad.toml: not valid TOML: Expected ']' at the end of a table declaration (at line 1, column 5)"
    )


def test_a_missing_file_says_where_recipes_lie(tmp_path, registry):
    path = tmp_path / "nowhere.toml"
    with pytest.raises(RecipeError) as caught:
        load_recipe(path, registry)
    assert str(caught.value) == f"{path}: there is no such file. Recipes of the project lie in recipes/"


def test_a_file_that_is_no_text_cannot_be_read(tmp_path):
    path = tmp_path / "picture.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RecipeError, match=r"picture\.toml: cannot be read: 'utf-8' codec can't decode"):
        read_toml(path)


def test_trackers_are_a_list_of_names(write, registry, small):
    assert problem(write, registry, small + '[tracking]\nuse = "tensorboard"\n') == (
        'bad.toml: [tracking] use: must be a list of names, such as ["tensorboard"]'
    )


def test_options_of_a_tracker_that_is_not_used_are_unknown(write, registry, small):
    assert problem(write, registry, small + "[tracking]\nuse = []\n[tracking.wandb]\n") == (
        "bad.toml: [tracking] wandb: unknown key. There is: use."
    )


def test_a_tracker_has_its_own_table(write, registry, small):
    registry.add(Component("tracker", "silent", "adversarl.interfaces.tracker:Tracker", "Says nothing.", "mine"))
    recipe = load_recipe(write(small + '[tracking]\nuse = ["silent"]\n[tracking.silent]\n'), registry)
    assert [choice.component.name for choice in recipe.trackers] == ["silent"]
    text = problem(write, registry, small + '[tracking]\nuse = ["silent"]\n[tracking.silent]\nloud = true\n')
    assert text == "bad.toml: [tracking.silent] loud: unknown key. There is none."


@pytest.mark.parametrize(
    ("override", "expected"),
    [("learner.step_size=1e-3", 1e-3), ("learner.step_size = 2", 2.0)],
)
def test_an_override_is_a_toml_value(recipe_file, registry, override, expected):
    assert load_recipe(recipe_file, registry, [override])["learner"].options.step_size == expected


def test_an_override_may_be_a_bare_word(recipe_file, registry):
    assert load_recipe(recipe_file, registry, ["run.name=quick"]).run.name == "quick"


def test_an_override_is_validated_like_the_file(recipe_file, registry):
    with pytest.raises(RecipeError, match=r"small.toml: \[learner\] step_size: should be greater than 0, not -1"):
        load_recipe(recipe_file, registry, ["learner.step_size=-1"])


@pytest.mark.parametrize("override", ["learner", "learner=3", "learner.=3", ".x=3", "=3"])
def test_an_override_of_another_form_says_how_to_write_it(recipe_file, registry, override):
    with pytest.raises(RecipeError) as caught:
        load_recipe(recipe_file, registry, [override])
    assert str(caught.value) == (f"--set: {override}: write it as table.key=value, such as learner.learning_rate=1e-4")


def test_an_override_below_a_value_says_so(recipe_file, registry):
    with pytest.raises(RecipeError) as caught:
        load_recipe(recipe_file, registry, ["run.total_steps.x=1"])
    assert str(caught.value) == "--set: run.total_steps.x=1: 'total_steps' is a value, not a table"


def test_an_override_below_a_name_says_how_to_write_the_table(recipe_file, registry):
    with pytest.raises(RecipeError) as caught:
        load_recipe(recipe_file, registry, ["run.name=short", "run.name.x=1"])
    assert str(caught.value) == (
        "--set: run.name.x=1: 'name' is the name 'short', not a table. "
        "Where a table may stand, write it whole: run.name={KEY=VALUE}"
    )


def test_another_component_takes_the_keys_that_it_has_too_and_no_others(write, registry, small):
    """The order of the overrides does not matter."""
    registry.add(Component("suite", "short", "adversarl.interfaces.suite:Suite", "A grid.", "mine"))
    path = write(small)
    recipe = load_recipe(path, registry, ["evaluation.suite=short"])
    assert recipe.resolved()["evaluation"] == {"suite": "short", "episodes": 4}
    recipe = load_recipe(path, registry, ["evaluation.episodes=7", "evaluation.suite=short"])
    assert recipe.resolved()["evaluation"] == {"suite": "short", "episodes": 7}
    same = load_recipe(path, registry, ["evaluation.suite=robustness"])
    assert same["evaluation"].options.intensities == (0.0, 1.0)


def test_options_of_one_component_come_from_key_value_strings(registry):
    options = registry.get("backend", "point-mass").load().Options
    assert validate_options(options, ["num_envs=3"], "point-mass").num_envs == 3
    with pytest.raises(RecipeError) as caught:
        validate_options(options, ["num_env=3"], "point-mass")
    assert str(caught.value) == "--set: [point-mass] num_env: unknown key. Did you mean 'num_envs'?"


def test_the_watch_has_bounds_a_test_of_success_and_monitors(write, registry, small):
    text = '[watch]\nwindow = 20\n[watch.verdict]\nuse = "state"\n'
    text += '[watch.monitors.state]\n[watch.monitors.again]\nuse = "state"\n'
    recipe = load_recipe(write(small + text), registry)
    assert recipe.watch.window == 20
    assert recipe.verdict.component.name == "state"
    assert {name: choice.component.name for name, choice in recipe.monitors.items()} == {
        "state": "state",
        "again": "state",
    }
    again = parse_recipe(tomllib.loads(recipe.to_toml()), registry, "again")
    assert again.resolved() == recipe.resolved()


def test_a_key_inside_the_watch_is_named_with_its_table(write, registry, small):
    assert problem(write, registry, small + "[watch]\nwindows = 20\n") == (
        "bad.toml: [watch] windows: unknown key. Did you mean 'window'?"
    )
    assert problem(write, registry, small + '[watch.monitors.mine]\nuse = "stat"\n') == (
        "bad.toml: [watch.monitors.mine] use: no reward named 'stat'. Did you mean 'state'?"
    )
    assert problem(write, registry, small + "[watch.verdict]\nuse = 'state'\nloud = true\n") == (
        "bad.toml: [watch.verdict] loud: unknown key. There is none."
    )
    assert problem(write, registry, small + "[watch]\nmonitors = ['clip']\n") == (
        "bad.toml: [watch] monitors: must be a table, not a list. Write [watch.monitors]"
    )
    assert problem(write, registry, small + "[watch.monitors]\nclip = 'clip'\n") == (
        "bad.toml: [watch.monitors] clip: must be a table, not a string. Write [watch.monitors.clip]"
    )


def test_set_reaches_into_the_watch(recipe_file, registry):
    recipe = load_recipe(recipe_file, registry, ["watch.on_alarm=warn", "watch.monitors.mine.use=state"])
    assert recipe.watch.on_alarm == "warn"
    assert list(recipe.monitors) == ["mine"]


def test_a_choice_with_some_keys_changed_keeps_the_others(registry):
    choice = choose("backend", {"use": "point-mass", "num_envs": 3}, registry, "a.toml")
    other = choice.changed({"image_size": 24}, "a.toml", "backend")
    assert (other.options.num_envs, other.options.image_size) == (3, 24)
    assert other.component == choice.component
    assert choice.options.image_size != 24
    assert choice.changed({}, "a.toml", "backend") == choice
    with pytest.raises(
        RecipeError, match=r"a\.toml: \[evaluation\] image_siz: unknown key\. Did you mean 'image_size'\?"
    ):
        choice.changed({"image_siz": 24}, "a.toml", "evaluation")
