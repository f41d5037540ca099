"""The verbs by name: where each stands, and the line that ``hebbite --help`` shows for it.

A verb's module is imported when the verb is used, so that help answers at once whatever a verb
needs; a test holds the lines to the verbs' own texts.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Verb:
    """``function`` of the module of the verb's name; ``line``: the first of its docstring."""

    line: str
    function: str = ""


VERBS: dict[str, Verb] = {
    "demo": Verb(
        "Train the digits network by four rules, show that Lava gives the same bits, write a page."
    ),
    "check": Verb(
        "List every problem of a model, its rule, objective and target. Exit 1 if there is any."
    ),
    "compile": Verb("Compile a model that learns by a rule to the program of a chip."),
    "run": Verb("Run a compiled model without learning."),
    "train": Verb("Train a compiled model; FILE itself is left as it is."),
    "evaluate": Verb(
        "Evaluate a compiled or trained model; by default on the data that it was trained on."
    ),
    "compare": Verb(
        "Compare rules on a model: accuracy, updates, energy, credit, locality, footprint."
    ),
    "credit": Verb(
        "Measure angle, bias, variance and credit shares of rules against the exact gradient."
    ),
    "infer": Verb("Infer objective and rule from recorded changes of weights."),
    "verify": Verb(
        "Compare engines on a slice of training. Exit 1 if they differ or too little happened."
    ),
    "inspect": Verb("Show structure, resources and quantisation error."),
    "cite": Verb(
        "Print BibTeX of rules, chips and energy tables, and the sources of their numbers."
    ),
    "doctor": Verb("Show versions and engines, and how to mend what is missing."),
    "list": Verb("List what there is of a kind, with what each can do and why not.", "list_kind"),
}
