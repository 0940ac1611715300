"""Numbers and sentences of the report, the same in the page and in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

FEW_SEEDS = 5
UNKNOWN = "n/a"
NAMES = {
    "interval": "Intervals, 95 %",
    "stratified": "Stratified intervals in results.json",
    "auc": "Robustness AUC",
    "steps_to_threshold": "Threshold",
    "correction": "Many comparisons",
}
"""Headings of the methods that the analysis names."""
MARKS = {
    "better": ("better", "Better"),
    "worse": ("worse", "Worse"),
    "tie": ("tie", "Tie"),
    "not enough episodes": ("open", "Not decided"),
}
REFUSED = ("worse", "Not held out")


LONGEST = 4
"""Requests of a prompt that are told one by one."""


def brief(prompt: str) -> str:
    """A prompt of many requests as its first and last one, and how many there are."""
    requests = prompt.replace(" and ", ", ").split(", ")
    if len(requests) <= LONGEST:
        return prompt
    return f"{requests[0]}, … and {requests[-1]} ({len(requests)} requests)"


def share(value: float | None) -> str:
    """``62 %``."""
    return UNKNOWN if value is None else f"{100 * value:.0f} %"


def points(value: float | None) -> str:
    """``+11`` percentage points."""
    if value is None:
        return UNKNOWN
    return f"{100 * value:+.0f}" if round(100 * value) else "0"


def bounds(interval: Mapping[str, Any]) -> str:
    """``58 to 64``, in percent; nothing where the value is unknown."""
    if interval.get("value") is None:
        return ""
    return f"{100 * interval['low']:.0f} to {100 * interval['high']:.0f}"


def seconds(value: float | None) -> str:
    """``48 s``, ``6.9 min`` or ``2.1 h``."""
    if value is None:
        return UNKNOWN
    if value < 60:
        return f"{value:.0f} s" if value >= 10 else f"{value:.1f} s"
    return f"{value / 60:.1f} min" if value < 3600 else f"{value / 3600:.1f} h"


def when(created: str) -> str:
    """``2026-11-21 20:00 UTC`` of an ISO time in UTC."""
    date, _, time = created.partition("T")
    return f"{date} {time[:5]} UTC" if time else created


def dollars(value: float | None) -> str:
    """``$0.42``."""
    return UNKNOWN if value is None else f"${value:.2f}"


def count(value: float | None) -> str:
    """``40,960``."""
    return UNKNOWN if value is None else f"{value:,.0f}"


def steps(found: Mapping[str, Any] | None, trained: float | None) -> str:
    """``22,000 (5 of 5)`` seeds, or that too few reached the threshold; nothing where nobody trained."""
    if not found or not found.get("of") or not trained:
        return UNKNOWN
    reached = f"{found['reached']} of {found['of']}"
    if found.get("median") is None:
        return f"not reached ({reached})"
    return f"{found['median']:,.0f} ({reached})"


class Words:
    """Words that depend on the results; ``held-out`` is refused where training met the suite."""

    def __init__(self, results: Mapping[str, Any]) -> None:
        self._results = results
        self.leaks = [
            (condition["name"], condition.get("leaks") or ["its training met the suite"])
            for condition in results["conditions"]
            if not condition["held_out"]
        ]

    @property
    def held_out(self) -> str:
        """``held-out``, or only ``test``."""
        return "test" if self.leaks else "held-out"

    def said(self, sentence: str) -> str:
        """A sentence of the analysis, without the word where it is refused."""
        if not self.leaks:
            return sentence
        return sentence.replace("held-out", "test").replace("Held-out", "Test")

    def verdicts(self) -> list[dict[str, Any]]:
        """Every comparison with its mark, as (CSS class, word); one that a leak concerns has no winner."""
        leaky = {name for name, _ in self.leaks}
        found = []
        for one in self._results["comparisons"]:
            sentence, names = self.said(one["sentence"]), (one["a"], one["b"])
            if not sentence.startswith(names):
                sentence = sentence[:1].upper() + sentence[1:]
            mark = REFUSED if leaky.intersection(names) else MARKS.get(one["verdict"], MARKS["not enough episodes"])
            found.append({**one, "sentence": sentence.rstrip(".") + ".", "mark": mark})
        return found

    def warnings(self) -> list[str]:
        """What a reader must know before the first number."""
        seeds = len(self._results["seeds"])
        if seeds >= FEW_SEEDS:
            return []
        only = "One seed" if seeds == 1 else f"Only {seeds} seeds"
        return [
            f"{only}: a smoke test. Training differs between seeds; ask for {FEW_SEEDS} or more before you conclude."
        ]

    def measured(self) -> list[str]:
        """How it was measured."""
        results = self._results
        n, episodes, methods = len(results["seeds"]), results["episodes"], results.get("methods", {})
        strengths = ", ".join(f"{one:g}" for one in results["intensities"])
        found = [
            f"Suite {results['suite']}: {len(results['curves'])} curves at the intensities {strengths}, {episodes} "
            "episodes a cell. Reset seeds and perturbations are the same for every condition and seed and along every "
            "curve, so that all comparisons are paired.",
            f"{n} training seed{'s' if n != 1 else ''} a condition. The last checkpoint is judged, never the best one "
            "on the suite, and the policy acts without exploration. Success is what the simulator says.",
            *(f"{NAMES.get(name, name)}: {text}." for name, text in methods.items()),
            "A comparison is better or worse only where its interval excludes zero, and a tie only where the interval "
            f"lies within {100 * results.get('margin', 0.05):.0f} points of zero. Otherwise the episodes are not "
            "enough, and no winner is named.",
            f"Steps to threshold: environment steps until success along the way reaches {share(results['threshold'])}, "
            "the median over seeds. A run that never does is censored, not missing.",
        ]
        return [self.said(sentence) for sentence in found]

    def limits(self) -> list[str]:
        """What it does not show."""
        return [
            "One task, one robot and one simulator. The physically based renderer is a stand-in for photographs, not "
            "a real camera; nothing here was measured on a real robot.",
            "Intervals cover chance among seeds and episodes. They do not cover other tasks, other budgets of training "
            "or other settings of the learner.",
            "Intensities of different axes are not equally hard, so compare conditions on one axis, not axes with "
            "each other.",
            "Many cells are shown. Some will differ by chance; only the comparisons on top carry a claim.",
            "Visual distance is measured with fixed features, not with the policy's own; it says what looks different, "
            "not what matters for the task.",
        ]


def rows_of_table(conditions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The comparison table: one row per condition, as text."""
    return [
        {
            "name": one["name"],
            "control": one["kind"] == "control",
            "leaky": not one["held_out"],
            "auc": (share(one["auc"]["value"]), bounds(one["auc"])),
            "nominal": (share(one["nominal"]["value"]), bounds(one["nominal"])),
            "steps": steps(one.get("steps_to_threshold"), one.get("env_steps")),
            "env_steps": count(one.get("env_steps")),
            "seconds": seconds(one.get("wall_clock_s")),
            "cost": dollars(one.get("cost_usd")),
            "set_up": seconds(one.get("set_up_time_s")),
            "lines": count(one.get("hand_written_lines")),
            "seeds": len(one["seeds"]),
        }
        for one in conditions
    ]


COLUMNS = (
    ("auc", "Robustness AUC"), ("nominal", "Success, nominal"), ("steps", "Steps to threshold"),
    ("env_steps", "Training steps"), ("seconds", "Time a run"), ("cost", "Cost a run"), ("set_up", "Set-up time"),
    ("lines", "Hand-written lines"), ("seeds", "Seeds"),
)  # fmt: skip
"""Keys and headings of the comparison table, after the condition."""
