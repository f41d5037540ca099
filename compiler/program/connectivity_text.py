"""The connectivity of a group as text, and back.

    sparse starts=@fc.starts targets=@fc.targets
    conv2d shape=[2, 8, 8] kernel=[3, 3] stride=[1, 1] padding=[0, 0, 0, 0] dilation=[1, 1] groups=1

Dense prints nothing.
"""

from __future__ import annotations

from hebbite.compiler.program.connectivity import Connectivity, Conv2d, Dense, Sparse
from hebbite.compiler.program.scanner import Scanner

CONV2D = {"shape": 3, "kernel": 2, "stride": 2, "padding": 4, "dilation": 2}
"""The lists of a convolution, in order, and how many integers each has."""


def print_connectivity(connect: Connectivity) -> str:
    """Return the text, with a space before it; '' for dense."""
    if isinstance(connect, Sparse):
        return f" sparse starts=@{connect.starts} targets=@{connect.targets}"
    if isinstance(connect, Conv2d):
        lists = "".join(f" {name}={list(getattr(connect, name))}" for name in CONV2D)
        return f" conv2d{lists} groups={connect.groups}"
    return ""


def scan_connectivity(scan: Scanner) -> Connectivity:
    """Take what `print_connectivity` returned; nothing is dense."""
    if scan.accept("sparse"):
        scan.expect("starts", "=")
        starts = scan.name("@")
        scan.expect("targets", "=")
        return Sparse(starts, scan.name("@"))
    if scan.accept("conv2d"):
        (channels, height, width), kernel, stride, padding, dilation = (
            _integers(scan, name, count) for name, count in CONV2D.items()
        )
        scan.expect("groups", "=")
        return Conv2d(
            (channels, height, width),
            (kernel[0], kernel[1]),
            (stride[0], stride[1]),
            (padding[0], padding[1], padding[2], padding[3]),
            (dilation[0], dilation[1]),
            scan.integer(),
        )
    return Dense()


def _integers(scan: Scanner, name: str, count: int) -> tuple[int, ...]:
    scan.expect(name, "=")
    found = scan.integers()
    if len(found) != count:
        raise scan.error(f"{count} integers in '{name}'", str(list(found)))
    return found
