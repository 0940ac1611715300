"""Registers the learners and the exporter; imports nothing heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adversarl import hookimpl

if TYPE_CHECKING:
    import typer

    from adversarl.registry import Registrar


@hookimpl
def adversarl_register(add: Registrar) -> None:
    """Names the components."""
    add.learner("ppo", "adversarl_sb3.ppo:PPO", "PPO with a DAgger warm start and on-policy distillation (SB3)")
    add.learner("sac", "adversarl_sb3.sac:SAC", "Soft Actor-Critic (SB3)")
    add.learner("td3", "adversarl_sb3.td3:TD3", "Twin Delayed DDPG (SB3)")
    add.curriculum("adversary", "adversarl_sb3.adversary:Adversary", "A second policy proposes conditions (SB3 PPO)")
    add.exporter("onnx", "adversarl_sb3.onnx_exporter:Onnx", "Deterministic actor as ONNX", extra="adversarl-sb3[onnx]")


@hookimpl
def adversarl_benchmarks(app: typer.Typer) -> None:
    """Adds ``adversarl bench adversary``."""
    from adversarl_sb3.adversary_command import add_adversary

    add_adversary(app)
