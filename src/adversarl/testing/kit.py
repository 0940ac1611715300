"""What a check is, and how to find and run the checks of a kind."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol
from unittest import SkipTest

from adversarl.errors import AdversarlError, UnknownComponent
from adversarl.registry import KINDS


class ConformanceError(AdversarlError):
    """A component breaks a promise of its interface.

    Attributes:
        check: Name of the check.
        what: What was found.
        mend: How to mend it.
    """

    def __init__(self, check: str, what: str, mend: str) -> None:
        self.check, self.what, self.mend = check, what, mend
        super().__init__(f"{check}: {what}. {mend}")


class Check(Protocol):
    """One promise: returns if it is kept, raises `ConformanceError` if not."""

    __name__: str

    def __call__(self, cls: type[Any], options: Any = None) -> None:
        """Checks a component class with its options, by default those that an empty recipe table gives.

        Raises:
            ConformanceError: The promise is broken.
            SkipTest: It cannot be judged on this machine; pytest then calls the test skipped.
        """


class _Fault(Exception):
    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what, mend)
        self.what, self.mend = what, mend


def demand(condition: object, what: str, mend: str) -> None:
    """Fails the running check with what was found and how to mend it, unless the condition holds."""
    if not condition:
        raise _Fault(what, mend)


_CHECKS: dict[str, list[Check]] = {kind: [] for kind in KINDS}


def conformance(kind: str) -> Callable[[Callable[[Any, Any], None]], Check]:
    """Makes a function ``(cls, options)`` a check of a kind; whatever it raises becomes a `ConformanceError`."""

    def register(function: Callable[[Any, Any], None]) -> Check:
        name = function.__name__

        @wraps(function)
        def check(cls: type[Any], options: Any = None) -> None:
            try:
                function(cls, cls.Options() if options is None else options)
            except _Fault as fault:
                raise ConformanceError(name, fault.what, fault.mend) from None
            except SkipTest:
                raise
            except Exception as error:
                what = f"raised {type(error).__name__}: {' '.join(str(error).split())}"
                raise ConformanceError(name, what, "The cause's traceback says where") from error

        _CHECKS[kind].append(check)
        return check

    return register


_MODULES = {kind: (f"{kind}_checks",) for kind in KINDS} | {
    "backend": ("backend_checks", "perturbation_checks", "snapshot_checks", "solved_checks"),
    "reward": ("reward_checks", "frame_checks"),
}


def checks_for(kind: str) -> tuple[Check, ...]:
    """All checks of a kind, in the order in which they should be mended.

    Raises:
        UnknownComponent: There is no such kind.
    """
    if kind not in KINDS:
        raise UnknownComponent("kind", kind, KINDS)
    for module in _MODULES[kind]:
        importlib.import_module(f"adversarl.testing.{module}")
    return tuple(_CHECKS[kind])


def _all_of(kind: str) -> Check:
    def run(cls: type[Any], options: Any = None) -> None:
        for check in checks_for(kind):
            check(cls, options)

    run.__name__ = run.__qualname__ = f"check_{kind}"
    run.__doc__ = f"Runs every check of a {kind} class; raises `ConformanceError` at the first that fails."
    return run


check_backend = _all_of("backend")
check_reward = _all_of("reward")
check_failure = _all_of("failure")
check_curriculum = _all_of("curriculum")
check_learner = _all_of("learner")
check_suite = _all_of("suite")
check_tracker = _all_of("tracker")
check_exporter = _all_of("exporter")
