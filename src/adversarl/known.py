"""First-party components and the packages that hold them, so that an error can say what to install."""

from __future__ import annotations

HOMES: dict[str, dict[str, tuple[str, ...]]] = {
    "adversarl-benchmark": {"suite": ("tabletop-heldout-v1", "held-out")},
    "adversarl-mujoco": {"backend": ("mujoco",)},
    "adversarl-sb3": {"learner": ("ppo", "sac", "td3"), "exporter": ("onnx",), "curriculum": ("adversary",)},
    "adversarl-claude": {"curriculum": ("claude",), "failure": ("claude",), "reward": ("claude",)},
    "adversarl-clip": {"reward": ("clip",)},
    "adversarl-curricula": {
        "curriculum": (
            "uniform",
            "static",
            "random-prompts",
            "rules",
            "learnability",
            "adr",
            "plr",
            "progressive",
            "replay",
            "sequence",
            "mix",
        )
    },
    "adversarl-dashboard": {},
    "adversarl-failures": {"failure": ("statistics", "counterfactual", "classifier")},
    "adversarl-odyssey": {
        "backend": ("odyssey", "odyssey-hybrid", "odyssey-batch"),
        "reward": ("goal-image",),
    },
    "adversarl-rewards": {"reward": ("classifier", "ensemble")},
    "adversarl-trackers": {"tracker": ("tensorboard", "wandb")},
}


def home_of(kind: str, name: str) -> str:
    """The first-party distribution that holds a component, or an empty string if nobody is known to have it."""
    return next((home for home, kinds in HOMES.items() if name in kinds.get(kind, ())), "")
