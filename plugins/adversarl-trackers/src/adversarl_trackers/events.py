"""TensorBoard event files, written without a learning framework."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2, summary_v2
from tensorboard.plugins.hparams.metadata import SESSION_END_INFO_TAG, create_summary_metadata
from tensorboard.plugins.text import metadata as text_metadata
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util.tensor_util import make_tensor_proto


class Events:
    """One event file of a folder.

    Args:
        folder: Where TensorBoard looks.
        first_step: What an interrupted process wrote at this step [environment steps] or later is void.
    """

    def __init__(self, folder: Path, first_step: int) -> None:
        self._writer = EventFileWriter(str(folder))
        # TensorBoard drops all older events from this step on: what happened between checkpoint and crash is repeated.
        self._add(Event(session_log=SessionLog(status=SessionLog.START)), first_step)

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Writes one point for each tag."""
        # As simple values, not tensors: every reader of event files knows them and drops the void ones.
        self._summary([Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()], step)

    def text(self, tag: str, markdown: str, step: int) -> None:
        """Writes a text in Markdown."""
        metadata = text_metadata.create_summary_metadata(display_name=None, description="")
        self._summary([_value(tag, markdown.encode(), metadata)], step)

    def image(self, tag: str, encoded: bytes, size: tuple[int, ...], step: int) -> None:
        """Writes a picture or film of a (height, width) [pixel] as a browser knows it, such as PNG or animated GIF."""
        height, width = size
        image = Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=encoded)
        self._summary([Summary.Value(tag=tag, image=image)], step)

    def begin(self, hyperparameters: Mapping[str, bool | float | str], name: str) -> None:
        """Names the hyperparameters of this run, for comparison between runs."""
        self._add(Event(summary=_proto(summary_v2.hparams_pb(dict(hyperparameters), trial_id=name))), 0)

    def end(self, metrics: Mapping[str, float], step: int) -> None:
        """Says that the run succeeded, and which scalars it is compared by."""
        described = [summary_v2.Metric(tag) for tag in metrics]
        self._add(Event(summary=_proto(summary_v2.hparams_config_pb([], described))), 0)
        self.scalars(metrics, step)
        ended = plugin_data_pb2.SessionEndInfo(status=api_pb2.STATUS_SUCCESS, end_time_secs=time.time())
        metadata = create_summary_metadata(plugin_data_pb2.HParamsPluginData(session_end_info=ended))
        self._summary([_value(SESSION_END_INFO_TAG, np.float32(0), metadata)], step)

    def flush(self) -> None:
        """Puts everything on disk."""
        self._writer.flush()

    def close(self) -> None:
        """Puts everything on disk and stops."""
        self._writer.close()

    def _summary(self, values: list[Summary.Value], step: int) -> None:
        self._add(Event(summary=Summary(value=values)), step)

    def _add(self, event: Event, step: int) -> None:
        event.step = step
        event.wall_time = time.time()
        self._writer.add_event(event)


def _value(tag: str, content: np.float32 | bytes, metadata: SummaryMetadata) -> Summary.Value:
    return Summary.Value(tag=tag, tensor=make_tensor_proto(content), metadata=metadata)


def _proto(summary: Summary) -> Summary:
    return Summary.FromString(summary.SerializeToString())
