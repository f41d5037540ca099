"""Errors: what they carry survives every way between processes."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from hebbite.rules import errors
from hebbite.rules.errors import HebbiteError, Problem
from hebbite.rules.registry import parse_rule

PROBLEMS = (Problem("HB0101", "one", "at", "from", "hint"), Problem("HB0102", "two"))
KINDS = [HebbiteError, *(kind for kind in vars(errors).values() if isinstance(kind, type))]
TREE = sorted({k for k in KINDS if issubclass(k, HebbiteError)}, key=lambda kind: kind.__name__)


def test_the_tree_has_seven_kinds() -> None:
    assert len(TREE) == 7


@pytest.mark.parametrize("kind", TREE)
@pytest.mark.parametrize("problems", [PROBLEMS, PROBLEMS[:1]])
def test_an_error_keeps_kind_and_problems(
    kind: type[HebbiteError], problems: tuple[Problem, ...]
) -> None:
    error = kind(*problems)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        found = pickle.loads(pickle.dumps(error, protocol))
        assert type(found) is kind
        assert found.problems == problems
        assert all(isinstance(problem, Problem) for problem in found.problems)
        assert (str(found), found.code) == (str(error), error.code)
        assert found.exit_code == error.exit_code
    assert copy.copy(error).problems == problems


def test_an_error_of_another_process_keeps_its_problems() -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        error = pool.submit(parse_rule, "dfaa").exception()
    assert isinstance(error, errors.UsageError)
    with pytest.raises(errors.UsageError) as here:
        parse_rule("dfaa")
    assert error.problems == here.value.problems
