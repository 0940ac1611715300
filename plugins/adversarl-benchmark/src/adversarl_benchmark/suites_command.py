"""``adversarl suites``: what it prints."""

from __future__ import annotations

from pathlib import Path

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
        keys = ", ".join(f"{key} = {value}" for key, value in {**spec.world, **curve.world}.items())
        what = [prompt.text for prompt in curve.prompts] or [*curve.each, *spec.together(curve)]
        kind = "each alone" if curve.each else "in turn" if curve.prompts else "all at once"
        seen = "never trained on" if curve.unseen else "" if curve.prompts else "other values than in training"
        rows.append([curve.name or f"{len(curve.each)} curves", kind, "\n".join(what), seen, keys])
    console.print(table("", ["curve", "how", "axes or sentences", "held out", "[backend]"], rows))
    trained = ", ".join(f"backend.{key} = {value!r}" for key, value in spec.training.items())
    console.print(f"Every run has to be trained with {trained}, without its sentences.", highlight=False)


def _render(suite: HeldOut, plugins: Plugins, path: Path) -> None:
    from adversarl.recipe import parse_recipe
    from adversarl_benchmark.frames import sheet

    tables = {"backend": {"use": suite.spec.home}, "learner": {"use": "random-search"}}
    recipe = parse_recipe(tables, plugins.registry, "suites show")
    try:
        sheet(suite, recipe).save(path)
    except OSError as error:
        raise AdversarlError(f"{path} cannot be written: {error.strerror}. Name another file") from None
    console.print(f"wrote {path}", highlight=False, soft_wrap=True)
