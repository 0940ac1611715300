"""``adversarl suites``: what it prints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.markup import escape

from adversarl.cli.output import console, print_json, table
from adversarl.errors import AdversarlError
from adversarl.plugins import Plugins
from adversarl_benchmark.benchmark import held_out_suite
from adversarl_benchmark.heldout import HeldOut, HeldOutFile


def list_suites(plugins: Plugins, *, as_json: bool) -> None:
    """Prints every held-out suite that needs no file."""
    suites = [one for one in plugins.registry.all() if one.kind == "suite"]
    held_out = [one for one in suites if issubclass(one.load(), HeldOut) and not issubclass(one.load(), HeldOutFile)]
    specs = [held_out_suite(one.name, plugins).spec for one in held_out]
    if as_json:
        print_json([{"name": spec.name, "home": spec.home, "summary": spec.summary} for spec in specs])
        return
    rows = [[spec.name, spec.home, str(len(spec.labels)), spec.summary] for spec in specs]
    console.print(table("", ["suite", "backend", "curves", "summary"], rows))


def show_suite(name: str, plugins: Plugins, render: Path | None, *, as_json: bool) -> None:
    """Prints one suite, and draws its scenes if asked to.

    Raises:
        AdversarlError: There is no such held-out suite.
    """
    suite = held_out_suite(name, plugins)
    spec = suite.spec
    if render is not None:
        _render(suite, plugins, render)
    if as_json:
        print_json(spec.model_dump(mode="json"))
        return
    console.print(f"[bold]{spec.name}[/]: {spec.summary}. Intensities {', '.join(map(str, spec.intensities))}")
    rows = []
    for curve in spec.curves:
        axes = [*curve.each, *spec.together(curve)]
        what = "\n".join(prompt.text for prompt in curve.prompts) or ", ".join(axes)
        how = "each alone" if curve.each else "in turn" if curve.prompts else "all at once"
        new = spec.unseen_axes.intersection(axes)
        seen = "new values" if not new else "new axes" if len(new) == len(axes) else "new values and axes"
        rows.append([curve.name or f"{len(curve.each)} curves", how, what, "new words" if curve.prompts else seen])
    console.print(table("", ["curve", "how", "axes or sentences", "held out"], rows))
    for curve in spec.curves:
        if curve.world:
            console.print(f"{curve.name} is drawn with {_keys(curve.world)}.", highlight=False, markup=False)
    console.print(f"Every cell is played with {_keys(spec.world)}.", highlight=False, markup=False)
    rule = f"Every run has to be trained with {_keys(spec.training)}, without the new axes and words."
    console.print(rule, highlight=False, markup=False)


def _keys(table: Mapping[str, Any]) -> str:
    return ", ".join(f"backend.{key} = {value!r}" for key, value in table.items())


def _render(suite: HeldOut, plugins: Plugins, path: Path) -> None:
    from adversarl.recipe import parse_recipe
    from adversarl_benchmark.frames import suite_frames
    from adversarl_benchmark.markdown import contact_sheet
    from adversarl_benchmark.page import frame_rows

    tables = {"backend": {"use": suite.spec.home}, "learner": {"use": "random-search"}}
    recipe = parse_recipe(tables, plugins.registry, "suites show")
    sentences = [prompt.text for curve in suite.spec.curves for prompt in curve.prompts]
    frames, notes = suite_frames(recipe, suite.cells((), 0), sentences=sentences)
    for note in notes:
        console.print(f"[yellow]{escape(note)}[/]")
    picture = contact_sheet(frame_rows(frames, suite.spec.labels))
    assert picture is not None, "a suite has at least one curve"
    try:
        picture.save(path)
    except OSError as error:
        raise AdversarlError(f"{path} cannot be written: {error.strerror}. Name another file") from None
    console.print(f"wrote {path}", highlight=False, soft_wrap=True)
