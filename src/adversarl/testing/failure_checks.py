"""Checks of failure classifiers."""

from __future__ import annotations

import json

from adversarl.builtin.point_mass_axes import AXES
from adversarl.interfaces.failure import FailureClassifier, FailureOptions
from adversarl.testing.fakes import make_episodes
from adversarl.testing.kit import conformance, demand
from adversarl.types import FailureReport, Rate

WORLD_AXES = tuple(AXES)
FRAGILE = "background-color"


@conformance("failure")
def a_report_needs_no_episodes(cls: type[FailureClassifier], options: FailureOptions) -> None:
    """Before anything happened the report is empty and blames nothing."""
    report = cls(options, WORLD_AXES).report()
    demand(report.episodes == 0, f"a report on nothing counts {report.episodes} episodes", "Count what observe() gets")
    demand(not report.modes, f"a report on nothing blames {[m.axis for m in report.modes]}", "Blame on evidence only")
    demand(report.success.n == 0, "a report on nothing has a success rate", "Return adversarl.metrics.wilson(0, 0)")


@conformance("failure")
def reports_count_episodes(cls: type[FailureClassifier], options: FailureOptions) -> None:
    """Reports count all episodes, and their rates are proportions inside their intervals."""
    classifier = cls(options, WORLD_AXES)
    for episode in make_episodes(30, WORLD_AXES):
        classifier.observe(episode)
    report = classifier.report()
    demand(report.episodes == 30, f"30 episodes were counted as {report.episodes}", "Count every observe()")
    demand(report.success.n > 0, "30 episodes left no success rate", "Fill FailureReport.success")
    _demand_rates(report)


def _demand_rates(report: FailureReport) -> None:
    for name, rate in _rates(report).items():
        inside = rate.n == 0 or 0 <= rate.low <= rate.value <= rate.high <= 1
        demand(
            inside and 0 <= rate.successes <= rate.n,
            f"the rate '{name}' is {rate.successes} of {rate.n} in [{rate.low}, {rate.high}]",
            "Make it with adversarl.metrics.wilson(successes, n)",
        )


def _rates(report: FailureReport) -> dict[str, Rate]:
    return {"success": report.success, "nominal": report.nominal} | {m.axis: m.success for m in report.modes}


@conformance("failure")
def modes_name_axes_of_the_world(cls: type[FailureClassifier], options: FailureOptions) -> None:
    """Whatever is blamed exists in the world, with a range of intensities and a sentence."""
    classifier = cls(options, WORLD_AXES)
    for episode in make_episodes(300, WORLD_AXES, fragile=FRAGILE):
        classifier.observe(episode)
    report = classifier.report()
    _demand_rates(report)
    for mode in report.modes:
        demand(
            mode.axis in {a.name for a in WORLD_AXES}, f"'{mode.axis}' is no axis of the world", "Blame axes by name"
        )
        low, high = mode.intensity
        demand(
            0 <= low <= high <= 1,
            f"the intensities of '{mode.axis}' are {mode.intensity}",
            "Give (low, high) in [0, 1]",
        )
        demand(mode.sentence.strip(), f"the mode '{mode.axis}' has no sentence", "Say it in English as well")


@conformance("failure")
def success_is_not_blamed(cls: type[FailureClassifier], options: FailureOptions) -> None:
    """A policy that never fails has no failure modes."""
    classifier = cls(options, WORLD_AXES)
    for episode in make_episodes(300, WORLD_AXES, fragile="none of them"):
        classifier.observe(episode)
    blamed = [mode.axis for mode in classifier.report().modes]
    demand(
        not blamed, f"300 successes in a row are blamed on {blamed}", "Compare failures with and without the condition"
    )


@conformance("failure")
def a_resumed_classifier_reports_alike(cls: type[FailureClassifier], options: FailureOptions) -> None:
    """The state survives JSON, and a new classifier with it goes on as the old one does."""
    first, second = cls(options, WORLD_AXES), cls(options, WORLD_AXES)
    for episode in make_episodes(150, WORLD_AXES, fragile=FRAGILE):
        first.observe(episode)
    first.report()
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    for episode in make_episodes(50, WORLD_AXES, seed=1, start=150):
        first.observe(episode)
        second.observe(episode)
    here, there = first.report(), second.report()
    demand(here == there, f"after a resume the report is {there} instead of {here}", "Put all of it into state_dict()")


@conformance("failure")
def a_classifier_can_be_closed_at_any_time(cls: type[FailureClassifier], options: FailureOptions) -> None:
    """Also without a run, and twice."""
    classifier = cls(options, WORLD_AXES)
    classifier.close()
    classifier.close()
