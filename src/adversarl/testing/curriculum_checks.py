"""Checks of curriculum strategies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from copy import deepcopy

import numpy as np

from adversarl.errors import PerturbationError
from adversarl.interfaces.curriculum import CurriculumOptions, CurriculumStrategy, Slot
from adversarl.metrics import wilson
from adversarl.testing.fakes import about, make_episodes, make_world
from adversarl.testing.kit import conformance, demand
from adversarl.types import Axis, FailureMode, FailureReport, Proposal

EPISODES = 120


def _make(cls: type[CurriculumStrategy], options: CurriculumOptions, seed: int = 0) -> CurriculumStrategy:
    return cls(options, about(make_world()), np.random.default_rng(seed))


def _report(axes: Sequence[Axis], episodes: int) -> FailureReport:
    """A report that blames another axis every ten episodes."""
    axis = axes[(episodes // 10) % len(axes)]
    mode = FailureMode(axis.name, None, (0.2, 0.8), wilson(3, 12), 0.5, f"fails when asked to {axis.phrase}")
    return FailureReport(episodes, wilson(60, 100), wilson(45, 50), (mode,), changed=episodes % 20 == 0)


def _drive(curriculum: CurriculumStrategy, start: int, count: int) -> list[tuple[Proposal, ...]]:
    """Runs the loop's side of the conversation for some episodes; returns what was proposed."""
    axes = curriculum.world.axes
    proposed = []
    for episode in make_episodes(count, axes, seed=start, start=start, fragile=axes[0].name):
        slot = Slot(episode.env, episode.index, episode.env_steps)
        proposed.append(tuple(curriculum.propose(slot, _report(axes, episode.index))))
        curriculum.observe(episode)
    return proposed


@conformance("curriculum")
def a_world_without_a_report_is_enough(cls: type[CurriculumStrategy], options: CurriculumOptions) -> None:
    """The first episodes begin before there is any evidence."""
    empty = FailureReport(0, wilson(0, 0), wilson(0, 0))
    proposals = _make(cls, options).propose(Slot(0, 0, 0), empty)
    well_made = isinstance(proposals, Sequence) and all(isinstance(p, Proposal) for p in proposals)
    demand(well_made, f"propose() returned {proposals!r}", "Return a sequence of Proposal, empty for a nominal episode")


@conformance("curriculum")
def proposals_say_what_and_why(cls: type[CurriculumStrategy], options: CurriculumOptions) -> None:
    """Each has a text, a reason, and times that lie in the episode."""
    curriculum = _make(cls, options)
    limit = curriculum.world.max_episode_steps
    for proposal in sum(_drive(curriculum, 0, EPISODES), ()):
        demand(
            proposal.text.strip(), f"{proposal} has no text", "Say what the world should do, also for `perturbations`"
        )
        demand(proposal.why.strip(), f'"{proposal.text}" has no reason', "Fill in `why`: it is shown live and logged")
        demand(
            0 <= proposal.onset < limit and (proposal.duration is None or proposal.duration >= 1),
            f'"{proposal.text}" has onset {proposal.onset} and duration {proposal.duration} of {limit} steps',
            "Choose 0 <= onset < world.max_episode_steps and duration >= 1, or None",
        )


@conformance("curriculum")
def the_world_understands_every_proposal(cls: type[CurriculumStrategy], options: CurriculumOptions) -> None:
    """Prompts ground completely, and ready-made perturbations are possible."""
    world = make_world()
    for proposal in sum(_drive(_make(cls, options), 0, EPISODES), ()):
        perturbations = proposal.perturbations
        if perturbations is None:
            grounding = world.ground(proposal.text)
            demand(
                grounding.complete,
                f'"{proposal.text}" was not understood: {list(grounding.not_understood) or "it asks for nothing"}',
                "Build prompts from axis.phrase of world.axes and `at N %`",
            )
            perturbations = grounding.perturbations
        try:
            world.perturb([0], [perturbations])
        except PerturbationError as error:
            demand(False, f'"{proposal.text}" is impossible: {error}', "Use axes and targets of world.axes")


@conformance("curriculum")
def all_randomness_comes_from_the_generator(cls: type[CurriculumStrategy], options: CurriculumOptions) -> None:
    """The same generator gives the same proposals."""
    first, second = (_drive(_make(cls, options), 0, EPISODES) for _ in range(2))
    demand(first == second, "two identical curricula proposed different things", "Draw from self.rng alone")


@conformance("curriculum")
def a_resumed_curriculum_proposes_alike(cls: type[CurriculumStrategy], options: CurriculumOptions) -> None:
    """The state survives JSON, and a new curriculum with it goes on as the old one does."""
    first, second = _make(cls, options), _make(cls, options, seed=1)
    _drive(first, 0, EPISODES)
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    second.rng.bit_generator.state = deepcopy(first.rng.bit_generator.state)
    here, there = _drive(first, EPISODES, EPISODES), _drive(second, EPISODES, EPISODES)
    demand(here == there, "a resumed curriculum proposes other things", "Put all that matters into state_dict()")


@conformance("curriculum")
def a_refused_proposal_is_followed_by_another(cls: type[CurriculumStrategy], options: CurriculumOptions) -> None:
    """The guard may refuse; the same slot is then asked for again, and the episode that follows is observed."""
    curriculum = _make(cls, options)
    for episode in make_episodes(30, curriculum.world.axes):
        slot = Slot(episode.env, episode.index, episode.env_steps)
        report = _report(curriculum.world.axes, episode.index)
        for _ in range(2):
            curriculum.propose(slot, report)
            curriculum.refuse(slot)
        proposals = curriculum.propose(slot, report)
        well_made = isinstance(proposals, Sequence) and all(isinstance(p, Proposal) for p in proposals)
        demand(well_made, f"after a refusal propose() returned {proposals!r}", "Propose again, or return ()")
        curriculum.observe(episode)


@conformance("curriculum")
def a_curriculum_can_be_closed_at_any_time(cls: type[CurriculumStrategy], options: CurriculumOptions) -> None:
    """Also without a run, and twice."""
    curriculum = _make(cls, options)
    curriculum.close()
    curriculum.close()
