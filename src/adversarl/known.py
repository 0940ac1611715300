"""First-party components and the packages that hold them, so that an error can say what to install."""

from __future__ import annotations

HOMES = {
    "adversarl-mujoco": {"backend": ("mujoco",)},
    "adversarl-sb3": {"learner": ("ppo", "sac", "td3"), "exporter": ("onnx",)},
    "adversarl-curricula": {"curriculum": ("uniform", "static", "rules")},
    "adversarl-failures": {"failure": ("statistics",)},
    "adversarl-trackers": {"tracker": ("tensorboard",)},
}


def install_hint(kind: str, name: str) -> str:
    """``It is in adversarl-sb3. Run: pip install adversarl-sb3``, or nothing if nobody is known to have it."""
    for home, kinds in HOMES.items():
        if name in kinds.get(kind, ()):
            return f"It is in {home}. Run: pip install {home}"
    return ""
