"""The one door to LLVM: loops that are printed for a program, compiled in memory.

A printed kernel is one loop over ``size`` elements. It takes the address of a table of int64 and a
size: the first entries of the table are addresses of arrays, one an array named by the kernel, the
others are numbers. No two arrays that a kernel names may overlap: LLVM is told so, and vectorises.

    void kernel(int64 *table, int64 size)

The totals of the loop are written behind the numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from llvmlite import binding, ir

from hebbite.runtime.engines.native.store import kept

Value: TypeAlias = Any
"""A value of LLVM; llvmlite declares no types."""
I1, I8, I16, I32, I64 = (ir.IntType(bits) for bits in (1, 8, 16, 32, 64))
Body = Callable[["Lane"], Sequence[Any]]
HELD = 3
"""What a condition that holds counts while a loop runs: a masked sum, one instruction. Of 1 LLVM
makes three: it turns the condition into a number first.
"""


@dataclass(frozen=True)
class Array:
    """An array that a kernel reads or writes: bits of an element, and whether it has a sign."""

    name: str
    bits: int = 32
    signed: bool = True


class Lane:
    """One element of the loop while it is printed: loads, stores, and 32-bit arithmetic.

    ``which``: the number of the kernel, of those that are printed at once; a constant in each.
    """

    def __init__(
        self,
        builder: ir.IRBuilder,
        index: Value,
        arrays: Mapping[str, tuple[Array, Value]],
        numbers: Mapping[str, Value],
        which: Value,
    ) -> None:
        self.builder = builder
        self.index = index
        self.which = which
        self._arrays = arrays
        self._numbers = numbers

    def load(self, name: str, at: Value | None = None) -> Value:
        """Return element ``at`` of an array, this lane's unless told, widened to 32 bits."""
        array, start = self._arrays[name]
        where = self.index if at is None else self.builder.sext(at, I64)
        value = self.builder.load(self.builder.gep(start, [where]))
        if array.bits == 32:
            return value
        return self.builder.sext(value, I32) if array.signed else self.builder.zext(value, I32)

    def element(self, name: str) -> Value:
        """Return this lane's element of an array in as many bits as it has."""
        _, start = self._arrays[name]
        return self.builder.load(self.builder.gep(start, [self.index]))

    def store(self, name: str, value: Value, at: Value | None = None) -> None:
        """Write element ``at`` of an array, this lane's unless told."""
        array, start = self._arrays[name]
        where = self.index if at is None else self.builder.sext(at, I64)
        if array.bits < value.type.width:
            value = self.builder.trunc(value, ir.IntType(array.bits))
        self.builder.store(value, self.builder.gep(start, [where]))

    def tally(self, name: str, condition: Value) -> None:
        """Add `HELD` to this lane's element of an array if a condition holds."""
        array, _ = self._arrays[name]
        held, nothing = (ir.Constant(ir.IntType(array.bits), count) for count in (HELD, 0))
        gain = self.builder.select(condition, held, nothing)
        self.store(name, self.builder.add(self.element(name), gain))

    def number(self, name: str) -> Value:
        """Return a number of the table, 32 bits of it."""
        return self._numbers[name]

    def constant(self, value: int) -> Value:
        """Return a constant of 32 bits."""
        return ir.Constant(I32, value)

    def flag(self, condition: Value) -> Value:
        """Return a condition as 0 or 1."""
        return self.builder.zext(condition, I32)

    def compare(self, relation: str, x: Value, y: Value) -> Value:
        """Return the condition ``x relation y`` of signed integers."""
        return self.builder.icmp_signed(relation, x, y)

    def smaller(self, x: Value, y: Value) -> Value:
        """Return min(x, y)."""
        return self.builder.select(self.compare("<", x, y), x, y)

    def larger(self, x: Value, y: Value) -> Value:
        """Return max(x, y)."""
        return self.builder.select(self.compare(">", x, y), x, y)

    def clip(self, x: Value, low: int, high: int) -> Value:
        """Return x brought into low..high."""
        lowest, highest = ir.Constant(x.type, low), ir.Constant(x.type, high)
        return self.smaller(self.larger(x, lowest), highest)


@dataclass(frozen=True)
class Signature:
    """What stands in a kernel's table: arrays, numbers, and room for totals, in this order."""

    arrays: Sequence[Array]
    numbers: Sequence[str] = ()
    totals: Sequence[str] = ()

    @property
    def size(self) -> int:
        """Entries of the table."""
        return len(self.arrays) + len(self.numbers) + len(self.totals)

    def slot(self, name: str) -> int:
        """Return where an array, number or total stands in the table."""
        return [*(array.name for array in self.arrays), *self.numbers, *self.totals].index(name)


def print_kernel(module: ir.Module, name: str, signature: Signature, body: Body) -> None:
    """Print the kernel ``name``; ``body`` prints one element and returns what each total gains: a
    number, or a condition, which is counted.
    """
    print_kernels(module, (name,), signature, body)


def print_kernels(
    module: ir.Module, names: Sequence[str], signature: Signature, body: Body
) -> None:
    """Print kernels that differ by ``which`` alone; the loop is printed once for all."""
    inner = _print_loop(module, names[0], signature, body)
    for which, name in enumerate(names):
        _print_entry(module, name, signature, inner, ir.Constant(I32, which))


