"""Which core each part of a program stands on, so that its messages take few hops.

A part is what one core holds: some neurons of a population. In: how many messages each part sends
to each other one (`traffic`). Parts are divided among chips (`chips`), then settled on the tiles of
every chip (`tiles`); `linear` and `scattered` are what that is compared with (`report`).

Everything is integers and Philox, so a program is placed alike by every Python and NumPy. That is
why no graph library divides the parts: where costs tie, as those of equal rates do, the bisection
that networkx finds changes with its version.
"""

from __future__ import annotations

from hebbite.compiler.layout.cost import Cost
from hebbite.compiler.layout.report import PlacementReport, placement_report
from hebbite.compiler.layout.traffic import Messages

__all__ = ["Cost", "Messages", "PlacementReport", "placement_report"]
