"""Energy and time beside SANA-FE: the same networks, placements, spikes and constants.

    python3.11 -m venv FOLDER && FOLDER/bin/pip install sanafe
    HEBBITE_SANAFE_PYTHON=FOLDER/bin/python python -m benchmarks.sanafe

Random networks of LIF neurons (matrices, lists, convolutions) stand on the cores of a Loihi, are
run by the native engine and, written as SANA-FE's files, by SANA-FE (J. A. Boyle et al., IEEE TCAD
2025, doi 10.1109/TCAD.2025.3537971) in a process and an environment of its own. Every spike and
every count of events must be the same. Then counts by core x the profile are compared with what
SANA-FE says: synapse, soma, network and total energy, and the time of its model ``simple``, of the
run and of the worst step. The table shows relative differences; ``host`` is the share of the
network's energy that SANA-FE alone charges, for lines that are neurons there; ``detailed`` our time
with nothing overlapped / that of SANA-FE's model ``detailed``, which also queues messages.

Exit status: 0; 1 where energies differ by more than 1e-9 or times by more than 1e-6, or the two
sides do not simulate the same; 2 where the variable is not set.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from itertools import product
from pathlib import Path

from benchmarks.markdown import table, write_marked
from benchmarks.sanafe.compare import VARIABLE, Comparison, Failed, compared
from benchmarks.sanafe.networks import NETWORKS, Network, network

from hebbite.runtime.energy import load_profile

COLUMNS = ("synapse", "soma", "network", "total", "seconds")
HEAD = ("network", "cores", "spikes", "synops", *COLUMNS, "step", "host", "detailed")


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare what is asked for; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prog="sanafe"
    )
    parser.add_argument("--networks", nargs="*", default=list(NETWORKS), choices=list(NETWORKS))
    parser.add_argument("--seeds", type=int, default=1, help="placed networks of each kind")
    parser.add_argument("--profile", default="loihi1-sanafe2025")
    parser.add_argument("--bundled", action="store_true", help="on SANA-FE's own loihi.yaml")
    parser.add_argument("--tables", type=Path, help="write the table into this page")
    parser.add_argument("--json", type=Path, help="write everything that was found")
    chosen = parser.parse_args(arguments)
    python = os.environ.get(VARIABLE)
    if not python:
        print(f"set {VARIABLE} to the interpreter that has SANA-FE", file=sys.stderr)
        return 2
    profile, rows, lines = load_profile(chosen.profile), [], []
    print(line(HEAD), flush=True)
    for name, seed, near in product(chosen.networks, range(chosen.seeds), (False, True)):
        made = network(name, seed=seed, near=near)
        try:
            found = compared(made, profile, python, bundled=chosen.bundled)
        except Failed as problem:
            print(f"{name}: {problem}", file=sys.stderr)
            return 1
        rows.append(
            {
                **asdict(found),
                "agrees": found.agrees,
                "seed": seed,
                "near": near,
                "cores": cores_in_use(made),
            }
        )
        lines.append(cells(found, near=near, cores=cores_in_use(made)))
        print(line(lines[-1]), flush=True)
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    if chosen.tables:
        write_marked(chosen.tables, {"sanafe": table(HEAD, lines)})
    return int(not all(row["agrees"] for row in rows))


def cells(found: Comparison, *, near: bool, cores: int) -> list[str]:
    """Return a row of the table."""
    values = [*(found.differences[name] for name in COLUMNS), found.step]
    share = found.host / found.theirs["network"] if found.theirs["network"] else 0.0
    return [
        f"{found.name}{', near' * near}",
        str(cores),
        str(found.counts["fired"]),
        str(found.counts["synaptic_events"]),
        *(f"{value:.1e}" for value in values),
        f"{share:.1%}",
        f"{found.detailed:.2f}",
    ]


def line(texts: Sequence[str]) -> str:
    """Return a row of the table as it is printed."""
    return f"{texts[0]:20}" + "".join(f"{text:>10}" for text in texts[1:])


def cores_in_use(made: Network) -> int:
    """Return how many cores hold neurons."""
    return len({core for p in made.program.populations for core in p.cores})


if __name__ == "__main__":
    sys.exit(main())
