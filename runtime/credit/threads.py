"""One thread for linear algebra: while credit is measured, and in processes side by side.

The matrices are small, so more threads wait more than they work, above all beside other processes;
and a sum that is split over threads has other last bits than one that is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold the libraries behind NumPy's matrix products to one thread."""
    with threadpool_limits(limits=1, user_api="blas"):
        yield


def settle_on_one_thread() -> None:
    """Hold all numerical libraries of this process to one thread, from now on."""
    threadpool_limits(limits=1)
