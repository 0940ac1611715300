from __future__ import annotations

import pytest

from adversarl.builtin.point_mass import PointMass
from adversarl.errors import BrokenPlugin, DuplicateName, MissingExtra, UnknownComponent
from adversarl.known import HOMES, home_of
from adversarl.registry import KINDS, Component, Registrar, Registry


def component(target="adversarl.builtin.point_mass:PointMass", name="fog", distribution="mine", extra=""):
    return Component("backend", name, target, "A world.", distribution, "1.0", extra)


def test_a_component_is_imported_when_it_is_loaded():
    assert component().load() is PointMass


def test_components_are_listed_by_kind_then_by_name(registry):
    listed = [(KINDS.index(c.kind), c.name) for c in registry.all()]
    assert listed == sorted(listed)
    assert registry.names("failure") == ["none"]
    assert registry.names("tracker") == []


def test_a_registrar_has_one_method_per_kind():
    registry = Registry()
    add = Registrar(registry.add, "mine", "1.0")
    for kind in KINDS:
        getattr(add, kind)("x", "pkg:X", "One line.", extra="mine[x]")
        assert "one-line summary" in getattr(Registrar, kind).__doc__
    assert [c.kind for c in registry.all()] == list(KINDS)
    assert registry.get("suite", "x") == Component("suite", "x", "pkg:X", "One line.", "mine", "1.0", "mine[x]")


def test_a_name_that_two_distributions_register_names_both_and_stays_unusable():
    registry = Registry()
    registry.add(component())
    with pytest.raises(DuplicateName) as caught:
        registry.add(component(distribution="yours"))
    message = "backend 'fog' is registered by both mine and yours. Remove one: pip uninstall yours"
    assert str(caught.value) == message
    with pytest.raises(DuplicateName) as again:
        registry.get("backend", "fog")
    assert str(again.value) == message


def test_an_unknown_name_is_told_with_its_place(registry):
    with pytest.raises(UnknownComponent) as caught:
        registry.get("curriculum", "nome", "a.toml: [curriculum] use")
    assert str(caught.value) == "a.toml: [curriculum] use: no curriculum named 'nome'. Did you mean 'none'?"


def test_an_unknown_kind_names_the_nearest_one(registry):
    with pytest.raises(UnknownComponent) as caught:
        registry.get("lerner", "ppo")
    assert str(caught.value) == "no kind named 'lerner'. Did you mean 'learner'?"


def test_a_package_that_a_component_needs_and_lacks_is_named_with_the_install_command(tmp_path, monkeypatch):
    (tmp_path / "needy.py").write_text("import package_that_nobody_has.sub")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(MissingExtra) as caught:
        component("needy:World", extra="mine[gl]").load()
    assert str(caught.value) == (
        "backend 'fog' needs the package 'package_that_nobody_has', which is not installed. Run: pip install 'mine[gl]'"
    )
    with pytest.raises(MissingExtra, match=r"Run: pip install 'mine'$"):
        component("needy:World").load()


@pytest.mark.parametrize(
    ("target", "cause"),
    [
        ("adversarl.nowhere:World", "No module named 'adversarl.nowhere'"),
        ("adversarl.builtin.point_mass:Nothing", "module 'adversarl.builtin.point_mass' has no attribute 'Nothing'"),
        ("fragile:World", "cannot import name 'nothing' from 'adversarl.seeding'"),
    ],
)
def test_a_target_that_cannot_be_imported_is_a_broken_plugin(tmp_path, monkeypatch, target, cause):
    (tmp_path / "fragile.py").write_text("from adversarl.seeding import nothing")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(BrokenPlugin) as caught:
        component(target).load()
    assert str(caught.value).startswith(f"backend 'fog' comes from mine, which is broken: {cause}")
    assert str(caught.value).endswith("Repair it or run: pip install --force-reinstall mine")


def test_homes_know_only_kinds_that_exist():
    assert {kind for kinds in HOMES.values() for kind in kinds} <= set(KINDS)
    assert home_of("learner", "ppo") == "adversarl-sb3"
    assert home_of("learner", "pppo") == ""


def test_every_first_party_component_that_is_installed_has_its_home(plugins):
    """The install hint of an error must name the package that really has the component."""
    for c in plugins.registry.all():
        if c.distribution in HOMES:
            assert home_of(c.kind, c.name) == c.distribution
