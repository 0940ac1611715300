from __future__ import annotations

import sys

import pytest

from adversarl.errors import BrokenPlugin, PluginFileError
from adversarl.known import HOMES
from adversarl.plugins import build_plugin_manager

GOOD = """
from adversarl import hookimpl

@hookimpl
def adversarl_register(add):
    add.backend("{name}", "adversarl.builtin.point_mass:PointMass", "A world.")
"""


def broken(plugins, name):
    return next(b for b in plugins.registry.broken if b.plugin == name)


def test_an_installed_plugin_is_found_with_its_distribution_and_version(install):
    install("fog-world", GOOD.format(name="fog"))
    found = build_plugin_manager().registry.get("backend", "fog")
    assert (found.distribution, found.version) == ("fog-world", "1.2")


def test_a_plugin_that_fails_to_import_is_reported_and_the_rest_works(install):
    install("aaa-bad", "raise RuntimeError('no\\n libfoo')")
    install("fog-world", GOOD.format(name="fog"))
    plugins = build_plugin_manager()
    reported = broken(plugins, "aaa-bad")
    assert (reported.distribution, reported.version) == ("aaa-bad", "1.2")
    assert reported.cause == "RuntimeError: no libfoo"
    assert {"fog", "point-mass"} <= set(plugins.registry.names("backend"))


def test_a_misspelt_hook_is_reported(install):
    install("bad-hook", GOOD.format(name="fog") + "\n@hookimpl\ndef adversarl_epsiode_finished(episode): ...\n")
    plugins = build_plugin_manager()
    assert broken(plugins, "bad-hook").cause.startswith(
        "PluginValidationError: unknown hook 'adversarl_epsiode_finished' in plugin"
    )
    assert "fog" not in plugins.registry.names("backend")
    assert "point-mass" in plugins.registry.names("backend")


def test_a_hook_with_an_argument_that_does_not_exist_is_reported(install):
    install("bad-argument", "from adversarl import hookimpl\n@hookimpl\ndef adversarl_register(app): ...\n")
    cause = broken(build_plugin_manager(), "bad-argument").cause
    assert "Argument(s) {'app'} are declared in the hookimpl but can not be found in the hookspec" in cause


def test_a_plugin_that_fails_half_way_registers_nothing(install):
    install("half-way", GOOD.format(name="fog") + "    raise ValueError('stop')\n")
    plugins = build_plugin_manager()
    assert broken(plugins, "half-way").cause == "ValueError: stop"
    assert "fog" not in plugins.registry.names("backend")
    assert plugins.manager.get_plugin("half-way") is None


def test_two_distributions_with_one_name_are_reported_whatever_the_order_of_installation(install):
    install("world-two", GOOD.format(name="fog"))
    install("world-one", GOOD.format(name="fog"))
    plugins = build_plugin_manager()
    message = "backend 'fog' is registered by both world-one and world-two. Remove one: pip uninstall world-two"
    assert broken(plugins, "world-two").cause == message
    with pytest.raises(Exception, match=message):
        plugins.registry.get("backend", "fog")


def test_a_broken_first_party_plugin_stops_only_who_needs_it(install, monkeypatch):
    install("adversarl-odd", "import nothing_like_this")
    monkeypatch.setitem(HOMES, "adversarl-odd", {"reward": ("odd",)})
    plugins = build_plugin_manager()
    with pytest.raises(BrokenPlugin) as caught:
        plugins.registry.get("reward", "odd")
    assert str(caught.value) == (
        "reward 'odd' comes from adversarl-odd, which is broken: ModuleNotFoundError: No module named "
        "'nothing_like_this'. Repair it or run: pip install --force-reinstall adversarl-odd"
    )


ONE_FILE = """
from adversarl import hookimpl
from adversarl.builtin.point_mass import PointMass

class Mine(PointMass):
    pass

@hookimpl
def adversarl_register(add):
    add.backend("mine", f"{__name__}:Mine", "My world.")
"""


@pytest.fixture
def no_leftovers():
    yield
    for name in [name for name in sys.modules if name.startswith("adversarl_file_")]:
        del sys.modules[name]


@pytest.mark.usefixtures("no_leftovers")
def test_a_one_file_plugin_is_loaded_when_it_is_named(write):
    path = write(ONE_FILE, "my-world.py")
    component = build_plugin_manager([path]).registry.get("backend", "mine")
    assert component.distribution == str(path)
    assert component.load().__name__ == "Mine"
    assert "mine" not in build_plugin_manager().registry.names("backend")


@pytest.mark.parametrize(
    ("name", "source", "problem"),
    [
        ("a.txt", "", "it is not a Python file. --plugin takes the path of a .py file"),
        ("a.py", "1 / 0", "the plugin fails to load: ZeroDivisionError: division by zero"),
        ("a.py", "def (", "the plugin fails to load: SyntaxError: invalid syntax (a.py, line 1)"),
    ],
)
def test_a_one_file_plugin_that_cannot_be_loaded_says_why(write, name, source, problem):
    path = write(source, name)
    with pytest.raises(PluginFileError) as caught:
        build_plugin_manager([path])
    assert str(caught.value) == f"{path}: {problem}"


def test_a_one_file_plugin_that_is_not_there_says_so(tmp_path):
    path = tmp_path / "gone.py"
    with pytest.raises(PluginFileError) as caught:
        build_plugin_manager([path])
    assert str(caught.value) == f"{path}: there is no such file. --plugin takes the path of a Python file"


def test_every_first_party_plugin_loads(plugins):
    assert [b for b in plugins.registry.broken if b.distribution.startswith("adversarl")] == []


def test_two_packages_may_call_their_entry_points_the_same(install):
    install("first", "from adversarl import hookimpl\n")
    site = install("second", "from adversarl import hookimpl\n")
    (site / "second-1.2.dist-info" / "entry_points.txt").write_text("[adversarl]\nfirst = second\n")
    plugins = build_plugin_manager()
    assert not [one for one in plugins.registry.broken if one.distribution in ("first", "second")]
    assert {"first", "second"} <= {module.__name__ for module in plugins.manager.get_plugins()}
