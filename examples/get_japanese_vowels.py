"""Make `japanese-vowels.npz` for `--data japanese-vowels` from a copy that a package index serves.

In: the installed `aeon` package, its wheel, or a folder with JapaneseVowels_TRAIN.ts and _TEST.ts.
Out: `$HEBBITE_DATA/japanese-vowels.npz`: x_train (270, 25, 12) and x_test (370, 25, 12) float16,
y_train and y_test uint8, in the original order. Nine speakers say two vowels; who is it?

Each of the 12 channels (coefficients of linear prediction) is standardised by mean and deviation of
its training frames and kept within -2..2. A series shorter than 25 frames begins with zeros, and of
a longer one the last 25 frames are kept, so that every series ends with its last frame.

    pip install --no-deps aeon==1.6.0
    export HEBBITE_DATA=~/hebbite-data
    python examples/get_japanese_vowels.py

M. Kudo, J. Toyama, M. Shimbo, "Multidimensional curve classification using passing-through
regions", Pattern Recognition Letters 20, 1103-1111 (1999), doi 10.1016/S0167-8655(99)00077-X; UCI
Machine Learning Repository, doi 10.24432/C5NS47, CC BY 4.0.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]

FOLDER = "aeon/datasets/data/JapaneseVowels"
SHA256 = {
    "TRAIN": "68a430eabd919cc77f40b1f5f3bc0dcafacc1486bca9260785aeb7d262cc78cd",
    "TEST": "b3d41d6a0ca3bcad3afb9ca7d4365382aa51341e2e58bae2a574babdda5b9462",
}
FRAMES, CHANNELS, REACH = 25, 12, 2.0


def read_ts(text: str) -> tuple[list[Real], NDArray[np.uint8]]:
    """Return series (frames, channels) and their labels from 0 of a .ts file.

    After the line ``@data`` a line is a series: channels parted by ``:``, values by ``,``, and the
    class at the end.
    """
    rows = text[text.index("@data") :].splitlines()[1:]
    series, labels = [], []
    for row in filter(None, rows):
        *channels, label = row.split(":")
        values = [[float(value) for value in channel.split(",")] for channel in channels]
        if len(values) != CHANNELS:
            raise SystemExit(f"a series of {len(values)} channels; wanted {CHANNELS}")
        series.append(np.array(values).T)
        labels.append(int(label) - 1)
    return series, np.array(labels, np.uint8)


def framed(series: list[Real], mean: Real, deviation: Real) -> NDArray[np.float16]:
    """Return (samples, FRAMES, CHANNELS), standardised, each ending with its last frame."""
    out = np.zeros((len(series), FRAMES, CHANNELS), np.float16)
    for row, values in zip(out, series, strict=True):
        kept = values[-FRAMES:]
        row[FRAMES - len(kept) :] = np.clip((kept - mean) / deviation, -REACH, REACH)
    return out


def read_source(source: Path, part: str) -> str:
    """Return the text of JapaneseVowels_TRAIN.ts or _TEST.ts from a wheel or a folder."""
    name = f"JapaneseVowels_{part}.ts"
    if source.suffix == ".whl":
        with zipfile.ZipFile(source) as wheel:
            data = wheel.read(f"{FOLDER}/{name}")
    else:
        data = (source / name).read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256[part]:
        raise SystemExit(f"{name} is not the file of aeon 1.6.0")
    return data.decode()


def find_source() -> Path:
    """Return the folder of the installed `aeon`, which is not imported."""
    spec = importlib.util.find_spec("aeon")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (path := Path(folder).parent / FOLDER).is_dir():
            return path
    raise SystemExit("no JapaneseVowels found; run: pip install --no-deps aeon==1.6.0")


def default_output() -> Path:
    """Return `$HEBBITE_DATA/japanese-vowels.npz`."""
    if not os.environ.get("HEBBITE_DATA"):
        raise SystemExit("say where to: export HEBBITE_DATA=~/hebbite-data, or -o FILE.npz")
    return Path(os.environ["HEBBITE_DATA"]).expanduser() / "japanese-vowels.npz"


def main() -> None:
    """Write the file that `--data japanese-vowels` reads."""
    parser = argparse.ArgumentParser(description="Make japanese-vowels.npz.")
    parser.add_argument("source", type=Path, nargs="?", help="wheel of aeon, or a folder")
    parser.add_argument("-o", "--output", type=Path, help="default: $HEBBITE_DATA/...")
    options = parser.parse_args()
    output = options.output or default_output()
    source = options.source or find_source()
    train, y_train = read_ts(read_source(source, "TRAIN"))
    test, y_test = read_ts(read_source(source, "TEST"))
    frames = np.concatenate(train)
    scale = frames.mean(axis=0), frames.std(axis=0)
    x_train, x_test = framed(train, *scale), framed(test, *scale)
    output.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(output, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    size = output.stat().st_size
    print(f"{output}: {len(x_train)} + {len(x_test)} series, {size} bytes")


if __name__ == "__main__":
    main()
