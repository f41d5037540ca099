"""``hebbite doctor``: what is installed, what is missing, and the one line that mends it."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import typer

from hebbite.runtime.cli import options
from hebbite.runtime.cli.list import engine_rows
from hebbite.runtime.cli.output import print_json

PACKAGES = (
    "hebbite",
    "numpy",
    "numba",
    "llvmlite",
    "onnx",
    "networkx",
    "safetensors",
    "typer",
    "rich",
    "jinja2",
    "lava-nc",
)


def doctor(as_json: options.Json = False, debug: options.Debug = False) -> None:
    """Show versions and engines, and how to mend what is missing."""
    report = {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": os.cpu_count() or 1,
        "packages": {name: _version(name) for name in PACKAGES},
        "engines": engine_rows(),
        "kernel_cache": _kernel_cache(),
        "joules": _joules(),
        "problems": _problems(),
    }
    if as_json:
        print_json(report)
        return
    typer.echo(f"Python {report['python']} on {report['platform']}, {report['cpus']} CPUs")
    for name in PACKAGES:
        typer.echo(f"{name:12} {_version(name) or 'not installed'}")
    for row in engine_rows():
        typer.echo(f"engine {row['name']:11} {row['runs here']}")
    typer.echo(f"kernels in   {_kernel_cache()}")
    typer.echo(f"joules of this computer: {_joules()}")
    for problem in _problems():
        typer.echo(f"to mend: {problem['what']}\n  hint: {problem['hint']}")


def _version(name: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _kernel_cache() -> str:
    """Return where compiled kernels are kept."""
    from hebbite.runtime.engines.native.store import cache_folder

    return str(cache_folder() or "nowhere: every process compiles for itself")


def _joules() -> str:
    """Return which counters `measure_cpu` reads, or why it measures nothing."""
    from hebbite.runtime.energy.powercap import POWERCAP, domains_of

    domains, reason = domains_of(POWERCAP)
    return f"not measured: {reason}" if reason else ", ".join(each.name for each in domains)


def _problems() -> list[dict[str, str]]:
    from hebbite.runtime.engines.lava.shim import PIP_LINE, lava_installed

    found = []
    if not lava_installed():
        found.append({"what": "Lava is not installed; native and reference work", "hint": PIP_LINE})
    if _version("hebbite") is None:
        found.append({"what": "hebbite runs from a folder", "hint": "pip install -e ."})
    root = Path(__file__).resolve().parents[2]
    if (root / "src" / "hebbite").is_dir():
        for name in ("compiler", "runtime", "rules"):
            link = root / "src" / "hebbite" / name
            if not (link / "__init__.py").is_file():
                hint = f"git config core.symlinks true && git checkout -- src/hebbite/{name}"
                found.append({"what": f"src/hebbite/{name} is no link to {name}/", "hint": hint})
    if _kernel_cache().startswith("nowhere"):
        hint = "export HEBBITE_CACHE=a folder that only you can write"
        found.append({"what": "compiled kernels cannot be kept", "hint": hint})
    return found
