"""The curricula that are compared, as ``[curriculum]`` tables with their defaults."""

from __future__ import annotations

from typing import Any

GUARDED = {"guard": "teacher"}

CONTROLS = ("uniform", "random-prompts", "uniform + guard")
"""What every other curriculum is compared with on the same seeds."""

CURRICULA: dict[str, dict[str, Any]] = {
    "none": {"use": "none"},
    "uniform": {"use": "uniform"},
    "uniform + guard": {"use": "uniform", **GUARDED},
    "random-prompts": {"use": "random-prompts"},
    "static": {"use": "static"},
    "progressive": {"use": "progressive"},
    "rules": {"use": "rules"},
    "learnability": {"use": "learnability"},
    "learnability + guard": {"use": "learnability", **GUARDED},
    "adr": {"use": "adr"},
    "plr": {"use": "plr"},
    "plr (pvl)": {"use": "plr", "score": "pvl"},
    "adversary (regret)": {"use": "adversary", "objective": "regret"},
    "adversary (learnability)": {"use": "adversary", "objective": "learnability"},
    "adversary (minimax)": {"use": "adversary", "objective": "minimax"},
    "minimax + guard": {"use": "adversary", "objective": "minimax", **GUARDED},
    "mix": {"use": "mix", "parts": [{"use": "learnability"}, {"use": "uniform"}]},
    "sequence": {"use": "sequence", "stages": [{"use": "adr", "episodes": 2000}, {"use": "learnability"}]},
}
"""Name in the report → table. ``guard = "teacher"`` is a variant of its own, because its trials cost steps too."""

LEFT_OUT = {
    "claude": "asks a paid service, and a recorded answer would not answer to this policy",
    "replay": "repeats another curriculum's worlds whatever the policy does",
}
"""Registered curricula that are not compared, and why."""
