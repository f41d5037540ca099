"""Make `runtime/data/digits.npz` from the digits that scikit-learn ships.

In: scikit-learn's `load_digits`. Out: x uint8 (1797, 64) with values 0..16, y uint8 (1797,), in
scikit-learn's order. Run once, in an environment with scikit-learn; the package does not need it.

    pip install scikit-learn
    python examples/make_digits.py runtime/data/digits.npz
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits  # type: ignore[import-not-found]


def main() -> None:
    """Write the file named on the command line."""
    parser = argparse.ArgumentParser(description="Make digits.npz from scikit-learn's digits.")
    parser.add_argument("output", type=Path)
    output = parser.parse_args().output
    images, labels = load_digits(return_X_y=True)
    x, y = images.astype(np.uint8), labels.astype(np.uint8)
    if x.shape != (1797, 64) or not np.array_equal(x, images) or int(x.max()) != 16:
        raise SystemExit("these are not the 1797 digits of 8x8 pixels from 0 to 16")
    np.savez_compressed(output, x=x, y=y)
    print(f"{output}: {x.shape[0]} digits, {output.stat().st_size} bytes")


if __name__ == "__main__":
    main()
