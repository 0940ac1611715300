"""What every task's table may say: its target, when it counts as solved, and what its reward is made of."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from adversarl_mujoco.timing import CONTROL_FREQUENCY

_FROZEN = ConfigDict(extra="forbid", frozen=True)


class Criteria(BaseModel):
    """Table ``success``: when a task counts as solved, and how long an episode may last."""

    model_config = _FROZEN
    grasp_stability: float = Field(
        0.0, ge=0, le=1, description="Least share of control steps since the first grasp with contact kept [1]."
    )
    hold: float = Field(0.0, ge=0, le=60, description="How long the condition must be met without a break [s].")
    time_limit: float = Field(5.0, gt=0, le=600, description="Time limit of an episode [s].")


class Weights(BaseModel):
    """Table ``reward``: weights of its terms; see `adversarl_mujoco.tasks.shaped.ShapedTask`."""

    model_config = _FROZEN
    success: float = Field(2.0, ge=0, le=1000, description="Paid when the task is solved.")
    time_bonus: float = Field(0.0, ge=0, le=1000, description="Paid at success, times the share of time left.")
    step_cost: float = Field(0.01, ge=0, le=10, description="Charged every control step.")


class TaskOptions(BaseModel):
    """A task's table; subclasses give ``type`` a `Literal` and narrow ``success`` and ``reward``."""

    model_config = _FROZEN
    type: str
    target: str | None = Field(None, description="Object that the task is about; the first that can move if left out.")
    success: Criteria = Field(Criteria(), description="When the task counts as solved.")
    reward: Weights = Field(Weights(), description="Weights of the reward's terms.")

    @property
    def max_episode_steps(self) -> int:
        """The time limit [control steps]."""
        return max(1, round(self.success.time_limit * CONTROL_FREQUENCY))
