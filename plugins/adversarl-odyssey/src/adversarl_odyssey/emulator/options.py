"""What the emulator does, and which limits it keeps."""

from __future__ import annotations

import secrets
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

LONGEST_KEY = 512
Edge = Annotated[int, Field(ge=16, le=1920, multiple_of=2)]
"""Of a picture; encoders want even ones [pixel]."""


def make_key() -> str:
    """A key of the form that the service gives out."""
    return f"ody_{secrets.token_hex(16)}"


class EmulatorOptions(BaseModel):
    """Options of the emulator; a limit of 0 is none."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(0, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    key: str = Field(
        default_factory=make_key,
        min_length=1,
        max_length=LONGEST_KEY,
        repr=False,
        description="The key that is accepted; default: a new one.",
    )
    size: tuple[Edge, Edge] = Field((352, 640), description="Height and width of wide pictures [pixel].")
    fps: float = Field(20.0, gt=0, le=60, description="Pictures per second.")
    max_streams: int = Field(5, ge=1, le=64, description="Streams at once; further clients wait in the queue (503).")
    concurrent: int = Field(0, ge=0, description="Sessions that the account may have at once (429).")
    monthly_hours: float = Field(0.0, ge=0, description="Hours of streams that the account has [h].")
    max_stream_s: float = Field(300.0, ge=0, description="A stream is ended when it is so old [s].")
    claim_s: float = Field(60.0, ge=0, description="A session that nobody connects to is cleaned up after so long [s].")
    idle_s: float = Field(900.0, ge=0, description="A connection without a stream is ended after so long [s].")
    linger_s: float = Field(
        0.0, ge=0, description="A session whose client left without goodbye counts for so long [s]."
    )
    token_s: float = Field(600.0, gt=0, description="How long tokens are valid [s].")
    faults: tuple[str, ...] = Field((), description="Faults to begin with, as NAME or NAME=VALUE.")
    task: str = Field("pick", description="Task of the MuJoCo world that draws the pictures.")
