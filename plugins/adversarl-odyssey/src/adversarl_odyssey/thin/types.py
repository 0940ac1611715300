"""What the client takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class AdvancedConfig:
    """Settings of connecting.

    Attributes:
        max_retries: How often opening a connection is tried again.
        initial_retry_delay_ms: Pause before the second attempt [ms].
        max_retry_delay_ms: Longest pause [ms].
        retry_backoff_multiplier: By how much each pause is longer than the one before.
        queue_timeout_s: How long to wait until a machine is free [s].
    """

    max_retries: int = 5
    initial_retry_delay_ms: int = 1000
    max_retry_delay_ms: int = 2000
    retry_backoff_multiplier: float = 2.0
    queue_timeout_s: float = 30

    def pause_s(self, attempt: int) -> float:
        """Pause after an attempt, the first of which is 0 [s]."""
        pause_ms = self.initial_retry_delay_ms * self.retry_backoff_multiplier**attempt
        return min(pause_ms, self.max_retry_delay_ms) / 1000


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """A picture.

    Attributes:
        data: RGB. Shape (height, width, 3).
        width: [pixel].
        height: [pixel].
        timestamp_ms: When it is to be shown, by the stream's clock [ms].
    """

    data: NDArray[np.uint8]
    width: int
    height: int
    timestamp_ms: int


class ConnectionStatus(StrEnum):
    """Where a client stands."""

    AUTHENTICATING = "authenticating"
    CONNECTING = "connecting"
    RECONNECTING = "reconnecting"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StreamerCapabilities:
    """What the machine of a session can do: whether streams may begin with a picture."""

    image_to_video: bool = False


@dataclass(frozen=True, slots=True)
class BroadcastInfo:
    """Where spectators of a broadcast find it."""

    hls_url: str | None
    webrtc_url: str
    spectator_token: str


class SimulationJobStatus(StrEnum):
    """How far a job is."""

    PENDING = "pending"
    DISPATCHED = "dispatched"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Recording:
    """Where the video of a stream is; the addresses are good for a while only."""

    stream_id: str
    video_url: str | None = None
    events_url: str | None = None
    thumbnail_url: str | None = None
    preview_url: str | None = None
    frame_count: int | None = None
    duration_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class SimulationStream(Recording):
    """What a script of a job became."""

    script_index: int = 0


@dataclass(frozen=True, slots=True)
class StreamRecordingInfo:
    """One line of the list of recordings; times in ISO 8601."""

    stream_id: str
    width: int
    height: int
    started_at: str
    ended_at: str | None = None
    duration_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class StreamRecordingsList:
    """A page of the list of recordings."""

    recordings: list[StreamRecordingInfo]
    total: int
    limit: int
    offset: int


@dataclass(frozen=True, slots=True)
class SimulationJobInfo:
    """One line of the list of jobs; times in ISO 8601."""

    job_id: str
    status: SimulationJobStatus
    priority: str = "normal"
    created_at: str = ""
    completed_at: str | None = None
    error_message: str | None = None


@dataclass(frozen=True, slots=True)
class SimulationJobDetail:
    """All about a job; times in ISO 8601."""

    job_id: str
    status: SimulationJobStatus
    priority: str
    created_at: str
    dispatched_at: str | None = None
    started_at: str | None = None
    completed_at: str | None = None
    error_message: str | None = None
    assigned_region: str | None = None
    retry_count: int = 0
    streams: list[SimulationStream] = field(default_factory=list)
    estimated_wait_minutes: float | None = None


@dataclass(frozen=True, slots=True)
class SimulationJobsList:
    """A page of the list of jobs."""

    jobs: list[SimulationJobInfo]
    total: int
    limit: int
    offset: int


T = TypeVar("T")


def read(kind: type[T], data: Mapping[str, Any], **given: object) -> T:
    """A dataclass from what the service sent; what is unknown here is left out.

    Raises:
        KeyError: Something is missing.
    """
    values = {item.name: data[item.name] for item in fields(kind) if item.name in data}  # type: ignore[arg-type]
    if isinstance(values.get("status"), str):
        values["status"] = SimulationJobStatus(values["status"])
    try:
        return kind(**{**values, **given})
    except TypeError as error:
        raise KeyError(f"the answer lacks something: {error}") from error
