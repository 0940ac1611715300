"""Registers the curricula; imports nothing heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adversarl import hookimpl

if TYPE_CHECKING:
    import typer

    from adversarl.registry import Registrar


@hookimpl
def adversarl_register(add: Registrar) -> None:
    """Names the components."""
    for name, target, summary in (
        ("adr", "adr:Adr", "Automatic domain randomization: ranges that grow with success (Akkaya et al. 2019)"),
        ("learnability", "learnability:Learnability", "A bandit on p(1 - p) of each axis and intensity"),
        ("mix", "mix:Mix", "Several curricula, each with its share of the episodes"),
        ("plr", "plr:Plr", "Robust prioritized level replay (Jiang et al. 2021)"),
        ("progressive", "progressive:Progressive", "Stages from nominal over mild and strong to mixed"),
        ("random-prompts", "random_prompts:RandomPrompts", "Prompts drawn at random: the control of every comparison"),
        ("replay", "replay:Replay", "The prompts of an earlier run, from its curriculum.jsonl"),
        ("rules", "rules:Rules", "Failure modes to prompts, laddered to stay learnable"),
        ("sequence", "sequence:Sequence", "Several curricula, one after the other"),
        ("static", "static:Static", "Prompts from a fixed list, unchanged in an episode"),
        ("uniform", "uniform:Uniform", "Hand-coded domain randomization at every reset"),
    ):
        add.curriculum(name, f"adversarl_curricula.{target}", summary)


@hookimpl
def adversarl_benchmarks(app: typer.Typer) -> None:
    """Adds ``adversarl bench curricula``."""
    from adversarl_curricula.command import add_curricula

    add_curricula(app)
