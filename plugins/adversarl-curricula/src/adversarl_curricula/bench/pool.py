"""Runs of the benchmark in processes, one for each core; what is finished is written down at once."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from adversarl.errors import AdversarlError
from adversarl.runs import read_json, write_json
from adversarl_curricula.bench.cell import Outcome, run_cell

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
OnResult = Callable[[int, int], None]


class ForeignResults(AdversarlError):
    """A results file that was made with other settings."""

    def __init__(self, path: Path, key: str, old: object, new: object) -> None:
        super().__init__(
            f"{path}: was made with {key} = {old}, not {new}. Choose another file with --out, or delete it"
        )


class Book:
    """The results so far, kept in a file where one is given.

    Args:
        path: The file; None keeps nothing.
        settings: What all runs have in common, JSON-ready; a file with other settings is refused.

    Raises:
        ForeignResults: The file was made with other settings.
    """

    def __init__(self, path: Path | None, settings: Mapping[str, Any]) -> None:
        self.path, self.settings = path, dict(settings)
        self.rows: list[dict[str, Any]] = []
        if path is not None and path.exists():
            known = read_json(path)
            for key, value in self.settings.items():
                if known["settings"].get(key) != value:
                    raise ForeignResults(path, key, known["settings"].get(key), value)
            self.rows = known["runs"]

    def __contains__(self, run: tuple[str, int]) -> bool:
        return any((row["curriculum"], row["seed"]) == run for row in self.rows)

    def add(self, outcome: Outcome) -> None:
        """Takes a result down."""
        self.rows.append(outcome.to_json())
        self.write()

    def write(self, **more: Any) -> None:
        """Writes the file, with more keys beside settings and runs."""
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            rows = sorted(self.rows, key=lambda row: (row["seed"], row["curriculum"]))
            write_json(self.path, {"settings": self.settings, **more, "runs": rows})


def fill(
    book: Book, curricula: Mapping[str, Mapping[str, Any]], seeds: Sequence[int], workers: int, on_result: OnResult
) -> None:
    """Makes the runs that the book lacks, seed by seed, so that an interrupted benchmark has whole comparisons.

    Args:
        book: Where results go.
        curricula: Name → table.
        seeds: Root seeds.
        workers: Processes; 0 runs everything in this one.
        on_result: Called with (finished, total).

    Raises:
        KeyboardInterrupt: Ctrl-C; runs that were under way are finished and kept first.
    """
    runs = [(name, seed) for seed in seeds for name in curricula]
    missing = [run for run in runs if run not in book]
    on_result(len(runs) - len(missing), len(runs))
    tasks = [(name, curricula[name], seed, book.settings["steps"], book.settings["judged"]) for name, seed in missing]
    for done, outcome in enumerate(_outcomes(tasks, workers, book), 1):
        if outcome is not None:
            book.add(outcome)
        on_result(len(runs) - len(missing) + done, len(runs))


def _outcomes(tasks: Sequence[tuple[Any, ...]], workers: int, book: Book) -> Iterator[Outcome | None]:
    if not workers:
        yield from (run_cell(*task) for task in tasks)
        return
    with _one_thread(), _pool(workers) as pool:
        futures: list[Future[Outcome]] = [pool.submit(run_cell, *task) for task in tasks]
        taken = set[Future[Outcome]]()
        try:
            for future in as_completed(futures):
                taken.add(future)
                yield future.result()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            _keep(book, [f for f in futures if f not in taken])
            raise


def _keep(book: Book, futures: Sequence[Future[Outcome]]) -> None:
    """Takes down what was finished while the pool was shut down."""
    for future in futures:
        if future.done() and not future.cancelled() and future.exception() is None:
            book.add(future.result())


def _pool(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _begin_worker)


def _begin_worker() -> None:
    """Leaves Ctrl-C to the parent, and ends with it however it ends: an executor's processes would outlive a kill."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Lets processes begun within use one thread for linear algebra and PyTorch."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
