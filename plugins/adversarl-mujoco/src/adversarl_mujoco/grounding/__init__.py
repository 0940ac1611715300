"""Turns prompts into perturbations, offline and deterministically: a lexicon (``lexicon.toml``) and a small grammar."""

from adversarl_mujoco.grounding.ground import ground
from adversarl_mujoco.grounding.say import say

__all__ = ["ground", "say"]
