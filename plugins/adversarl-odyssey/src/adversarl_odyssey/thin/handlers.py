"""Functions of the user that are told what happens."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from adversarl_odyssey.thin.types import BroadcastInfo, ConnectionStatus, VideoFrame

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Handlers:
    """The functions that `Odyssey.connect` takes; they are called in its event loop and must not block.

    Like the SDK 1.3.0, the client never calls `on_disconnected`: a connection that is lost is told by `on_error` with
    True, or only by `on_status_change` where the service closes it normally.
    """

    on_connected: Callable[[], object] | None = None
    on_disconnected: Callable[[], object] | None = None
    on_video_frame: Callable[[VideoFrame], object] | None = None
    on_stream_started: Callable[[str], object] | None = None
    on_stream_ended: Callable[[], object] | None = None
    on_interact_acknowledged: Callable[[str], object] | None = None
    on_broadcast_ready: Callable[[BroadcastInfo], object] | None = None
    on_stream_error: Callable[[str, str], object] | None = None
    on_error: Callable[[Exception, bool], object] | None = None
    on_status_change: Callable[[ConnectionStatus, str | None], object] | None = None
    _blamed: set[str] = field(default_factory=set, init=False, repr=False)

    def call(self, name: str, *values: object) -> None:
        """Calls a function; its exceptions are logged and told to `on_error`, once each, and stop nothing."""
        function: Callable[..., object] | None = getattr(self, name)
        try:
            if function is not None:
                function(*values)
        except Exception as error:
            if name not in self._blamed:
                self._blamed.add(name)
                logger.exception("The function %s raised; this is told once", name)
                if name != "on_error":
                    self.call("on_error", error, False)
