"""One thread for linear algebra while credit is measured.

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
