"""The options of all verbs: one name, one meaning, one help text everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from hebbite.rules.errors import Problem, UsageError


def _later(parameter: typer.CallbackParam, value: object) -> object:
    """Refuse an option of the contract whose feature this version does not have (HB0150)."""
    if value:
        name = parameter.opts[0]
        what = f"{name} does nothing in this version of hebbite, so it is refused"
        raise UsageError(Problem("HB0150", what, hint=f"leave {name} out"))
    return value


def _hidden(name: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(name, hidden=True, callback=_later)
    return option


Model = Annotated[Path, typer.Argument(help=".onnx, or a graph text", show_default=False)]
File = Annotated[Path, typer.Argument(help="a compiled model, .hbt", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="print one JSON object on standard output")]
Debug = Annotated[bool, typer.Option("--debug", help="show the traceback of an unexpected error")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="show no progress")]
Rule = Annotated[
    str, typer.Option(help="a name, name(option=value, ...), 'dw = ...', or a file, my.rule")
]
Goal = Annotated[str, typer.Option("--objective", help="what learning improves")]
Target = Annotated[str, typer.Option(help="the chip")]
Neuron = Annotated[str, typer.Option(help="graded (integer payloads) or lif (spikes)")]
Encode = Annotated[str, typer.Option(help="coding of inputs: none or rate")]
Recurrent = Annotated[
    bool, typer.Option("--recurrent", help="random recurrent synapses of hidden LIF units")
]
Init = Annotated[str, typer.Option(help="weights at the start: keep those of the file, or random")]
Engine = Annotated[str, typer.Option(help="native (fast), reference (NumPy), lava, lava-fused")]
Rounding = Annotated[str, typer.Option(help="independent, or lava-exact (Lava bit for bit)")]
Seed = Annotated[int, typer.Option(help="of weights, feedback, order, rounding and split", min=0)]
AnySeed = Annotated[
    Optional[int],  # noqa: UP045 - typer reads the annotation on Python 3.10
    typer.Option("--seed", help="of order, rounding and split [default: the file's]", min=0),
]
Chips = Annotated[int, typer.Option(help="chips that the program may use")]
Order = Annotated[str, typer.Option(help="order of the cores: hops (messages take few), or linear")]
NoSplit = Annotated[bool, typer.Option("--no-split", help="keep every population on one core")]
Set = Annotated[
    list[str], typer.Option("--set", help="a further setting, name=integer", show_default=False)
]
Data = Annotated[
    str,
    typer.Option(
        help="digits, digits-parity, mnist, japanese-vowels, or an .npz", show_default=False
    ),
]
Epochs = Annotated[int, typer.Option(help="passes over the training samples", min=1)]
TrainSamples = Annotated[
    int, typer.Option(help="training samples an epoch; 0 takes all", min=0, show_default=False)
]
Profile = Annotated[
    str, typer.Option(help="energy profiles, a,b; a name or a .json [default: all]")
]
Watts = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option(help="power of everything around the chips, assumed", show_default=False),
]
Jobs = Annotated[int, typer.Option(help="processes that work side by side", min=1)]
Output = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--output", "-o", help="file to write", show_default=False),
]

Bias = Annotated[str, _hidden("--bias")]
Biases = Annotated[str, _hidden("--biases")]
Scheduler = Annotated[str, _hidden("--scheduler")]
Hardware = Annotated[bool, _hidden("--hardware")]
Dt = Annotated[str, _hidden("--dt")]
Reset = Annotated[str, _hidden("--reset")]
Svg = Annotated[bool, _hidden("--svg")]
