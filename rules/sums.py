"""The sum-of-products language: what a learning engine adds to a weight, a tag or a delay.

    dw = sum_i  m_i 2^(e_i) * gate_i * prod_k (v_ik + C_ik)

m mantissa and e exponent (integers), gate one of x0 (a pre message came), y0 (the neuron had a
learning event), u_k (every 2^k-th learning epoch), v a variable of `VARIABLES`, C an integer
constant; ``sgn(v+C)`` takes the sign of a factor. In: text, or parts. Out: frozen data that prints
as canonical text, ``parse_sum(str(s)) == s``. `hebbite.rules.loihi` says what a chip evaluates.

Widths are those of Lava 0.10.0's fixed-point learning engine (``learning/constants.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from hebbite.rules.errors import Problem, UsageError, near
from hebbite.rules.tokens import Token, decimal, integer, is_decimal, refusal, tokenize

Site = Literal["pre", "post", "synapse", "third", "remote"]
SumTarget = Literal["dw", "dt", "dd"]

MANTISSA_BITS = 4
ACCUMULATOR_BITS = 15
TOP_EXPONENT = 8
_FLOAT_BITS = 1000
"""Powers of two that a float holds; a coefficient beyond is beyond every chip."""
MISREAD = "HB0442"
"""Code of a text that Lava takes for another rule without a word."""


@dataclass(frozen=True)
class Variable:
    """A quantity of a rule: where it stands, and the bits b that a factor of it is saturated to.

    A factor v + C is clipped to [-2^b, 2^b - 1]. ``remote`` variables belong to other synapses or
    other times; a host reference may read them, a chip cannot.
    """

    name: str
    site: Site
    width: int
    signed: bool = False


def _variables() -> dict[str, Variable]:
    traces = [("x0", "pre", 1), ("x1", "pre", 7), ("x2", "pre", 7), ("y0", "post", 1)]
    traces += [(f"y{i}", "post", 7) for i in (1, 2, 3)]
    clock = [(f"u{k}", "third", 1) for k in range(10)]
    held = [(name, "synapse", 9) for name in ("w", "d", "t")]
    held += [("w_next", "remote", 9), ("delta_next", "remote", 9)]
    found = [Variable(n, _site(s), b) for n, s, b in (*traces, *clock)]
    found += [Variable(n, _site(s), b, signed=True) for n, s, b in held]
    return {variable.name: variable for variable in found}


def _site(name: str) -> Site:
    return next(site for site in get_args(Site) if site == name)


VARIABLES = _variables()
GATES = ("x0", "y0", *(f"u{k}" for k in range(10)))
CONSTANT = "C"
CONSTANT_BITS = 8


@dataclass(frozen=True)
class Factor:
    """v + constant, or its sign. A constant alone has the variable "C"."""

    variable: str
    constant: int = 0
    sign: bool = False

    def __post_init__(self) -> None:
        """Check the variable (HB0441); u_k gates a product and is no factor (HB0445)."""
        if self.variable == CONSTANT and not self.sign:
            return
        if self.variable not in VARIABLES:
            raise UsageError(_unknown(self.variable))
        if VARIABLES[self.variable].site == "third":
            what = f"{self.variable} is the gate of a product, not one of its factors"
            raise UsageError(Problem("HB0445", what, at=str(self), hint=_FIRST))

    @property
    def width(self) -> int:
        """Bits b: the chip saturates the factor to [-2^b, 2^b - 1]."""
        return CONSTANT_BITS if self.variable == CONSTANT else VARIABLES[self.variable].width

    @property
    def is_event(self) -> bool:
        """Whether the factor is bare x0 or y0, so that it closes the product like a gate."""
        return self.variable in ("x0", "y0") and not self.constant and not self.sign

    def __str__(self) -> str:
        """Return canonical text: ``x1``, ``(x1-64)``, ``sgn(w+3)``, ``(5)``."""
        if self.variable == CONSTANT:
            return f"({self.constant})"
        inner = self.variable if not self.constant else f"{self.variable}{self.constant:+d}"
        if self.sign:
            return f"sgn({inner})"
        return inner if not self.constant else f"({inner})"


@dataclass(frozen=True)
class Product:
    """mantissa * 2^exponent * dependency * factors; ``dependency`` is the gate x0, y0 or u0..u9.

    A mantissa beyond -7..7 is halved while it is even and the exponent below 8, as Lava does and
    no further: 6 and 3*2^1 differ, for the chip drops bits between the two multiplications.
    """

    mantissa: int
    exponent: int
    dependency: str
    factors: tuple[Factor, ...]

    def __post_init__(self) -> None:
        """Halve the mantissa; refuse 0 (HB0443) and what is no gate (HB0445)."""
        if self.mantissa == 0:
            raise UsageError(Problem("HB0443", "a product with scale 0 does nothing"))
        if self.dependency not in GATES:
            what = f"'{self.dependency}' gates no product"
            raise UsageError(Problem("HB0445", what, hint=near(self.dependency, GATES)))
        mantissa, exponent = self.mantissa, self.exponent
        while abs(mantissa) > 7 and mantissa % 2 == 0 and exponent < TOP_EXPONENT:
            mantissa, exponent = mantissa // 2, exponent + 1
        object.__setattr__(self, "mantissa", mantissa)
        object.__setattr__(self, "exponent", exponent)

    @property
    def shift(self) -> int:
        """Bits that the chip drops (rounding down): max(0, sum of factor widths + 4 - 15)."""
        return max(0, sum(f.width for f in self.factors) + MANTISSA_BITS - ACCUMULATOR_BITS)

    def __str__(self) -> str:
        """Return canonical text, e.g. ``-3*2^-2*y0*(x1-64)``."""
        sign = "-" if self.mantissa < 0 else ""
        return sign + "*".join([*self._scale(), self.dependency, *map(str, self.factors)])

    def _scale(self) -> list[str]:
        mantissa = [str(abs(self.mantissa))] if abs(self.mantissa) != 1 else []
        return [*mantissa, f"2^{self.exponent}"] if self.exponent else mantissa


def effective_scale(product: Product) -> float:
    """Return mantissa * 2^(exponent - shift): mean weight steps per unit of the factors' product.

    shift is `Product.shift`. A model in real numbers that uses ``mantissa * 2^exponent`` is 2^shift
    too large: 8 for two traces, 1024 for three. Exact, as every such number is a float.
    """
    return product.mantissa * 2.0 ** (product.exponent - product.shift)


@dataclass(frozen=True)
class SumOfProducts:
    """What is added to a weight (dw), a tag (dt) or a delay (dd) at the end of a learning epoch."""

    target: SumTarget
    products: tuple[Product, ...]

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Variables that the sum reads, gates included, each once, in the order of the text."""
        names = [
            name
            for product in self.products
            for name in (product.dependency, *(f.variable for f in product.factors))
            if name != CONSTANT
        ]
        return tuple(VARIABLES[name] for name in dict.fromkeys(names))

    def __str__(self) -> str:
        """Return canonical text; `parse_sum` gives the sum back."""
        terms = [str(product) for product in self.products] or ["0"]
        text = f"{self.target} = {terms[0]}"
        for term in terms[1:]:
            text += f" - {term[1:]}" if term.startswith("-") else f" + {term}"
        return text


