"""Fixtures of every test: golden texts, which a person reads and a test compares.

What chance draws is the same in every run, so that a test that turns red was turned red by a
change; ``--hypothesis-profile=explore`` draws anew each time.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("same", derandomize=True)
settings.register_profile("explore", derandomize=False, print_blob=True)
settings.load_profile("same")

_GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--update-golden``."""
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the golden texts anew; then read the difference",
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Give ``assert text == golden("folder/name")``: the text of tests/golden/folder/name.txt.

    With ``--update-golden`` the file takes the text that it is compared with.
    """
    update = bool(request.config.getoption("--update-golden"))

    def read(name: str) -> str:
        path = _GOLDEN / f"{name}.txt"
        if update:
            return _Writer(path)
        assert path.exists(), f"no golden text {path.name}: run pytest with --update-golden"
        return path.read_text("utf-8").removesuffix("\n")

    return read


class _Writer(str):
    """Equal to every text, and keeps it in a file."""

    __slots__ = ("path",)

    def __new__(cls, path: Path) -> _Writer:
        writer = super().__new__(cls)
        writer.path = path
        return writer

    path: Path

    def __eq__(self, other: object) -> bool:
        assert isinstance(other, str)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(f"{other}\n", "utf-8")
        return True

    __hash__ = str.__hash__
