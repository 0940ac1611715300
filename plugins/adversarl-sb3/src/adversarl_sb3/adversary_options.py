"""Options of the `adversary` curriculum."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from adversarl.interfaces.curriculum import CurriculumOptions
from adversarl_sb3.adversary_scores import Objective


class AdversaryOptions(CurriculumOptions):
    """Keys of a ``[curriculum]`` table with ``use = "adversary"``."""

    objective: Objective = Field(
        "regret",
        description="What it is rewarded for: regret (what the antagonist solves and the policy does not), "
        "learnability p(1-p), or minimax (failure), an ablation that is drawn to the impossible. The antagonist is the "
        "policy of the run that `antagonist` names, else the scripted teacher.",
    )
    axes: tuple[str, ...] = Field((), description="Names of the axes to choose from; empty means all of the world's.")
    step: Literal[5, 10, 20, 25, 50] = Field(10, description="Distance between two intensities [percent].")
    onsets: tuple[float, ...] = Field(
        (0.0, 0.25, 0.5),
        min_length=1,
        description="Onsets to choose from, in [0, 1), as shares of the time that a success usually takes; with 0.",
    )
    proposal_repeats: int = Field(
        2, ge=1, le=50, description="Episodes of each proposal, from whose outcomes its reward is estimated."
    )
    uniform_share: float = Field(
        0.2, ge=0, le=1, description="Share of proposals drawn uniformly, so that nothing is forgotten."
    )
    n_steps: int = Field(16, ge=2, le=65536, description="Finished proposals between two updates.")
    batch_size: int = Field(16, ge=2, le=65536, description="Proposals a gradient step; a divisor of n_steps.")
    n_epochs: int = Field(10, ge=1, le=100, description="Passes over the proposals of an update.")
    learning_rate: float = Field(1e-2, gt=0, le=1, description="Step size of Adam.")
    clip_range: float = Field(0.2, gt=0, le=1, description="Largest change of a proposal's probability ratio.")
    ent_coef: float = Field(0.01, ge=0, le=1, description="Weight of the entropy bonus.")
    hidden: int = Field(32, ge=4, le=1024, description="Units of each of the two hidden layers.")

    @model_validator(mode="after")
    def _consistent(self) -> AdversaryOptions:
        if self.objective == "learnability" and self.proposal_repeats < 2:
            raise ValueError("learnability cannot be told from one episode. Raise proposal_repeats to 2 or more")
        if self.n_steps % self.batch_size:
            raise ValueError(f"batch_size must divide n_steps = {self.n_steps}. Lower it, or change n_steps")
        if 0 not in self.onsets or not all(0 <= onset < 1 for onset in self.onsets):
            raise ValueError("onsets must lie in [0, 1) and contain 0, for axes that only act at a reset. Add it")
        return self
