"""Candidates: named shortly, refused with a reason, and fed back as the compiler would."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hebbite.compiler.compile import compile
from hebbite.compiler.compiled import Compiled
from hebbite.rules.errors import HebbiteError
from hebbite.rules.registry import parse_rule
from hebbite.runtime.credit.build import twin_of
from hebbite.runtime.infer.candidates import candidates_of, feedback_for, gradients_of

MODEL = Path(__file__).parents[2] / "data" / "onnx" / "digits_64_32_16_10.onnx"


@pytest.fixture(scope="module")
def made() -> Compiled:
    return compile(MODEL, rule="frozen")


def moved(model: Compiled) -> Compiled:
    """Return the model with other weights in every group."""
    tensors = {g.weight: -model.program.tensors[g.weight] for g in model.program.synapses}
    return model.with_tensors(tensors)


def test_every_pair_is_there_once_in_the_order_given() -> None:
    found = candidates_of(["classification", "regression", "classification"], ["dfa", "frozen"])
    assert [str(pair) for pair in found] == [
        "classification + dfa",
        "classification + frozen",
        "regression + dfa",
        "regression + frozen",
    ]
    assert [str(pair) for pair in gradients_of(found)] == [
        "classification + gradient",
        "regression + gradient",
    ]


def test_a_name_that_two_share_is_written_out() -> None:
    found = candidates_of(["classification", "classification(margin=0)"], ["dfa"])
    assert [pair.goal for pair in found] == [
        "classification(target_rate=100, margin=12)",
        "classification(target_rate=100, margin=0)",
    ]
    assert {pair.name for pair in found} == {"dfa"}


def test_which_layers_learn_follows_from_the_rule() -> None:
    dfa, frozen = candidates_of(["classification"], ["dfa", "frozen"])
    assert (dfa.learns(3), frozen.learns(3)) == ((True,) * 3, (False, False, True))
    assert gradients_of([dfa])[0].learns(2) == (True, True)


@pytest.mark.parametrize(
    ("objectives", "rules", "code"),
    [
        ([], ["dfa"], "HB0482"),
        (["classification"], [], "HB0482"),
        (["classify"], ["dfa"], "HB0410"),
        (["classification"], ["dfaa"], "HB0401"),
        (["classification"], ["stdp"], "HB0483"),
        (["classification"], ["dfa", "clp"], "HB0483"),
        (["classification"], ["oja"], "HB0483"),
    ],
)
def test_what_is_no_pair_is_refused(objectives: list[str], rules: list[str], code: str) -> None:
    with pytest.raises(HebbiteError, match=code):
        candidates_of(objectives, rules)


@pytest.mark.parametrize("name", ["fa", "dfa"])
def test_random_feedback_is_that_of_a_program_compiled_for_the_rule(
    made: Compiled, name: str
) -> None:
    twin = twin_of(made)
    found = feedback_for(parse_rule(name), made, twin, twin)
    program = compile(MODEL, rule=name).program
    stored = {g.post: program.tensors[g.weight] for g in program.synapses if g.role == "feedback"}
    assert found.keys() == stored.keys() == {"relu1", "relu2"}
    assert all(np.array_equal(found[layer], stored[layer]) for layer in found)


def test_copied_feedback_follows_the_weights_unless_the_rule_says_no(made: Compiled) -> None:
    start, later = twin_of(made), twin_of(moved(made))
    follows = feedback_for(parse_rule("backprop"), made, later, start)
    stays = feedback_for(parse_rule("backprop(follow=false)"), made, later, start)
    exact = made.program.tensors["to_fc3.weight"][:, :-1].T
    assert np.array_equal(follows["relu2"], -exact)
    assert np.array_equal(stays["relu2"], exact)
    reference = feedback_for(parse_rule("bptt"), made, later, start)
    assert np.array_equal(reference["relu2"], -exact)


def test_signs_are_those_of_the_recorded_weights(made: Compiled) -> None:
    later = twin_of(moved(made))
    found = feedback_for(parse_rule("sign-symmetric"), made, later, twin_of(made))["relu2"]
    assert np.array_equal(found, -np.sign(made.program.tensors["to_fc3.weight"][:, :-1].T))


def test_learned_feedback_is_the_recorded_one_or_is_missed(made: Compiled) -> None:
    rule, model = parse_rule("kolen-pollack"), compile(MODEL, rule="kolen-pollack")
    twin = twin_of(model)
    found = feedback_for(rule, model, twin, twin)
    assert np.array_equal(found["relu1"], model.program.tensors["back_relu1.weight"])
    for other in (made, compile(MODEL, rule="fa")):
        with pytest.raises(HebbiteError, match="HB0483"):
            feedback_for(rule, other, twin_of(other), twin_of(other))


def test_a_rule_without_feedback_needs_none(made: Compiled) -> None:
    twin = twin_of(made)
    assert feedback_for(parse_rule("frozen"), made, twin, twin) == {}
