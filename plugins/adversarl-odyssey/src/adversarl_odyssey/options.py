"""Keys that the backends of Odyssey share."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from adversarl.interfaces.backend import BackendOptions

ClientKind = Literal["auto", "sdk", "thin"]


class ServiceOptions(BackendOptions):
    """How to reach the service, and what it may cost."""

    num_envs: int = Field(2, ge=1, le=64, description="Number of environments; each has a stream of its own.")
    api_url: str | None = Field(
        None, description="Address of the service; default: the variable ODYSSEY_API_URL, else Odyssey's own."
    )
    client: ClientKind = Field(
        "auto",
        description="sdk (Odyssey's own package), thin (ours, for emulators on this machine) or auto: the SDK where it "
        "is installed, else ours if the address is this machine's.",
    )
    scene: str = Field(
        "A wooden table in a workshop in daylight, seen from the front. A white robot arm with a gripper reaches down "
        "from behind the table. A red cube lies in the middle of the table. Nothing else moves.",
        min_length=1,
        description="The prompt that every stream starts with.",
    )
    portrait: bool = Field(False, description="Whether streams are upright (704 x 1280) instead of wide (1280 x 704).")
    price_usd_per_hour: float = Field(
        2.0, ge=0, description="Price of one hour of one stream [USD]; the vendor's material says 1 to 2."
    )
    max_cost_usd: float = Field(
        5.0,
        ge=0,
        description="Once streams have cost so much [USD], the run saves and stops; resume with more to go on.",
    )
    max_streams: int = Field(5, ge=1, description="Streams that the account may have at once; the free plan has 5.")
    max_stream_s: float = Field(
        300.0, gt=0, description="Streams are renewed before they are so old [s]; the service ends them at a limit."
    )
    idle_s: float = Field(
        30.0, gt=0, description="A stream from which nobody took a picture for so long [s] is ended, since it costs."
    )
    frame_timeout_s: float = Field(
        5.0, gt=0, description="How long a step waits for a new picture before the stream counts as stuck [s]."
    )
    connect_timeout_s: float = Field(
        60.0,
        gt=0,
        description="How long connecting, waiting in the queue included, and starting a stream may take [s].",
    )
    retries: int = Field(6, ge=0, description="How often one disturbance is retried, with growing pauses.")
    record: str | None = Field(
        None, description="Folder in which to keep every picture that is used, for playback. It must not exist yet."
    )
    playback: str | None = Field(
        None, description="Folder that `record` wrote: its pictures are used instead of a stream; needs no key."
    )