Scale = tuple[int, int]
"""Mantissa and exponent."""
Quantise = Callable[["float | None", Scale, "tuple[Factor, ...]", Token], Scale]
"""(real coefficient, scale as written, factors, first word) of a product to its scale; the
coefficient is None where the scale was written in integers."""


def parse_sum(text: str, *, quantise: Quantise | None = None) -> SumOfProducts:
    """Return the sum that ``text`` says: ``dw = 2^-6*x0*x1*y2 - 2^-6*x0*x1*y3``.

    Scale, gate and factors may stand in any order, with any spaces; the first of x0, y0 in a
    product is its gate, a later one a factor. Nothing ambiguous is read. With ``quantise``
    coefficients may be decimals, and it says which mantissa and exponent stand for them.

    Raises:
        UsageError: with the text and carets under the fault; HB0440 unreadable, HB0441 unknown
            variable, HB0442 a text that Lava would take for another rule, HB0443 scale, HB0444
            bracket, HB0445 no gate.
    """
    return _Parser(text, quantise).sum()


_FIRST = "write the gate u_k first, once: u0*x0*x1"


def _unknown(name: str) -> Problem:
    return Problem("HB0441", f"unknown variable '{name}'", hint=near(name, VARIABLES))


class _Parser:
    """Recursive descent; each method takes the tokens of what it names."""

    def __init__(self, text: str, quantise: Quantise | None) -> None:
        self._text = text
        self._quantise = quantise
        self._tokens = tokenize(text, decimals=quantise is not None)
        self._next = 0

    def sum(self) -> SumOfProducts:
        name = self._take()
        target = next((t for t in get_args(SumTarget) if t == name.text), None)
        if target is None:
            hint = f"dw = {self._text.strip()}" if "=" not in self._text else "dw, dt or dd = ..."
            raise self._refuse(name, "HB0440", "a rule starts with what it changes", hint)
        self._expect("=")
        if self._peek().text == "0" and self._tokens[self._next + 1].kind == "end":
            return SumOfProducts(target, ())
        products = [self._product(-1 if self._accept_sign() == "-" else 1)]
        while self._peek().kind != "end":
            products.append(self._product(-1 if self._accept_sign() == "-" else 1))
        return SumOfProducts(target, tuple(products))

    def _product(self, mantissa: int) -> Product:
        first = self._peek()
        parts = _Parts(mantissa)
        self._part(parts)
        while self._peek().text == "*":
            times = self._take()
            if self._peek().kind == "end" or self._peek().text in ("+", "-", "*", "**"):
                raise self._refuse(times, MISREAD, "nothing follows '*'", "remove it")
            self._part(parts)
        if self._peek().text not in ("", "+", "-"):
            raise self._after_product()
        if not parts.gate:
            what = "a product needs a gate: x0, y0 or u0..u9"
            raise self._refuse(first, "HB0445", what, f"x0*{self._words_from(first)}")
        if parts.mantissa == 0 or parts.real == 0:
            raise self._refuse(first, "HB0443", "a product with scale 0 does nothing", "remove it")
        factors = tuple(parts.factors)
        scale = (parts.mantissa, parts.exponent)
        if self._quantise is not None:
            real = None if parts.real is None else parts.coefficient(parts.real)
            scale = self._quantise(real, scale, factors, first)
        return Product(*scale, parts.gate, factors)

    def _part(self, parts: _Parts) -> None:
        token = self._take()
        if token.kind == "number":
            self._scale(token, parts)
        elif token.text == "(":
            parts.factors.append(self._bracket(token, sign=False))
        elif token.text == "sgn":
            self._expect("(")
            parts.factors.append(self._bracket(token, sign=True))
        elif token.kind == "name":
            self._variable(token, parts)
        else:
            what = "two signs in a row" if token.text in ("+", "-") else "a factor is missing here"
            raise self._refuse(token, "HB0440", what)

    def _variable(self, token: Token, parts: _Parts) -> None:
        name = self._known(token)
        if VARIABLES[name].site == "third" and (parts.gate or parts.event):
            what = f"{name} comes after another gate"
            raise self._refuse(token, "HB0445", what, _FIRST)
        if name in GATES and not parts.gate:
            parts.gate = name
        else:
            parts.factors.append(Factor(name))

    def _scale(self, token: Token, parts: _Parts) -> None:
        if self._quantise is not None and is_decimal(token):
            parts.real = decimal(self._text, token) * (1.0 if parts.real is None else parts.real)
            return
        number = integer(self._text, token)
        if self._peek().text != "^":
            parts.mantissa *= number
            return
        self._take()
        if number != 2:
            what = f"powers are of 2, not of {number}"
            raise self._refuse(token, "HB0443", what, "mantissa*2^exponent")
        sign = -1 if self._accept_sign() == "-" else 1
        parts.exponent += sign * integer(self._text, self._take())

    def _bracket(self, opening: Token, *, sign: bool) -> Factor:
        """Take ``v)``, ``v+C)`` or ``C)``, the opening bracket being gone."""
        minus = self._accept_sign()
        first = self._take()
        if first.kind == "number":
            return self._constant(first, minus, opening, sign=sign)
        if first.kind != "name" or first.text == "sgn":
            raise self._bad_bracket(first)
        name = self._known(first)
        if minus:
            what = f"Lava may lose the sign of {name} in a bracket"
            raise self._refuse(first, MISREAD, what, "put the sign before the product")
        if VARIABLES[name].site == "third":
            raise self._refuse(first, "HB0445", f"{name} is a gate, not a factor", _FIRST)
        constant_sign = self._accept_sign()
        if constant_sign and self._peek().kind == "name":
            raise self._bad_bracket(self._peek())
        constant = integer(self._text, self._take()) if constant_sign else 0
        if self._peek().text != ")":
            raise self._bad_bracket(self._peek())
        self._take()
        return Factor(name, -constant if constant_sign == "-" else constant, sign)

    def _constant(self, number: Token, minus: str, opening: Token, *, sign: bool) -> Factor:
        constant = integer(self._text, number)
        if self._peek().text != ")" or sign:
            hint = "variable first: -(x1-64) for (64-x1)"
            raise self._refuse(self._peek(), "HB0444", "a bracket is (variable + constant)", hint)
        self._take()
        return Factor(CONSTANT, -constant if minus == "-" else constant)

    def _known(self, token: Token) -> str:
        if token.text in VARIABLES:
            return token.text
        problem = _unknown(token.text)
        code, what, hint = problem.code, problem.what, problem.hint
        if token.text[:1] == "u" and token.text[1:].isdigit():
            code, what = MISREAD, f"'{token.text}': k of u_k has one digit; Lava reads u1*0 for u10"
            hint = "u0 .. u9"
        elif _reads_as_product(token.text):
            code, hint = (
                MISREAD,
                f"Lava reads several factors in '{token.text}': put * between them",
            )
        raise self._refuse(token, code, what, hint)

    def _after_product(self) -> UsageError:
        token = self._take()
        if token.kind in ("name", "number") or token.text == "(":
            return self._refuse(token, MISREAD, "'*' is missing here", "put * between factors")
        if token.text == "**":
            what = "Lava reads '**' as '*': x1**2 would be 2*x1"
            return self._refuse(token, MISREAD, what, "x1*x1, or 2^-3 for a scale")
        if token.text == "^":
            return self._refuse(token, "HB0443", "only 2 is raised to a power", "x1*x1 for x1^2")
        if token.text == "/":
            return self._refuse(token, "HB0443", "a chip does not divide", "2^-1* for /2")
        return self._refuse(token, "HB0440", "'+', '-' or the end is expected here")

    def _bad_bracket(self, token: Token) -> UsageError:
        what = "a bracket holds one variable, with or without a constant"
        hint = "write a product for every term: x0*x1*y1 - x0*x1*y2 for x0*x1*(y1-y2)"
        misread = token.text in ("+", "-", "*")  # Lava: (x1-4-4) is x1-4, and (x1*2) is x1+2
        return self._refuse(token, MISREAD if misread else "HB0444", what, hint)

    def _accept_sign(self) -> str:
        return self._take().text if self._peek().text in ("+", "-") else ""

    def _expect(self, symbol: str) -> None:
        token = self._take()
        if token.text != symbol:
            raise self._refuse(token, "HB0440", f"'{symbol}' is expected here")

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._tokens[self._next]
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def _words_from(self, first: Token) -> str:
        return self._text[first.start : self._peek().start].strip()

    def _refuse(self, token: Token, code: str, what: str, hint: str = "") -> UsageError:
        return refusal(self._text, token, code, what, hint)


class _Parts:
    """What was read of a product so far."""

    def __init__(self, mantissa: int) -> None:
        self.mantissa = mantissa
        self.exponent = 0
        self.real: float | None = None
        self.gate = ""
        self.factors: list[Factor] = []

    def coefficient(self, real: float) -> float:
        """Return the whole coefficient with its decimal part ``real``; infinite beyond floats."""
        bounded = max(-(2**_FLOAT_BITS), min(2**_FLOAT_BITS, self.mantissa))
        exponent = max(-_FLOAT_BITS, min(_FLOAT_BITS, self.exponent))
        return float(real * bounded * 2.0**exponent)

    @property
    def event(self) -> bool:
        """Whether x0 or y0 is among the factors."""
        return any(factor.is_event for factor in self.factors)


def _reads_as_product(name: str) -> bool:
    """Return whether a name falls into short variables and digits, as ``x12``, ``w2`` or ``dt``."""
    short = [variable for variable in VARIABLES if len(variable) <= 2]
    rest = name
    while rest:
        head = next((v for v in short if rest.startswith(v)), rest[0] if rest[0].isdigit() else "")
        if not head:
            return False
        rest = rest[len(head) :]
    return True
