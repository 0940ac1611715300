"""Why an episode looks as it does, in one English sentence with its numbers."""

from __future__ import annotations

from adversarl.types import FailureMode, FailureReport
from adversarl_curricula.ladder import Ladder
from adversarl_curricula.plans import Plan


def why(plan: Plan, ladder: Ladder, report: FailureReport) -> str:
    """Explains a plan.

    Args:
        plan: What was drawn.
        ladder: The ladder of all axes, or of the axis that the plan is about.
        report: The latest failure report.
    """
    if plan.kind == "reach":
        return f"all axes at {plan.percent} % whatever their ceiling of {ladder.ceiling} %: is it learnable by now?"
    if plan.kind == "together":
        return _together(plan, ladder)
    mode = next((mode for mode in report.modes if mode.axis == plan.axis), None)
    others = f", with {len(plan.percents) - 1} more" if plan.kind == "combination" else ""
    if mode is None:
        return f"{plan.axis} at {plan.percent} %{others}: {_state(ladder)}"
    return f"{_evidence(mode)}: practise it at {plan.percent} %{others}, ceiling {ladder.ceiling} %"


def _together(plan: Plan, ladder: Ladder) -> str:
    held = sum(percent < plan.percent for percent in plan.percents.values())
    kept = f", {held} of them held at what they mastered alone" if held else ""
    what = f"all {len(plan.percents)} axes at {plan.percent} %{kept}"
    return f"{what}: {_state(ladder)}" if plan.near_ceiling else f"{what}: rehearsal below {_state(ladder)}"


def _state(ladder: Ladder) -> str:
    """The ceiling, and the evidence since it last moved or that moved it."""
    done, n = sum(ladder.outcomes), len(ladder.outcomes)
    if n:
        return f"the ceiling of {ladder.ceiling} %, near which {done} of the last {n} episodes succeeded"
    if ladder.moved is None:
        return f"the ceiling of {ladder.ceiling} %, not tried yet"
    before, successes, episodes = ladder.moved
    verb = "raised" if ladder.ceiling > before else "lowered"
    return f"the ceiling of {ladder.ceiling} %, {verb} from {before} % after {successes} of {episodes} successes"


def _evidence(mode: FailureMode) -> str:
    rate = mode.success
    interval = f"[{100 * rate.low:.0f}, {100 * rate.high:.0f}]"
    return (
        f"success with {mode.axis} is {100 * rate.value:.0f} % {interval} (n={rate.n}), "
        f"{100 * mode.effect:.0f} points below the rest"
    )
