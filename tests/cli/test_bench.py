from __future__ import annotations

import json

import numpy as np
import pytest

from adversarl.bench_axes import Changes
from adversarl.testing.fakes import make_world

QUICK = ("--seconds", "0.1", "--rounds", "1")


def test_bench_measures_one_and_many_environments_and_the_loop(adversarl, recipe_file):
    result = json.loads(adversarl("bench", recipe_file, *QUICK, "--json").out)
    assert [row["what"] for row in result["rows"]] == ["1 environment", "4 environments", "closed loop"]
    assert all(row["per_second"] > 0 for row in result["rows"])
    assert result["loop_ratio"] > 0
    assert (result["image"], result["rounds"]) == ("16x16x3", 1)
    # This world has no simulator below it and no threads, and says so.
    assert result["ratio"] is None
    assert result["thread_ratio"] is None


def test_bench_says_what_each_axis_costs(adversarl, recipe_file):
    result = json.loads(adversarl("bench", recipe_file, *QUICK, "--json").out)
    groups = {row["axis"]: row["group"] for row in result["axes"]}
    assert groups["brightness"] == "visual"
    assert groups["object-size"] == "geometry"
    assert all({"change_us", "frame_us"} <= row.keys() for row in result["axes"])


def test_axes_change_before_each_reset_and_in_the_middle_of_each_episode():
    world = make_world(2)
    length = world.max_episode_steps
    changes, seen = Changes(world), [(0, world.active([0])[0])]
    world.reset(seed=0)
    for step in range(2 * length):
        if step == length:
            changes.renew(np.array([0, 1]))
            world.reset(seed=1)
        changes.step()
        if world.active([0])[0] != seen[-1][1]:
            seen.append((step, world.active([0])[0]))
        world.step(np.zeros(world.action_space.shape, np.float32))
    assert [step for step, _ in seen] == [0, length // 2, length, length + length // 2]
    assert {p.axis for p in seen[1][1]} == {axis.name for axis in world.axes if axis.group == "visual"}


def test_bench_prints_a_table(adversarl, recipe_file):
    out = adversarl("bench", recipe_file, *QUICK).out
    assert "small.toml, 16x16x3" in out
    assert "env steps/s" in out


THREADED = """
from pydantic import Field
from adversarl import hookimpl
from adversarl.builtin.point_mass import PointMass, PointMassOptions

class ThreadedOptions(PointMassOptions):
    threads: int = Field(1, ge=1, description="Threads.")

class Threaded(PointMass):
    Options = ThreadedOptions

    def reference_loop(self, seconds, changes=()):
        return 1000.0

@hookimpl
def adversarl_register(add):
    add.backend("threaded", f"{__name__}:Threaded", "A world that claims threads.")
"""


@pytest.mark.usefixtures("adversarl")
def test_threads_and_the_bare_loop_are_measured_where_there_are_any(adversarl, write, small):
    plugin = write(THREADED, "threaded.py")
    recipe = write(small.replace('"point-mass"', '"threaded"'), "threaded.toml")
    result = json.loads(adversarl("bench", recipe, *QUICK, "--json", "--plugin", plugin).out)
    speeds = {row["what"]: row["per_second"] for row in result["rows"]}
    configurations = ["bare simulator loop", "1 environment, 1 thread", "4 environments, 1 thread"]
    configurations += ["4 environments, 2 threads"]
    twice = [name + more for name in configurations for more in ("", ", ten axes changing")]
    assert list(speeds) == [*twice, "4 environments", "closed loop"]
    assert result["ratio"] == pytest.approx(speeds["1 environment, 1 thread"] / 1000)
    changing = speeds["1 environment, 1 thread, ten axes changing"]
    assert result["changing_ratio"] == pytest.approx(changing / 1000)
    assert result["thread_ratio"] > 0


BENCHMARK = """
import typer
from adversarl import hookimpl

@hookimpl
def adversarl_benchmarks(app):
    @app.command()
    def patience(minutes: int = typer.Option(3)):
        '''Measure how long one waits.'''
        print(minutes, "minutes")
"""


@pytest.fixture
def patient(install, adversarl):
    """The command line with the benchmark `patience` of a plugin."""
    from adversarl.cli.app import load_plugins

    install("benchmark", BENCHMARK)
    load_plugins.cache_clear()
    yield adversarl
    load_plugins.cache_clear()


def test_a_plugin_adds_a_named_benchmark_with_options_of_its_own(patient):
    assert patient("bench", "patience", "--minutes", 5).out == "5 minutes\n"
    assert "patience" in patient("bench", "--help").out


def test_a_recipe_keeps_its_place_beside_named_benchmarks(patient, recipe_file):
    long = patient("bench", "recipe", recipe_file, *QUICK, "--json")
    assert json.loads(long.out).keys() == json.loads(patient("bench", *QUICK, "--json", recipe_file).out).keys()


def test_a_misspelt_benchmark_gets_the_nearest_name(patient):
    done = patient("bench", "patients")
    assert done.code == 2
    assert "patience" in done.err
