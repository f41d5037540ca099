"""Jobs done one by one or side by side, and not at all where the outcome is known.

In: jobs of a kind (trainings, calibrations), a number of processes, perhaps a store. Out: what they
came to, in order. The parent alone reads and writes the store, a job as soon as it is finished,
whatever order they finish in. Ctrl-C ends the processes at once; what was finished is kept. Each of
several processes keeps to one processor.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import active_children, get_context
from typing import Generic, TypeVar

from threadpoolctl import threadpool_limits

from hebbite.rules.errors import EngineError, Problem
from hebbite.runtime.jobs import JobStore
from hebbite.runtime.trial import Outcome, Trial, from_stored, key_of, run_trial, stored_form

Say = Callable[[str], None]
Count = Callable[[str, int, int], None]
"""Called with the noun of jobs, how many are finished and how many there are."""
Job = TypeVar("Job")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Kind(Generic[Job, Result]):
    """What is known of a kind of job.

    noun    what remarks call them
    run     does one, in any process
    key     the sha256 of everything that decides the result
    keep    the result as text
    read    a result back from the text of a job; raises ValueError, TypeError, LookupError or
            ArithmeticError if it is none
    tell    one line about a job that was done
    """

    noun: str
    run: Callable[[Job], Result]
    key: Callable[[Job], str]
    keep: Callable[[Result], str]
    read: Callable[[Job, str], Result]
    tell: Callable[[Job, Result], str]


def all_outcomes(
    trials: Sequence[Trial],
    jobs: int,
    store: JobStore | None,
    *,
    fresh: bool,
    progress: Say | None,
    note: Say | None,
    count: Count | None = None,
) -> list[Outcome]:
    """Return the outcome of every trial, in order; see `compare`."""
    kind = Kind("jobs", run_trial, key_of, stored_form, from_stored, _told)
    return all_results(
        kind, trials, jobs, store, fresh=fresh, progress=progress, note=note, count=count
    )


def _told(trial: Trial, outcome: Outcome) -> str:
    return f"{trial.model.rule}, seed {trial.training.seed}: {outcome.after:.4f}"


def all_results(
    kind: Kind[Job, Result],
    work: Sequence[Job],
    jobs: int,
    store: JobStore | None,
    *,
    fresh: bool,
    progress: Say | None,
    note: Say | None,
    count: Count | None = None,
) -> list[Result]:
    """Return the result of every job, in order.

    Raises:
        EngineError: HB0607 if a process of ``jobs`` died.
        InputFileError: HB0716 if the store holds what was no result of a job.
    """
    keys = [kind.key(job) for job in work] if store is not None else []
    found = {} if store is None or fresh else _finished(kind, work, keys, store)
    if found and note is not None:
        note(f"{len(found)} of {len(work)} {kind.noun} were finished before")
    left = {index: job for index, job in enumerate(work) if index not in found}
    if count is not None:
        count(kind.noun, len(found), len(work))
    for index, result in _done(kind.run, left, jobs):
        if store is not None:
            store.put(keys[index], kind.keep(result))
        if progress is not None:
            progress(kind.tell(work[index], result))
        found[index] = result
        if count is not None:
            count(kind.noun, len(found), len(work))
    return [found[index] for index in range(len(work))]


def _finished(
    kind: Kind[Job, Result], work: Sequence[Job], keys: Sequence[str], store: JobStore
) -> dict[int, Result]:
    """Return what the store knows, by the number of the job."""
    found: dict[int, Result] = {}
    for index, (job, key) in enumerate(zip(work, keys, strict=True)):
        text = store.get(key)
        if text is None:
            continue
        try:
            found[index] = kind.read(job, text)
        except (ValueError, TypeError, LookupError, ArithmeticError) as error:
            raise store.damaged(key) from error
    return found


def _done(
    run: Callable[[Job], Result], work: Mapping[int, Job], jobs: int
) -> Iterator[tuple[int, Result]]:
    """Yield number and result of every job, as they are finished."""
    if jobs == 1 or len(work) < 2:
        yield from ((index, run(job)) for index, job in work.items())
        return
    before = {*active_children()}
    with _interrupts_ignored():  # what is started now ignores them, too
        pool = ProcessPoolExecutor(
            min(jobs, len(work)), mp_context=get_context("spawn"), initializer=_begin
        )
        waiting = {pool.submit(run, job): index for index, job in work.items()}
    try:
        for future in as_completed(waiting):
            yield waiting[future], future.result()
    except BrokenProcessPool as error:
        what = "a process that trained died; the system may have been short of memory"
        raise EngineError(Problem("HB0607", what, hint="--jobs 1")) from error
    except KeyboardInterrupt:
        for process in {*active_children()} - before:
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin() -> None:
    """Leave interrupts to the parent, and keep to one processor: the others have their own jobs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["HEBBITE_THREADS"] = "1"
    threadpool_limits(limits=1)


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Ignore Ctrl-C for a moment, if that is ours to decide."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