def _print_entry(
    module: ir.Module, name: str, signature: Signature, inner: ir.Function, which: Value
) -> None:
    outer = ir.Function(module, ir.FunctionType(ir.VoidType(), [I64, I64]), name)
    builder = ir.IRBuilder(outer.append_basic_block("entry"))
    table = builder.inttoptr(outer.args[0], I64.as_pointer())

    def entry(number: int) -> Value:
        return builder.gep(table, [ir.Constant(I64, number)])

    given = [
        builder.inttoptr(builder.load(entry(k)), ir.IntType(array.bits).as_pointer())
        for k, array in enumerate(signature.arrays)
    ]
    first = len(signature.arrays)
    for k in range(len(signature.numbers)):
        given.append(builder.trunc(builder.load(entry(first + k)), I32))
    out = entry(first + len(signature.numbers))
    builder.call(inner, [*given, which, outer.args[1], out])
    builder.ret_void()


def _print_loop(module: ir.Module, name: str, signature: Signature, body: Body) -> ir.Function:
    arrays, numbers = signature.arrays, signature.numbers
    kinds = [ir.IntType(array.bits).as_pointer() for array in arrays]
    kinds += [I32] * (len(numbers) + 1) + [I64, I64.as_pointer()]
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), kinds), f"{name}.loop")
    function.linkage = "private"
    function.attributes.add("alwaysinline")
    for argument in function.args[: len(arrays)]:
        argument.add_attribute("noalias")
    entry, loop, end = (function.append_basic_block(label) for label in ("entry", "loop", "end"))
    size, zero = function.args[-2], ir.Constant(I64, 0)
    builder = ir.IRBuilder(entry)
    builder.cbranch(builder.icmp_signed(">", size, zero), loop, end)
    builder = ir.IRBuilder(loop)
    index = builder.phi(I64)
    sums = [builder.phi(I32) for _ in signature.totals]
    starts = {a.name: (a, start) for a, start in zip(arrays, function.args, strict=False)}
    given = dict(zip(numbers, function.args[len(arrays) : -3], strict=True))
    gains = body(Lane(builder, index, starts, given, function.args[-3]))
    counts = [gain.type == I1 for gain in gains]
    after = [_sum(builder, total, gain) for total, gain in zip(sums, gains, strict=True)]
    following = builder.add(index, ir.Constant(I64, 1))
    builder.cbranch(builder.icmp_signed("<", following, size), loop, end)
    nothing = [ir.Constant(I32, 0)] * len(sums)
    for phi, first, later in zip(
        (index, *sums), (zero, *nothing), (following, *after), strict=True
    ):
        phi.add_incoming(first, entry)
        phi.add_incoming(later, loop)
    _write_totals(ir.IRBuilder(end), entry, loop, after, counts, function.args[-1])
    return function


def _sum(builder: ir.IRBuilder, total: Value, gain: Value) -> Value:
    """Return a total and its gain; a condition that holds counts `HELD`."""
    if gain.type == I1:
        gain = builder.select(gain, ir.Constant(I32, HELD), ir.Constant(I32, 0))
    return builder.add(total, gain)


def _write_totals(
    builder: ir.IRBuilder,
    entry: ir.Block,
    loop: ir.Block,
    totals: Sequence[Value],
    counts: Sequence[bool],
    out: Value,
) -> None:
    ends = [builder.phi(I32) for _ in totals]
    for number, (phi, total) in enumerate(zip(ends, totals, strict=True)):
        phi.add_incoming(ir.Constant(I32, 0), entry)
        phi.add_incoming(total, loop)
        where = builder.gep(out, [ir.Constant(I64, number)])
        found = builder.sdiv(phi, ir.Constant(I32, HELD)) if counts[number] else phi
        builder.store(builder.sext(found, I64), where)
    builder.ret_void()


@dataclass(frozen=True)
class Code:
    """Machine code of one module; it stays as long as this object does."""

    engine: binding.ExecutionEngine

    def address(self, name: str) -> int:
        """Return where a kernel starts."""
        return int(self.engine.get_function_address(name))


@lru_cache(maxsize=256)
def compile_text(text: str) -> Code:
    """Compile the text of a module for this machine, or take what was kept of it."""
    return load(text, lambda: text)


def load(name: str, text: Callable[[], str]) -> Code:
    """Return the code called ``name``; its text is asked for only if it was not kept."""
    machine = _machine()
    key = f"{binding.llvm_version_info} {machine.triple} {_processor()} {name}"
    code = kept(key, lambda: _compiled(machine, text()))
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), machine)
    engine.add_object_file(binding.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return Code(engine)


def _compiled(machine: binding.TargetMachine, text: str) -> bytes:
    """Return the object that a module becomes."""
    module = binding.parse_assembly(text)
    module.verify()
    options = binding.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = True
    passes = binding.create_pass_builder(machine, options)
    passes.getModulePassManager().run(module, passes)
    return bytes(machine.emit_object(module))


@lru_cache(maxsize=1)
def _processor() -> tuple[str, str]:
    """Return name and features of this machine's processor."""
    return binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()


@lru_cache(maxsize=1)
def _initialize() -> None:
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()


def _machine() -> binding.TargetMachine:
    """Return a description of this machine's processor."""
    _initialize()
    name, features = _processor()
    target = binding.Target.from_default_triple()
    return target.create_target_machine(cpu=name, features=features, opt=3, jit=True)
