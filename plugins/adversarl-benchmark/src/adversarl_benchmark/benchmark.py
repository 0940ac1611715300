"""A benchmark: conditions times seeds, trained and judged on a held-out suite; what is there already is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from adversarl.errors import AdversarlError
from adversarl.plugins import Plugins
from adversarl.recipe import Recipe, read_toml
from adversarl_benchmark.collect import TABLE, evaluation_of, facts_of, oracle_facts, rows_of, update_table
from adversarl_benchmark.conditions import ORACLE, WARM_START, Condition, share_warm_start
from adversarl_benchmark.heldout import HeldOut, HeldOutFile, HeldOutFileOptions
from adversarl_benchmark.jobs import Job, Watch, run_jobs
from adversarl_benchmark.plan import Plan

TEACHER = "teacher"
MAY_DIFFER = {"checkpoint_every"}
"""Keys of ``[run]`` that change nothing in a run."""


class Benchmark:
    """One benchmark folder.

    Args:
        folder: Where it lies.
        plan: What it is about.
        plugins: What is installed.

    Raises:
        AdversarlError: A recipe cannot be used, or the suite is not a held-out one.
    """

    def __init__(self, folder: Path, plan: Plan, plugins: Plugins) -> None:
        self.folder, self.plan, self.plugins = folder, plan, plugins
        self.suite = held_out_suite(plan.suite, plugins, episodes=plan.episodes)
        self.spec = self.suite.spec
        self.recipes = {one.name: one.load(plugins.registry, plan.common) for one in plan.conditions}
        """Recipe of every condition, with seed 0."""
        self._check_runs()

    def run(self, condition: str, seed: int) -> Path:
        """The run folder of a condition and a seed."""
        return self.folder / "runs" / f"{condition}-{seed}"

    @property
    def runs(self) -> Iterator[tuple[Condition, int, Path]]:
        """Every condition, seed and run folder, seeds outermost, so that a benchmark that is cut is paired."""
        for seed in self.plan.seeds:
            for condition in sorted(self.plan.conditions, key=lambda one: one.name != WARM_START):
                yield condition, seed, self.run(condition.name, seed)

    def _check_runs(self) -> None:
        """Raises AdversarlError for a run that was trained otherwise than its condition says."""
        for condition, seed, folder in self.runs:
            if not (folder / "recipe.toml").exists():
                continue
            wanted = condition.load(self.plugins.registry, self.plan.common, seed).resolved()
            stored = read_toml(folder / "recipe.toml")
            for table, keys in wanted.items():
                for key in sorted({*keys, *stored.get(table, {})} - MAY_DIFFER):
                    if stored.get(table, {}).get(key) != keys.get(key):
                        told = f"[{table}] {key} = {stored.get(table, {}).get(key)!r}, not {keys.get(key)!r}"
                        advice = "Move it away, or choose another folder with --out"
                        raise AdversarlError(f"{folder} was trained with {told}. {advice}")

    def jobs(self) -> list[Job]:
        """Everything that has to be done, what comes first first."""
        jobs = [job for condition, seed, folder in self.runs for job in self._of(condition, seed, folder)]
        return [*jobs, *self._oracle()]

    def _of(self, condition: Condition, seed: int, folder: Path) -> Iterator[Job]:
        warm = self._warm_start(condition, seed)
        yield Job(
            f"train {folder.name}",
            lambda: self._train(condition, seed, folder, warm),
            self._log(folder.name),
            lambda: (folder / "summary.json").exists(),
            (f"train {warm.name}",) if warm else (),
            folder,
        )
        yield Job(
            f"evaluate {folder.name}",
            lambda: self._evaluate(folder),
            self._log(f"{folder.name}-evaluation"),
            lambda: self._evaluation(folder) is not None,
            (f"train {folder.name}",),
        )

    def _warm_start(self, condition: Condition, seed: int) -> Path | None:
        """The run whose warm start a condition begins from: the control's, where that is the same."""
        control = next((one for one in self.plan.conditions if one.name == WARM_START), None)
        if control is None or condition.name == WARM_START:
            return None
        alike = share_warm_start(self.recipes[condition.name], self.recipes[WARM_START])
        return self.run(WARM_START, seed) if alike else None

    def _train(self, condition: Condition, seed: int, folder: Path, warm: Path | None) -> list[str]:
        command = condition.command(self.plan.common, seed, folder)
        if (folder / "recipe.toml").exists():
            return [*command, "--resume"]
        return [*command, *(["--warm-start", str(warm)] if warm else [])]

    def _evaluate(self, folder: Path, *more: str) -> list[str]:
        # A run evaluates a part of the suite while it trains; this is the whole of it.
        component, own = suite_words(self.plan.suite)
        whole = ("curves=[]", "intensities=[]", f"episodes={self.plan.episodes}", *own)
        changes = [word for change in whole for word in ("--set", change)]
        return ["evaluate", str(folder), "--suite", component, *changes, "--json", *more]

    def _oracle(self) -> Iterator[Job]:
        """The scripted expert plays in the world of the first warm start, or of the first run."""
        folder = self.oracle_run
        if folder is not None:
            yield Job(
                f"evaluate {ORACLE}",
                lambda: self._evaluate(folder, "--teacher"),
                self._log(ORACLE),
                lambda: self._evaluation(folder, TEACHER) is not None,
                (f"evaluate {folder.name}",),
            )

    @property
    def oracle_run(self) -> Path | None:
        """In whose world the scripted expert plays; None where no controls are run."""
        controls = any(one.kind == "control" for one in self.plan.conditions)
        return next((folder for _, _, folder in self.runs), None) if controls else None

    def _evaluation(self, folder: Path, player: str = "") -> dict[str, Any] | None:
        return evaluation_of(folder, suite_words(self.plan.suite)[0], self.plan.episodes, player)

    def _log(self, name: str) -> Path:
        return self.folder / "logs" / f"{name}.log"

    def work(self, at_once: int, watch: Watch, stop_requested: Callable[[], bool]) -> bool:
        """Runs what is missing; see `run_jobs`."""
        return run_jobs(self.jobs(), at_once, watch, stop_requested)

    def collect(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Brings the results table up to date; returns its rows, and the facts of every run that is judged."""
        rows: list[dict[str, Any]] = []
        facts: list[dict[str, Any]] = []
        with closing(self._world()) as world:
            for condition, seed, folder in self.runs:
                evaluation = self._evaluation(folder)
                if evaluation is not None:
                    rows += rows_of(condition.name, condition.kind, seed, self.spec.name, evaluation)
                    recipe = self.recipes[condition.name]
                    facts.append(facts_of(condition, seed, folder, recipe, self.spec, world))
        played = self._evaluation(self.oracle_run, TEACHER) if self.oracle_run else None
        if played is not None:
            rows += rows_of(ORACLE, "control", 0, self.spec.name, {**played, "env_steps": 0})
            facts.append(oracle_facts())
        return update_table(self.folder / TABLE, rows), facts

    def _world(self) -> Any:
        last = next(reversed(self.recipes.values()))
        return last["backend"].make().make(seed=0, num_envs=1)


def suite_words(suite: str) -> tuple[str, tuple[str, ...]]:
    """The component of a suite, and ``key=value`` of its options; a TOML file is a suite of one's own."""
    return ("held-out", (f"file={Path(suite).resolve()}",)) if suite.endswith(".toml") else (suite, ())


def held_out_suite(name: str, plugins: Plugins, **options: Any) -> HeldOut:
    """A suite that knows what training may not meet, by its name or from its file.

    Raises:
        AdversarlError: It is another kind of suite.
    """
    if name.endswith(".toml"):
        return HeldOutFile(HeldOutFileOptions(file=name, **options))
    suite = plugins.registry.get("suite", name, "--suite").load()
    if not issubclass(suite, HeldOut):
        suites = [one for one in plugins.registry.all() if one.kind == "suite"]
        known = [one.name for one in suites if issubclass(one.load(), HeldOut)]
        raise AdversarlError(f"the suite '{name}' holds nothing out from training. There is: {', '.join(known)}")
    made: HeldOut = suite(suite.Options(**options))
    return made


def common_changes(suite: HeldOut, recipe: Recipe, given: Sequence[str], name: str) -> tuple[str, ...]:
    """What the benchmark changes in every recipe, and after it what the user changes.

    The world is the one that the suite leaves to training. While they train, runs are judged on a part of the suite,
    for curves of sample efficiency; nothing is chosen by it.
    """
    world = [f"backend.{key}={_toml(value)}" for key, value in suite.spec.training.items()]
    component, own = suite_words(name)
    part = (
        f"evaluation.suite={component}",
        *(f"evaluation.{one}" for one in own),
        'evaluation.curves=["mixed"]',
        "evaluation.intensities=[0.0, 0.25, 0.5]",
    )
    steps = max(1, recipe.run.total_steps // 4)
    return (*world, *part, "evaluation.episodes=16", f"run.evaluate_every={steps}", *given)


def _toml(value: Any) -> str:
    import tomli_w

    return tomli_w.dumps({"x": value}).partition("=")[2].strip()


def watched(running: Mapping[str, Job]) -> dict[str, str]:
    """What each running job says last."""
    return {name: _last_line(job.log) for name, job in running.items()}


def _last_line(log: Path) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 2000))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.split("|")[0].strip() for line in reversed(lines) if line.strip()), "")
