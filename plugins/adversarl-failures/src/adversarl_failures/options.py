"""Keys that the classifiers have which blame conditions."""

from __future__ import annotations

from pydantic import Field, model_validator

from adversarl.interfaces.failure import FailureOptions


class BlameOptions(FailureOptions):
    """Keys of ``[failure]`` tables whose component blames conditions."""

    window: int = Field(800, ge=20, description="Most recent episodes that failure modes are looked for in.")
    rolling: int = Field(100, ge=1, description="Most recent episodes, and clean episodes, of the rolling success.")
    alpha: float = Field(
        0.05, gt=0, lt=0.5, description="Probability that a report blames anything where no condition matters."
    )
    max_modes: int = Field(6, ge=1, description="Most failure modes of a report.")
    change_episodes: int = Field(50, ge=10, description="Newest episodes compared with those before to find a change.")
    change_alpha: float = Field(0.002, gt=0, lt=0.5, description="Share of reports that find a change where none is.")

    @model_validator(mode="after")
    def _within_the_window(self) -> BlameOptions:
        if max(self.rolling, 2 * self.change_episodes) > self.window:
            raise ValueError("window must hold rolling, and change_episodes twice. Raise window, or lower those")
        return self
