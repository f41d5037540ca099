"""Whoever cites what a piece of work used finds an entry for every published number and rule."""

from __future__ import annotations

import re

import pytest

from hebbite.compiler.targets import list_targets
from hebbite.rules.errors import UsageError
from hebbite.rules.registry import RULES
from hebbite.runtime.citations import WORKS, bibliography, citable, cited
from hebbite.runtime.energy import list_profiles

ENTRY = re.compile(r"@(article|inproceedings)\{(\w+),\n")


def test_every_rule_chip_and_profile_can_be_cited() -> None:
    assert citable() == (*RULES, *list_targets(), *list_profiles())
    for name in citable():
        found = cited(name)
        assert found.name == name
        assert found.sources or found.entries or name == "ideal"


def test_every_work_is_the_source_of_some_number_and_has_one_entry() -> None:
    works = WORKS.read_text(encoding="utf-8").strip().split("\n\n")
    used = [entry for name in (*list_targets(), *list_profiles()) for entry in cited(name).entries]
    assert set(used) == set(works)
    assert len(works) == len(set(works))


def test_no_two_entries_share_a_key() -> None:
    entries = {entry for name in citable() for entry in cited(name).entries}
    found = [ENTRY.match(entry) for entry in entries]
    keys = [match.group(2) for match in found if match is not None]
    assert len(keys) == len(entries) == len(set(keys))
    assert all(entry.count("{") == entry.count("}") for entry in entries)


def test_a_bibliography_says_what_each_name_rests_on_and_repeats_no_entry() -> None:
    text = bibliography([cited("loihi1"), cited("loihi1-davies2018"), cited("ideal")])
    assert text.count("@article{davies2018loihi,") == 1
    assert "% loihi1\n%   Davies et al. 2018" in text
    assert "% loihi1-davies2018\n%   Davies et al. 2018" in text
    assert text.endswith("% ideal: no source\n")


def test_an_assumed_number_has_no_source() -> None:
    for name in (*list_targets(), *list_profiles()):
        assert not [source for source in cited(name).sources if source.startswith("no ")]


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="nothing to cite for 'loihi3'") as caught:
        cited("loihi3")
    (problem,) = caught.value.problems
    assert problem.code == "HB0165"
    assert "loihi" in problem.hint
