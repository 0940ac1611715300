from __future__ import annotations

import os
import pickle
import re
import subprocess
import sys

import pytest
from adversarl_mujoco.backend import Mujoco

from adversarl.errors import PerturbationError
from adversarl.testing import check_backend


def test_the_backend_keeps_every_promise_of_the_contract():
    task = {"type": "pick", "success": {"time_limit": 2.0}}
    check_backend(Mujoco, Mujoco.Options(num_envs=2, image_size=48, threads=2, task=task))


def test_chosen_axes_are_the_only_ones_offered(open_world):
    world = open_world(1, axes=("hue", "shadow"))
    assert [axis.name for axis in world.axes] == ["hue", "shadow"]
    assert world.ground("paint the table green").not_understood


def test_an_unknown_axis_gets_the_nearest_name():
    with pytest.raises(PerturbationError, match=re.escape("no axis 'shadows'. Did you mean 'shadow'?")):
        Mujoco(Mujoco.Options(axes=("shadows",))).make(seed=0)


def test_the_bare_loop_counts_frames():
    assert Mujoco(Mujoco.Options(image_size=32)).reference_loop(0.05) > 0


def test_a_backend_survives_pickling():
    backend = pickle.loads(pickle.dumps(Mujoco(Mujoco.Options(num_envs=3))))
    assert backend.options.num_envs == 3


def run_without_gl(name):
    """What a fresh interpreter says when the backend is loaded and used under another MUJOCO_GL."""
    code = (
        "from adversarl.registry import Component\n"
        "from adversarl.errors import AdversarlError\n"
        "try:\n"
        "    backend = Component('backend', 'mujoco', 'adversarl_mujoco.backend:Mujoco', '', 'x').load()\n"
        "    backend(backend.Options(num_envs=1)).make(seed=0)\n"
        "except AdversarlError as error:\n"
        "    print(type(error).__name__, error)\n"
    )
    environment = {key: value for key, value in os.environ.items() if key != "PYOPENGL_PLATFORM"}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**environment, "MUJOCO_GL": name}, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_a_gl_backend_that_does_not_exist_is_named():
    said = run_without_gl("bogus")
    assert said.startswith("NoGL no OpenGL context with MUJOCO_GL=bogus: there is no such backend; known are egl")
    assert "apt-get install -y libegl1" in said


def test_a_gl_backend_without_libraries_or_display_gives_the_cause():
    said = run_without_gl("glfw" if not os.environ.get("DISPLAY") else "osmesa")
    assert said.startswith("NoGL no OpenGL context with MUJOCO_GL=")
    assert "Headless Linux: apt-get install" in said


def test_doctor_names_what_each_renderer_draws_with():
    from adversarl_mujoco.doctor import examine

    findings = {}
    examine(lambda name, ok, detail: findings.update({name: (ok, detail)}))
    assert all(ok for ok, _ in findings.values()), findings
    assert "software" in findings["OpenGL renderer"][1] or "hardware" in findings["OpenGL renderer"][1]
    assert findings["renderer classic"][1].startswith("works: 84x84")
    missing = "optional, does not work: backend.renderer = 'pbr' needs Vulkan"
    assert findings["renderer pbr"][1].startswith(missing if "Vulkan device" not in findings else "works: 84x84")


def test_a_missing_vulkan_is_a_hint_of_the_doctor_and_no_fault():
    code = "from adversarl_mujoco.doctor import examine\nexamine(lambda *finding: print(*finding))\n"
    environment = os.environ | {"VK_ICD_FILENAMES": "nothing.json", "VK_DRIVER_FILES": "nothing.json"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert "renderer pbr True optional, does not work: backend.renderer = 'pbr' needs Vulkan" in done.stdout
    assert "apt-get install -y mesa-vulkan-drivers libvulkan1" in done.stdout
    assert "False" not in done.stdout


def test_triton_is_loaded_before_the_first_context_since_its_llvm_and_that_of_mesa_quarrel(tmp_path):
    (tmp_path / "triton.py").write_text("from adversarl_mujoco import gl\nfound = gl.current_context()\n")
    program = (
        "from adversarl_mujoco.backend import Mujoco\nimport sys\n"
        "assert 'triton' not in sys.modules\n"
        "world = Mujoco(Mujoco.Options(num_envs=1, image_size=16)).make(seed=0)\n"
        "import triton\nassert triton.found is None, triton.found\nworld.close()\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
