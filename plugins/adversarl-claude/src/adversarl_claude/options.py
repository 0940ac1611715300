"""How Claude is reached, and what it may cost."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from adversarl_claude.prices import Price, price_of

Effort = Literal["default", "low", "medium", "high", "xhigh", "max"]


class ServiceOptions(BaseModel):
    """Keys that everything that asks Claude has."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    model: str = Field("claude-sonnet-5-5", description="Name of the model, as Anthropic's API takes it.")
    effort: Effort = Field(
        "default",
        description="How much the model thinks before it answers. default sends nothing, which every model accepts.",
    )
    max_tokens: int = Field(
        16_000,
        ge=256,
        le=21_000,
        description="Most tokens of an answer, thinking included; bounds what one call costs.",
    )
    timeout_s: float = Field(
        300.0, gt=0, description="Time limit of one attempt [s]; an answer comes in one piece, after all thinking."
    )
    deadline_s: float = Field(900.0, gt=0, description="Time limit of a call with all its retries and waits [s].")
    max_retries: int = Field(
        4,
        ge=0,
        le=20,
        description="Further attempts after a rate limit, an overload, a server error or a lost connection.",
    )
    base_url: str | None = Field(
        None, description="Address of another service that speaks the Messages API; ANTHROPIC_BASE_URL does the same."
    )
    max_cost_usd: float = Field(5.0, gt=0, description="What all calls of a run may cost at most [USD].")
    usd_per_million_input: float | None = Field(
        None, ge=0, description="Price of a million input tokens [USD]; for models without a known price."
    )
    usd_per_million_output: float | None = Field(
        None, ge=0, description="Price of a million output tokens [USD]; for models without a known price."
    )
    cache_write_factor: float | None = Field(
        None, ge=0, description="Price of writing an input token to the cache, in prices of an input token [1]."
    )
    cache_read_factor: float | None = Field(
        None, ge=0, description="Price of reading an input token from the cache, in prices of an input token [1]."
    )

    @model_validator(mode="after")
    def _priced(self) -> ServiceOptions:
        self.price()
        return self

    def price(self) -> Price:
        """What tokens cost.

        Raises:
            ValueError: The model's price is not known and the options do not give it.
        """
        given: dict[str, Any] = {
            "input": self.usd_per_million_input,
            "output": self.usd_per_million_output,
            "write_factor": self.cache_write_factor,
            "read_factor": self.cache_read_factor,
        }
        return price_of(self.model, {name: value for name, value in given.items() if value is not None})


class EpisodicOptions(ServiceOptions):
    """Keys of what asks between episodes, without waiting."""

    apply_after: int | None = Field(
        None,
        ge=1,
        description="Use an answer exactly so many episodes after it was asked for, waiting for it if it is late, so "
        "that a run can be repeated. Default: when it arrives, without ever waiting.",
    )
