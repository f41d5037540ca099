"""hebbite's native engine without its counts (`benchmarks.speed.uncounted`); choices as `native`.

``HEBBITE_CACHE`` must name a folder that no engine with counts keeps its machine code in.
"""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.peers.protocol import serve
from benchmarks.speed.uncounted import install

if __name__ == "__main__":
    install(Path(os.environ["HEBBITE_CACHE"]) / "sources")
    from benchmarks.peers.native import Native

    serve(Native)
