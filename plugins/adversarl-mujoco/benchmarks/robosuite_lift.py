"""Steps/s of robosuite's Lift with a Panda, 84x84 pixels, one process: what `adversarl bench` is compared with.

robosuite pins other versions of MuJoCo and mink, so it has an environment of its own::

    python -m venv rs && rs/bin/pip install robosuite==1.5.2 "mujoco<3.4"
    MUJOCO_GL=egl taskset -c 0 rs/bin/python robosuite_lift.py
"""

import json
import time

import numpy as np
import robosuite

SECONDS = 10.0


def main() -> None:
    """Steps with random actions for a while and prints JSON."""
    env = robosuite.make(
        "Lift",
        robots="Panda",
        has_renderer=False,
        has_offscreen_renderer=True,
        use_camera_obs=True,
        use_object_obs=False,
        camera_names="agentview",
        camera_heights=84,
        camera_widths=84,
        control_freq=20,
        horizon=100,
    )
    rng = np.random.default_rng(0)
    low, high = env.action_spec
    env.reset()
    seconds, steps = 0.0, 0
    while seconds < SECONDS:
        begun = time.perf_counter()
        *_, done, _ = env.step(rng.uniform(low, high))
        seconds += time.perf_counter() - begun
        steps += 1
        if done:
            env.reset()  # not counted: it compiles the model anew
    result = {"robosuite": robosuite.__version__, "steps_per_second": steps / seconds}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
