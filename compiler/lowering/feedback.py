"""Random feedback weights, as a seed and the population's name fix them."""

from __future__ import annotations

from hebbite.compiler.arithmetic.draws import bell
from hebbite.compiler.lowering.quantise import Int, even
from hebbite.compiler.settings import Settings


def random_feedback(name: str, shape: tuple[int, int], settings: Settings) -> Int:
    """Return B (size of the population ``name``, size of where its errors come from), in steps.

    Bell-shaped with standard deviation ``settings.feedback_rms``, rounded to even integers; the
    same for every rule that draws weights of this shape.
    """
    drawn = bell(shape, seed=settings.seed, name=f"feedback {name}")
    return even(drawn * settings.feedback_rms)
