from __future__ import annotations

import json
import sys

import pytest

RANDOM = """
import numpy as np
from adversarl import hookimpl
from adversarl.builtin.point_mass import PointMass
from adversarl.builtin.point_mass_world import PointMassWorld
from adversarl.errors import NoGL

class Restless(PointMassWorld):
    '''Forgets its seed.'''

    def reset(self, *, seed=None, options=None):
        return super().reset(seed=[int(s) for s in np.random.default_rng().integers(2**31, size=self.num_envs)])

class Deaf(PointMassWorld):
    '''Has one scene.'''

    def reset(self, *, seed=None, options=None):
        return super().reset(seed=[0] * self.num_envs)

class RestlessBackend(PointMass):
    def make(self, *, seed, num_envs=None):
        return Restless(2, seed=seed)

class DeafBackend(PointMass):
    def make(self, *, seed, num_envs=None):
        return Deaf(2, seed=seed)

class Blind(PointMass):
    def make(self, *, seed, num_envs=None):
        raise NoGL("egl", "no device")

@hookimpl
def adversarl_register(add):
    for name, cls in (("restless", "RestlessBackend"), ("deaf", "DeafBackend"), ("blind", "Blind")):
        add.backend(name, f"{__name__}:{cls}", "Wrong.")

@hookimpl
def adversarl_doctor(check):
    check("weather", True, "sunny")
"""


@pytest.fixture
def findings(adversarl, write):
    def findings(backend):
        done = adversarl("doctor", "--backend", backend, "--json", "--plugin", write(RANDOM, "worlds.py"))
        return done.code, {row["check"]: row for row in json.loads(done.out)}

    yield findings
    sys.modules.pop("adversarl_file_worlds", None)


def test_a_sound_installation_has_no_fault(findings):
    code, found = findings("point-mass")
    assert found["adversarl"]["ok"]
    assert found["point-mass determinism"]["detail"].startswith("two runs with one seed agree (")
    assert found["point-mass seeding"]["detail"] == "another seed gives another scene"
    assert found["weather"] == {"check": "weather", "ok": True, "detail": "sunny"}
    assert code == (not all(row["ok"] for row in found.values()))


def test_a_plugin_whose_examination_fails_is_a_finding(adversarl, write):
    source = "from adversarl import hookimpl\n@hookimpl\ndef adversarl_doctor(check):\n    1 / 0\n"
    done = adversarl("doctor", "--backend", "point-mass", "--json", "--plugin", write(source, "sick.py"))
    assert done.code == 1
    found = {row["check"]: row["detail"] for row in json.loads(done.out)}
    assert found["plugin adversarl_file_sick"] == "its examination fails: division by zero"


def test_a_world_that_forgets_its_seed_is_found(findings):
    code, found = findings("restless")
    assert code == 1
    assert not found["restless determinism"]["ok"]
    assert found["restless determinism"]["detail"].startswith("two runs with one seed differ. Report it")


def test_a_world_that_has_one_scene_is_found(findings):
    code, found = findings("deaf")
    assert code == 1
    assert found["deaf seeding"]["detail"] == "the seed changes nothing. Report it"


def test_a_world_that_cannot_be_made_says_what_to_do(findings):
    code, found = findings("blind")
    assert code == 1
    assert found["backend blind"]["detail"].startswith("no OpenGL context with MUJOCO_GL=egl: no device.")


def test_a_table_for_people(adversarl):
    out = adversarl("doctor", "--backend", "point-mass").out
    assert "python" in out
    assert "ok" in out
