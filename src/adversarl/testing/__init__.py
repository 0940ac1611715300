"""Conformance kit for plugin authors: the promises of each interface, as checks to run on your own component.

In a test::

    import pytest
    from adversarl.testing import checks_for

    @pytest.mark.parametrize("check", checks_for("curriculum"))
    def test_my_curriculum_keeps_the_promises(check):
        check(MyCurriculum)

or on the command line: ``adversarl plugins check NAME``. Everything here is imported when first asked for, because
pytest loads this package in every session.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adversarl.testing.fakes import make_episodes, make_learner, make_loop, make_trials, make_world
    from adversarl.testing.kit import (
        Check,
        ConformanceError,
        check_backend,
        check_curriculum,
        check_exporter,
        check_failure,
        check_learner,
        check_reward,
        check_suite,
        check_tracker,
        checks_for,
    )

__all__ = [
    "Check",
    "ConformanceError",
    "check_backend",
    "check_curriculum",
    "check_exporter",
    "check_failure",
    "check_learner",
    "check_reward",
    "check_suite",
    "check_tracker",
    "checks_for",
    "make_episodes",
    "make_learner",
    "make_loop",
    "make_trials",
    "make_world",
]


def __getattr__(name: str) -> Any:
    """Loads what is heavy when it is first asked for (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module 'adversarl.testing' has no attribute '{name}'")
    module = "fakes" if name.startswith("make_") else "kit"
    return getattr(importlib.import_module(f"adversarl.testing.{module}"), name)
