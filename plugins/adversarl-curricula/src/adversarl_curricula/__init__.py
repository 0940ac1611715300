"""Curricula for AdversaRL: hand-coded randomization, fixed prompts, and adaptive rules."""
