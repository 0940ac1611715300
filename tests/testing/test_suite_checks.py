"""Suites that know one backend's axes alone, and cells that ask for other worlds."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar
from unittest import SkipTest

import pytest

from adversarl.builtin.robustness import Robustness
from adversarl.testing import ConformanceError, check_suite, checks_for
from adversarl.types import Perturbation


class Tabletop(Robustness):
    """Knows MuJoCo's axes, and plays the last cell in another world."""

    home = "mujoco"
    axis = "table-color"
    keys: ClassVar = {"split": "test"}

    def cells(self, axes, seed):
        assert self.axis in [axis.name for axis in axes]
        *cells, last = super().cells(axes, 0)
        asked = (Perturbation(self.axis, 1.0),)
        return [*cells, replace(last, perturbations=(asked,) * len(last.seeds), world=self.keys)]


class AsksTooMuch(Tabletop):
    keys: ClassVar = {"splitt": "test"}


class CannotBeMade(Tabletop):
    keys: ClassVar = {"backgrounds": "/nowhere"}


class HasNoHome(Tabletop):
    home = "atlantis"


class KnowsNoOtherWorld(Tabletop):
    home = ""


def check(cls, episodes=2):
    check_suite(cls, cls.Options(episodes=episodes))


def test_a_suite_is_checked_in_its_home_and_in_the_worlds_that_its_cells_ask_for():
    pytest.importorskip("adversarl_mujoco")
    check(Tabletop)
    with pytest.raises(ConformanceError, match=r"cell mixed at 1\.0: Cell\.world: \[backend\] splitt: unknown key"):
        check(AsksTooMuch)
    with pytest.raises(ConformanceError):
        check(KnowsNoOtherWorld)


def test_a_world_that_cannot_be_made_here_is_skipped_with_its_reason():
    pytest.importorskip("adversarl_mujoco")
    with pytest.raises(SkipTest, match=r"its world with .*'/nowhere'} cannot be made here: .*no such folder"):
        check(CannotBeMade)


@pytest.mark.parametrize("one", checks_for("suite"), ids=lambda one: one.__name__)
def test_a_suite_whose_home_is_not_installed_is_not_judged(one):
    with pytest.raises(SkipTest, match=r"in its home alone, which is not installed: .*no backend named 'atlantis'"):
        one(HasNoHome)


def test_the_command_says_what_was_skipped(adversarl, write):
    plugin = write(
        "from adversarl import hookimpl\n"
        "from adversarl.builtin.robustness import Robustness\n\n"
        "class Lost(Robustness):\n    home = 'atlantis'\n\n"
        "@hookimpl\ndef adversarl_register(add):\n    add.suite('lost', f'{__name__}:Lost', 'Odd.')\n",
        "lost.py",
    )
    done = adversarl("plugins", "check", "suite:lost", "--plugin", plugin)
    assert done.code == 0
    assert done.out.count("skipped") == 4
    assert "no backend named 'atlantis'" in done.out
