"""Tables of Markdown, and pages of the docs whose tables are filled by what was measured."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

MARK = re.compile(r"(<!-- (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(head: Iterable[str], rows: Sequence[Iterable[str]]) -> str:
    """Return a Markdown table; nothing if it has no rows."""
    head = list(head)
    if not rows:
        return ""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def write_marked(page: Path, texts: Mapping[str, str]) -> None:
    """Replace what stands between ``<!-- name -->`` and ``<!-- end -->`` of some names; what has no
    text stays.
    """

    def filled(match: re.Match[str]) -> str:
        return f"{match[1]}{texts[match[2]]}\n{match[3]}" if match[2] in texts else match[0]

    page.write_text(MARK.sub(filled, page.read_text()))
