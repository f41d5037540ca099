"""What a Loihi-class learning engine evaluates, and how Lava is told.

In: a sum of products, or a user's raw text. Out: every reason why a chip refuses the sum; the text
that Lava 0.10.0 reads as exactly this sum. Why our own printer and checker: Lava's reader takes
some texts for other rules in silence (``u10*w`` is u1*0, ``x1**2`` is 2*x1, ``(-x1)`` is x1), and
it checks no range of constants.

Source of grammar and ranges: Lava 0.10.0, ``symbolic_equation.py`` and ``product_series.py`` of
``magma/core/learning``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hebbite.rules.errors import Problem, UnsupportedError, UsageError
from hebbite.rules.sums import (
    CONSTANT,
    MANTISSA_BITS,
    MISREAD,
    VARIABLES,
    Factor,
    Product,
    SumOfProducts,
    parse_sum,
)

LOW_MANTISSA, TOP_MANTISSA = -8, 7
LOW_EXPONENT, TOP_EXPONENT = -7, 8
LOW_CONSTANT, TOP_CONSTANT = -256, 255
PRODUCT_BITS = 31


def check_loihi(*sums: SumOfProducts) -> tuple[Problem, ...]:
    """Return every reason why a Loihi-class chip refuses these sums; () if it takes them.

    Give all sums of one rule together (dw, dt, dd): the engine has one decimation k for all.
    Codes: HB0450 mantissa, HB0451 exponent, HB0452 sgn, HB0453 constant, HB0454 several u_k,
    HB0455 remote variable, HB0456 lone constant, HB0457 no product or one target twice,
    HB0458 a product wider than int32.
    """
    found = [p for each in sums for p in _problems_of_sum(each)]
    return (*found, *_one_clock(sums), *_one_target(sums))


def to_lava(sum_: SumOfProducts) -> str:
    """Return the text, without target, that Lava reads as exactly this sum.

    Raises:
        UnsupportedError: what `check_loihi` says, if that is anything.
    """
    problems = check_loihi(sum_)
    if problems:
        raise UnsupportedError(*problems)
    first, *rest = (_lava_product(product) for product in sum_.products)
    return first + "".join(text if text.startswith("-") else f"+{text}" for text in rest)


def misread_by_lava(text: str) -> Problem | None:
    """Return why Lava would take ``text`` (``dw = ...`` or without target) for another rule.

    Traps: two digits after u, ``**``, a trailing ``*``, a sign before the variable of a bracket,
    another operation or a second constant in it, a missing ``*``. None if the text is safe, or if
    Lava too refuses it.
    """
    try:
        parse_sum(text if "=" in text else f"dw = {text}")
    except UsageError as error:
        return next((p for p in error.problems if p.code == MISREAD), None)
    return None


def _lava_product(product: Product) -> str:
    """Return the product, scale and gate first, the exponent always written."""
    sign = "-" if product.mantissa < 0 else ""
    size = abs(product.mantissa)
    scale = f"{size}*2^{product.exponent}" if size != 1 else f"2^{product.exponent}"
    return sign + "*".join([scale, product.dependency, *map(str, product.factors)])


def _problems_of_sum(sum_: SumOfProducts) -> Iterator[Problem]:
    if not sum_.products:
        yield Problem("HB0457", "a rule without a product changes nothing", str(sum_))
    for product in sum_.products:
        at = f"{sum_.target} = {product}"
        yield from _scale(product, at)
        yield from _width(product, at)
        for factor in product.factors:
            for check in _FACTOR_CHECKS:
                yield from check(factor, at)


def _scale(product: Product, at: str) -> Iterator[Problem]:
    mantissa, exponent = product.mantissa, product.exponent
    if not LOW_MANTISSA <= mantissa <= TOP_MANTISSA:
        what = f"mantissa {mantissa} needs more than 4 bits ({LOW_MANTISSA}..{TOP_MANTISSA})"
        yield Problem("HB0450", what, at, hint=_nearest_scale(mantissa, exponent))
    if not LOW_EXPONENT <= exponent <= TOP_EXPONENT:
        what = f"exponent {exponent} is outside {LOW_EXPONENT}..{TOP_EXPONENT}"
        near = LOW_EXPONENT if exponent < LOW_EXPONENT else TOP_EXPONENT
        yield Problem("HB0451", what, at, hint=f"2^{near}, and scale the signal to make up for it")


def _width(product: Product, at: str) -> Iterator[Problem]:
    bits = sum(factor.width for factor in product.factors) + MANTISSA_BITS
    if bits > PRODUCT_BITS:
        what = f"the product needs {bits} bits; the engine computes it in {PRODUCT_BITS}"
        yield Problem("HB0458", what, at, hint="use fewer factors")


def _nearest_scale(mantissa: int, exponent: int) -> str:
    """Return the closest scale of 4 bits, with its relative error; '' if its exponent has none."""
    size, shift = abs(mantissa), 0
    while round(size / 2**shift) > TOP_MANTISSA:
        shift += 1
    if not LOW_EXPONENT <= exponent + shift <= TOP_EXPONENT:
        return ""
    nearest = round(size / 2**shift)
    error = 100 * (nearest * 2**shift / size - 1)
    sign = "-" if mantissa < 0 else ""
    return f"{sign}{nearest}*2^{exponent + shift} ({error:+.1f} %)"


def _sign(factor: Factor, at: str) -> Iterator[Problem]:
    if factor.sign and factor.variable not in ("w", "d", "t"):
        what = f"sgn is taken of w, d and t only, not of {factor.variable}"
        yield Problem("HB0452", what, at, hint=f"use {Factor(factor.variable, factor.constant)}")


def _constant(factor: Factor, at: str) -> Iterator[Problem]:
    if not LOW_CONSTANT <= factor.constant <= TOP_CONSTANT:
        what = f"constant {factor.constant} needs more than 8 bits and a sign"
        yield Problem("HB0453", what, at, hint=f"{LOW_CONSTANT}..{TOP_CONSTANT}")
    elif factor.variable != CONSTANT and not VARIABLES[factor.variable].signed:
        top = 2**factor.width - 1  # of v >= 0; v + C is clipped to [-top - 1, top]
        if not -2 * top <= factor.constant < top:
            what = f"{factor} saturates whatever {factor.variable} is"
            yield Problem("HB0453", what, at, hint=f"{-2 * top}..{top - 1}")


def _lone_constant(factor: Factor, at: str) -> Iterator[Problem]:
    if factor.variable == CONSTANT:
        what = f"a constant alone, {factor}, is no factor that Lava keeps"
        yield Problem("HB0456", what, at, hint=f"put it into the scale: {factor.constant}*...")


def _remote(factor: Factor, at: str) -> Iterator[Problem]:
    if factor.variable != CONSTANT and VARIABLES[factor.variable].site == "remote":
        what = f"{factor.variable} is remote: it stands at no synapse, pre or post side of its own"
        yield Problem("HB0455", what, at, hint="a rule with feedback synapses: --rule dfa")


_FACTOR_CHECKS: tuple[Callable[[Factor, str], Iterator[Problem]], ...] = (
    _sign,
    _constant,
    _lone_constant,
    _remote,
)


def _one_clock(sums: tuple[SumOfProducts, ...]) -> Iterator[Problem]:
    gates = {p.dependency for each in sums for p in each.products if p.dependency[0] == "u"}
    if len(gates) > 1:
        names = ", ".join(sorted(gates))
        at = "; ".join(map(str, sums))
        what = f"several decimations in one rule: {names}"
        yield Problem("HB0454", what, at, hint=f"use {min(gates)} everywhere")


def _one_target(sums: tuple[SumOfProducts, ...]) -> Iterator[Problem]:
    targets = [each.target for each in sums]
    for target in sorted({t for t in targets if targets.count(t) > 1}):
        what = f"{target} is given {targets.count(target)} times"
        yield Problem("HB0457", what, hint="add the products in one sum")
