"""What tests of live streams share."""

import contextlib
import time

from adversarl_odyssey.live import LiveSource
from adversarl_odyssey.options import ServiceOptions

SCENE = ServiceOptions.model_fields["scene"].default
DARK = "The room is almost dark."
NIGHT = 110.0
"""The mean of pictures is below it in the dark, and above it otherwise."""


@contextlib.contextmanager
def opener():
    """Gives ``open_source(**options)``, which opens live streams; closes them at the end."""
    with contextlib.ExitStack() as stack:

        def start(num_envs=1, size=48, **options):
            options = {"client": "thin", "frame_timeout_s": 4.0, "connect_timeout_s": 20.0, **options}
            source = LiveSource(ServiceOptions(num_envs=num_envs, **options), num_envs, size)
            stack.callback(source.close)
            return source

        yield start


def begin(source, env=0, restart=True):
    """Begins an episode; gives its first picture."""
    source.begin(env, SCENE, restart=restart)
    return source.show(env, fresh=True)


def until(condition, seconds=20.0):
    """Waits until something is so; says whether it is."""
    end = time.monotonic() + seconds
    while not (done := condition()) and time.monotonic() < end:
        time.sleep(0.02)
    return done


def show_until(source, condition, seconds=20.0):
    """Shows until a picture has what is looked for."""
    end = time.monotonic() + seconds
    while not condition(shown := source.show(0, fresh=True)):
        assert time.monotonic() < end
    return shown
