"""How many lamps there are, how surfaces shine under them, and whether they cast shadows."""

from __future__ import annotations

import numpy as np

from adversarl.types import Axis, Perturbation
from adversarl_mujoco.axes.base import Draws, WorldAxis, sign
from adversarl_mujoco.axes.stage import LIGHTS, Stage
from adversarl_mujoco.scene import LAMPS

LAMP_DIFFUSE = 0.1
SHININESS = (0.08, 0.2)
"""Range of what is drawn: wide highlights, which boxes of few triangles can show."""


class LightCount(WorldAxis):
    """Switches lamps on or off, one after the other, without a jump. Value: ``more`` or ``fewer``."""

    spec = Axis(
        name="light-count",
        group="visual",
        summary="More lamps are lit above the table, or fewer.",
        unit="lamps",
        nominal=f"{len(LIGHTS)}",
        bound=f"{len(LIGHTS) + LAMPS}, the new ones in drawn places, or 0",
        source="ours, after THE COLOSSEUM (arXiv:2402.08191), which varies the scene's lights",
        phrase="change the number of lights",
    )
    names = ("more", "fewer")
    things = tuple((start, start + 1, start + 2) for start in range(1, 1 + 3 * LAMPS, 3))

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Lights the share `intensity` of all lamps that wait, or puts it out: the scene's own, then fill and key."""
        i = perturbation.intensity
        if not i:
            return
        if sign(perturbation.value, "more", "fewer", u[0]) < 0:
            lights = [*stage.others, *(stage.lights[name] for name in reversed(LIGHTS))]
            for turn, light in enumerate(lights):
                left = 1 - min(1.0, max(0.0, len(lights) * i - turn))
                stage.light_diffuse[light] *= left
                stage.light_specular[light] *= left
            return
        for turn, light in enumerate(stage.lamps):
            _hang(stage, light, u[1 + 3 * turn :])
            lit = min(1.0, max(0.0, LAMPS * i - turn))
            stage.light_active[light] = lit > 0
            stage.light_diffuse[light] = LAMP_DIFFUSE * lit
            stage.light_specular[light] = LAMP_DIFFUSE * lit


def _hang(stage: Stage, light: int, u: Draws) -> None:
    """Puts a lamp somewhere above the table, aimed at its middle."""
    position = stage.light_pos[light]
    position[:] = (1.4 * u[0] - 0.5, 2.4 * u[1] - 1.2, stage.table_height + 1.1 + 0.7 * u[2])
    beam = np.array([0.0, 0.0, stage.table_height]) - position
    stage.light_dir[light] = beam / np.linalg.norm(beam)


class LightSpecular(WorldAxis):
    """Glossy surfaces under lamps with highlights. Value: ``dull`` for matte ones, or ``shiny``.

    Nominal surfaces are almost matte, so that ``dull`` is hardly seen; without a value surfaces are shiny.
    """

    spec = Axis(
        name="light-specular",
        group="visual",
        summary="Surfaces shine, or are matte.",
        unit="specular reflectance, of lamps and materials",
        nominal="lamps 0.3, materials 0.15",
        bound="both 1, or both 0",
        source="robosuite DomainRandomizationWrapper varies it by 0.1; ours goes to the ends of the scale",
        phrase="change the specular highlights",
    )
    names = ("shiny", "dull")

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Moves specular terms by intensity towards 1, where highlights also widen, or towards 0."""
        i, shiny = perturbation.intensity, perturbation.value != "dull"
        if not i:
            return
        lights = [*(stage.lights[name] for name in LIGHTS), *stage.others]
        stage.light_specular[lights] += i * (float(shiny) - stage.light_specular[lights])
        stage.mat_specular += np.float32(i) * (np.float32(shiny) - stage.mat_specular)
        if shiny:
            width = np.float32(SHININESS[0] + u[0] * (SHININESS[1] - SHININESS[0]))
            stage.mat_shininess += np.float32(i) * (width - stage.mat_shininess)


class Shadow(WorldAxis):
    """A hard shadow: a part of the key light moves to a twin that casts one, and what fills shadows fades."""

    spec = Axis(
        name="shadow",
        group="visual",
        summary="Hard shadows of the key light.",
        unit="share of the key light that casts a shadow",
        nominal="0 %",
        bound="100 %, other light x 0.4",
        source="ours; shadows are off by default because they dominate the cost of a frame",
        phrase="cast hard shadows",
    )

    def apply(self, stage: Stage, perturbation: Perturbation, u: Draws) -> None:
        """Splits the key light; continuous from no shadow to a hard one."""
        del u
        i = perturbation.intensity
        if not i:
            return
        key, fill, sun = stage.lights["key"], stage.lights["fill"], stage.lights["sun"]
        stage.shadows = True
        stage.light_castshadow[key] = False
        stage.light_active[sun] = True
        stage.light_pos[sun], stage.light_dir[sun] = stage.light_pos[key], stage.light_dir[key]
        stage.light_diffuse[sun] = i * (1 + 0.6 * i) * stage.light_diffuse[key]
        stage.light_specular[sun] = i * stage.light_specular[key]
        stage.light_diffuse[key] *= 1 - i
        stage.light_specular[key] *= 1 - i
        for filling in (stage.light_diffuse[fill], stage.ambient, stage.headlight):
            filling *= 1 - 0.6 * i
        stage.light_diffuse[stage.others] *= 1 - 0.6 * i
