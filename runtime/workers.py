"""Trials done one by one or side by side, and not at all where the outcome is known.

In: trials, a number of processes, perhaps a store. Out: their outcomes, in order. The parent alone
reads and writes the store, a job as soon as it is finished, whatever order they finish in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from hebbite.rules.errors import EngineError, Problem
from hebbite.runtime.jobs import JobStore
from hebbite.runtime.trial import Outcome, Trial, from_stored, key_of, run_trial, stored_form

Say = Callable[[str], None]


def all_outcomes(
    trials: Sequence[Trial],
    jobs: int,
    store: JobStore | None,
    *,
    fresh: bool,
    progress: Say | None,
    note: Say | None,
) -> list[Outcome]:
    """Return the outcome of every trial, in order; see `compare`."""
    keys = [key_of(trial) for trial in trials] if store is not None else []
    found = {} if store is None or fresh else _finished(trials, keys, store)
    if found and note is not None:
        note(f"{len(found)} of {len(trials)} jobs were finished before")
    work = {index: trial for index, trial in enumerate(trials) if index not in found}
    for index, outcome in _done(work, jobs):
        if store is not None:
            store.put(keys[index], stored_form(outcome))
        if progress is not None:
            trial = trials[index]
            progress(f"{trial.model.rule}, seed {trial.training.seed}: {outcome.after:.4f}")
        found[index] = outcome
    return [found[index] for index in range(len(trials))]


def _finished(trials: Sequence[Trial], keys: Sequence[str], store: JobStore) -> dict[int, Outcome]:
    """Return what the store knows, by the number of the trial."""
    found: dict[int, Outcome] = {}
    for index, (trial, key) in enumerate(zip(trials, keys, strict=True)):
        text = store.get(key)
        if text is None:
            continue
        try:
            found[index] = from_stored(trial, text)
        except (ValueError, TypeError, LookupError, ArithmeticError) as error:
            raise store.damaged(key) from error
    return found


def _done(work: Mapping[int, Trial], jobs: int) -> Iterator[tuple[int, Outcome]]:
    """Yield number and outcome of every trial, as they are finished."""
    if jobs == 1 or len(work) < 2:
        yield from ((index, run_trial(trial)) for index, trial in work.items())
        return
    pool = ProcessPoolExecutor(min(jobs, len(work)), mp_context=get_context("spawn"))
    try:
        waiting = {pool.submit(run_trial, trial): index for index, trial in work.items()}
        for future in as_completed(waiting):
            yield waiting[future], future.result()
    except BrokenProcessPool as error:
        what = "a process that trained died; the system may have been short of memory"
        raise EngineError(Problem("HB0607", what, hint="--jobs 1")) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
