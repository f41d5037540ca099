"""The `.hbt` container: a manifest and named members in one file in which no damage goes unseen.

In: a manifest (JSON) and members (bytes). Out: a ZIP that any tool lists, whose every byte follows
from its content: stored, `manifest.json` first, then members by name, one date, one set of
attributes. The manifest holds the sha256 of each member, the ZIP comment the sha256 of the
manifest. A reader writes the content again in memory and compares byte for byte, so headers and
directory are guarded as well as the content. The sums find damage; they are no signature.

Every format version keeps this much, so that each release can name the version it refuses:
`manifest.json` first and stored, with `format` and `format_version`, its sum in the comment.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import re
import secrets
import stat
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from hebbite.rules.errors import InputFileError, Problem, UsageError

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"
Array: TypeAlias = NDArray[Any]

FORMAT: Final = "hebbite"
FORMAT_VERSION: Final = 1
MAX_BYTES: Final = 2**31
MAX_MEMBERS: Final = 64
MAX_HEADER_BYTES: Final = 2**24
_MANIFEST = "manifest.json"
_RESERVED = frozenset({"format", "format_version", "members"})
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
_NAME_LENGTH = 200
_MAX_DEPTH = _MAX_DIMENSIONS = 32
_REMAKE = "restore the file from a copy, or make it again: hebbite compile MODEL -o FILE.hbt"

# PKWARE APPNOTE 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16; no ZIP64 below 4 GiB.
_LOCAL, _CENTRAL = struct.Struct("<4s5H3L2H"), struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_LOCAL_MARK, _CENTRAL_MARK, _END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_NEEDED, _MADE_BY = 20, (3 << 8) | 20  # ZIP 2.0; Unix, so that the mode below is read as one
_MODE = (stat.S_IFREG | 0o644) << 16
_DATE = (1 << 5) | 1  # 1 January 1980, the first day a ZIP knows
_COMMENT = b"hebbite manifest sha256 "
_BLOCK = 2**20
"""Bytes that are compared at once."""
_TAIL = _END.size + len(_COMMENT) + 64

_CODES = {"BOOL": "?", "U8": "u1", "I8": "i1", "I16": "<i2", "I32": "<i4", "I64": "<i8"}
_DTYPES = {code: np.dtype(text) for code, text in (_CODES | {"F32": "<f4", "F64": "<f8"}).items()}


@dataclass(frozen=True)
class Container:
    """What a file holds: the writer's manifest and the members by name."""

    manifest: Mapping[str, JSON]
    members: Mapping[str, bytes]


@dataclass(frozen=True)
class _Entry:
    """One line of the central directory; bit 0 of the flags says encrypted."""

    name: str
    flags: int
    method: int
    stored: int
    size: int
    offset: int


def write_container(
    path: str | os.PathLike[str], *, manifest: Mapping[str, JSON], members: Mapping[str, bytes]
) -> None:
    """Write a file whose bytes depend on the content alone, whole or not at all.

    Floats in the manifest are finite. Raises `UsageError` for content that no container holds
    and `InputFileError` HB0701 if the file cannot be written; then the old file is untouched.
    """
    if len(members) + 1 > MAX_MEMBERS:
        _misuse(f"{len(members)} members; a container holds {MAX_MEMBERS - 1}")
    for name in members:
        if not _is_member_name(name):
            _misuse(f"'{name}' is not a member name: letters, digits, _ . - and / between them")
    sealed = _seal(manifest, members)
    if sum(len(data) for data in members.values()) + len(sealed) > MAX_BYTES - MAX_HEADER_BYTES:
        _misuse(f"more content than a container of {MAX_BYTES} bytes holds")
    where = Path(os.path.realpath(path))
    try:
        replace_file(where, _chunks(sealed, members))
    except OSError as error:
        what = f"cannot write the file: {error.strerror or error}"
        raise InputFileError(Problem("HB0701", what, at=str(path))) from error


def read_container(path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> Container:
    """Return the content of a file that is whole, of this version, and exactly as written.

    Raises `InputFileError`: HB0701 cannot be read, HB0702 not a hebbite file, HB0703 damaged,
    HB0704 newer version, HB0705 older version, HB0706 refused construction, HB0707 too large.
    """
    at = os.fspath(path)
    try:
        if not stat.S_ISREG(os.stat(at).st_mode):  # a pipe would wait, a device never end
            _refuse("HB0701", "cannot read the file: it is a folder, a pipe or a device", at, "")
        with open(at, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > max_bytes:
                _refuse("HB0707", f"{size} bytes; the limit is {max_bytes}", at)
            return _read(file, size, at)
    except OSError as error:
        what = f"cannot read the file: {error.strerror or error}"
        raise InputFileError(Problem("HB0701", what, at=at)) from error


def tensors_to_bytes(tensors: Mapping[str, Array]) -> bytes:
    """Return safetensors bytes that depend on names, dtypes, shapes and values alone.

    Takes bool, uint8, int8/16/32/64 and float32/64 of any byte order and layout. Raises
    `UsageError` HB0709 for another dtype.
    """
    known = {dtype.newbyteorder("="): dtype for dtype in _DTYPES.values()}
    plain: dict[str, Array] = {}
    for name, tensor in sorted(tensors.items()):
        dtype = known.get(tensor.dtype.newbyteorder("="))
        if dtype is None or tensor.ndim > _MAX_DIMENSIONS or name == "__metadata__":
            _misuse(f"tensor '{name}' of {tensor.dtype} and {tensor.ndim} dimensions")
        plain[name] = np.asarray(tensor, dtype=dtype, order="C")
    return save(plain)


def bytes_to_tensors(data: bytes, *, at: str = "tensors.safetensors") -> dict[str, Array]:
    """Return read-only views into ``data``, by name, without a copy.

    Raises `InputFileError` HB0708 for anything but a header, then tensors of the dtypes above
    without holes, overlaps or rest.
    """
    length = int.from_bytes(data[:8], "little")
    start = 8 + length
    if len(data) < start or not 2 <= length <= MAX_HEADER_BYTES:
        _refuse("HB0708", f"a tensor header of {length} bytes in {len(data)}", at)
    header = _parse(data[8:start], "HB0708", at)
    tensors: dict[str, Array] = {}
    expected = start
    for name, dtype, shape, begin, end in sorted(_specs(header, at), key=lambda spec: spec[3:]):
        count = math.prod(shape) * dtype.itemsize
        if start + begin != expected or end - begin != count or start + end > len(data):
            _refuse("HB0708", f"tensor '{name}' does not lie where its shape says", at)
        tensors[name] = np.ndarray(shape, dtype, buffer=data, offset=expected)
        if dtype == np.bool_ and bool((tensors[name].view(np.uint8) > 1).any()):
            _refuse("HB0708", f"tensor '{name}' holds a truth value above 1", at)
        expected += count
    if expected != len(data):
        _refuse("HB0708", f"{len(data) - expected} bytes behind the last tensor", at)
    return dict(sorted(tensors.items()))


def _specs(
    header: Mapping[str, Any], at: str
) -> Iterator[tuple[str, np.dtype[Any], tuple[int, ...], int, int]]:
    """Yield name, dtype, shape, begin and end of each tensor that a header declares."""
    for name, spec in header.items():
        match spec:
            case {"dtype": str(code), "shape": [*shape], "data_offsets": [begin, end], **rest} if (
                code in _DTYPES
                and not rest
                and len(shape) <= _MAX_DIMENSIONS
                and all(type(n) is int and 0 <= n < 2**40 for n in (*shape, begin, end))
                and math.prod(max(n, 1) for n in shape) < 2**48
            ):
                yield name, _DTYPES[code], tuple(shape), begin, end
            case _:
                _refuse("HB0708", f"tensor '{name}' is declared in a way that is not known", at)


def _is_member_name(name: str) -> bool:
    return name != _MANIFEST and len(name) <= _NAME_LENGTH and bool(_NAME.fullmatch(name))


def _misuse(what: str) -> NoReturn:
    raise UsageError(Problem("HB0709", what))


def _refuse(code: str, what: str, at: str, hint: str = _REMAKE) -> NoReturn:
    raise InputFileError(Problem(code, what, at=at, hint=hint))


def _sum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _comment(sealed: bytes) -> bytes:
    return _COMMENT + _sum(sealed).encode("ascii")


def _canonical(document: Mapping[str, JSON]) -> bytes:
    return json.dumps(document, sort_keys=True, indent=1, allow_nan=False).encode("ascii") + b"\n"


def _is_canonical(sealed: bytes, document: Mapping[str, JSON]) -> bool:
    try:
        return _canonical(document) == sealed
    except (ValueError, RecursionError):  # 1e999, or nested deeper than it can be written
        return False


def _plain(value: JSON, at: str, depth: int = 1) -> JSON:
    """Return the value as dicts and lists, so that what is read equals what was written."""
    if depth > _MAX_DEPTH:
        _misuse(f"{at} nests deeper than {_MAX_DEPTH}")
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else _misuse(f"{at} is {value}: JSON knows no such")
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            _misuse(f"{at} has a key that is no string")
        return {key: _plain(item, f"{at}.{key}", depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, f"{at}[{index}]", depth + 1) for index, item in enumerate(value)]
    _misuse(f"{at} is {type(value).__name__}, which JSON does not know")


def _seal(manifest: Mapping[str, JSON], members: Mapping[str, bytes]) -> bytes:
    """Return `manifest.json`: the writer's keys, format, version and the sum of each member."""
    if taken := _RESERVED & set(manifest):
        _misuse(f"the manifest key '{min(taken)}' belongs to the container")
    plain = {key: _plain(value, key) for key, value in manifest.items()}
    sums: dict[str, JSON] = {name: _sum(data) for name, data in members.items()}
    plain |= {"format": FORMAT, "format_version": FORMAT_VERSION, "members": sums}
    try:
        sealed = _canonical(plain)
    except ValueError as error:  # an integer of more digits than Python prints
        _misuse(f"the manifest cannot be written as JSON: {error}")
    if len(sealed) > MAX_HEADER_BYTES:
        _misuse(f"a manifest of {len(sealed)} bytes; the limit is {MAX_HEADER_BYTES}")
    return sealed


def _chunks(sealed: bytes, members: Mapping[str, bytes]) -> Iterator[bytes]:
    """Yield the one file that holds this content: local headers and data, directory, end."""
    directory: list[bytes] = []
    offset = 0
    for name, data in [(_MANIFEST, sealed), *sorted(members.items())]:
        encoded = name.encode("ascii")
        shared = (_NEEDED, 0, 0, 0, _DATE, zlib.crc32(data), len(data), len(data), len(encoded), 0)
        local = _LOCAL.pack(_LOCAL_MARK, *shared) + encoded
        line = _CENTRAL.pack(_CENTRAL_MARK, _MADE_BY, *shared, 0, 0, 0, _MODE, offset)
        directory.append(line + encoded)
        yield local
        yield data
        offset += len(local) + len(data)
    central = b"".join(directory)
    comment, count = _comment(sealed), len(directory)
    end = _END.pack(_END_MARK, 0, 0, count, count, len(central), offset, len(comment))
    yield central + end + comment


def replace_file(path: Path, chunks: Iterable[bytes]) -> None:
    """Put the chunks in place of ``path`` at once; on failure leave nothing behind."""
    temporary = path.with_name(f".hebbite-{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.writelines(chunks)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # not every system can sync a folder; the file is whole
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _read(file: BinaryIO, size: int, at: str) -> Container:
    entries, comment = _directory(file, size, at)
    sealed = _member(file, entries[0], size, at)
    if _comment(sealed) != comment:
        _refuse("HB0703", "damaged: manifest.json differs from its sha256", at)
    document = _parse(sealed, "HB0703", at)
    _check_version(document, at)
    if sum(entry.size for entry in entries) > size:
        _refuse("HB0703", "damaged: the members overlap", at)
    names = [entry.name for entry in entries[1:]]
    for name in names:
        if not _is_member_name(name) or names.count(name) > 1:
            _refuse("HB0706", f"the member name {name!r} is refused", at)
    members = {entry.name: _member(file, entry, size, at) for entry in entries[1:]}
    _check_sums(document, members, at)
    file.seek(0)
    same = all(_follows(file, chunk) for chunk in _chunks(sealed, members))
    if not same or file.tell() != size or not _is_canonical(sealed, document):
        _refuse("HB0703", "damaged or repacked: the bytes are not those that were written", at)
    manifest = {key: value for key, value in document.items() if key not in _RESERVED}
    return Container(manifest, members)


def _follows(file: BinaryIO, chunk: bytes) -> bool:
    """Whether a file goes on with a chunk."""
    blocks = (chunk[first : first + _BLOCK] for first in range(0, len(chunk), _BLOCK))
    return all(file.read(len(block)) == block for block in blocks)


def _directory(file: BinaryIO, size: int, at: str) -> tuple[list[_Entry], bytes]:
    """Return the entries and the ZIP comment."""
    tail = _slice(file, max(size - _TAIL, 0), min(_TAIL, size))
    if len(tail) < _TAIL or not tail.startswith(_END_MARK):
        if tail.find(_END_MARK) < 0 and _slice(file, 0, 4) != _LOCAL_MARK:
            _refuse("HB0702", "not a hebbite file", at)
        _refuse("HB0703", "damaged, cut off or repacked: the end of the file is not its own", at)
    count, length, offset = _END.unpack_from(tail)[4:7]
    if count > MAX_MEMBERS:
        _refuse("HB0707", f"{count} members; the limit is {MAX_MEMBERS}", at)
    longest = count * (_CENTRAL.size + _NAME_LENGTH)
    if not 0 < length <= longest or offset + length != size - _TAIL:
        _refuse("HB0703", "damaged: the directory is not where the file says", at)
    central = _slice(file, offset, length)
    entries: list[_Entry] = []
    while len(entries) < count and len(central) >= _CENTRAL.size:
        entry, used = _entry(central)
        entries.append(entry)
        central = central[used:]
    if central or len(entries) != count or entries[0].name != _MANIFEST:
        _refuse("HB0703", "damaged: the directory cannot be read", at)
    return entries, tail[_END.size :]


def _entry(central: bytes) -> tuple[_Entry, int]:
    """Return the first entry and its length; the comparison at the end judges the other fields."""
    fields = _CENTRAL.unpack_from(central)
    used = _CENTRAL.size + sum(fields[10:13])
    name = central[_CENTRAL.size : _CENTRAL.size + fields[10]].decode("latin-1")
    return _Entry(name, fields[3], fields[4], fields[8], fields[9], fields[16]), used


def _member(file: BinaryIO, entry: _Entry, size: int, at: str) -> bytes:
    if entry.flags & 1:
        _refuse("HB0706", f"'{entry.name}' is encrypted", at)
    if entry.method:
        _refuse("HB0706", f"'{entry.name}' is compressed", at)
    if entry.name == _MANIFEST and entry.size > MAX_HEADER_BYTES:
        _refuse("HB0707", f"a manifest of {entry.size} bytes; the limit is {MAX_HEADER_BYTES}", at)
    begin = entry.offset + _LOCAL.size + len(entry.name)
    if entry.stored != entry.size or begin + entry.size > size - _TAIL:
        _refuse("HB0703", f"damaged: '{entry.name}' is not where the file says", at)
    return _slice(file, begin, entry.size)


def _slice(file: BinaryIO, offset: int, length: int) -> bytes:
    file.seek(offset)
    return file.read(length)


def _parse(text: bytes, code: str, at: str) -> dict[str, Any]:
    """Return a JSON object; a key that stands twice is refused, a NaN becomes text."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a key stands twice")
        return dict(pairs)

    try:
        document = json.loads(text.decode(), object_pairs_hook=unique, parse_constant=str)
    except (ValueError, RecursionError) as error:
        _refuse(code, f"the header cannot be read: {error}", at)
    if not isinstance(document, dict):
        _refuse(code, "the header is not an object", at)
    return document


def _check_version(document: Mapping[str, Any], at: str) -> None:
    version = document.get("format_version")
    if document.get("format") != FORMAT or type(version) is not int:
        _refuse("HB0702", "not a hebbite file", at)
    age = "newer" if version > FORMAT_VERSION else "older"
    what = f"format version {version} is {age} than this hebbite reads ({FORMAT_VERSION})"
    if version > FORMAT_VERSION:
        _refuse("HB0704", what, at, "pip install --upgrade hebbite")
    if version < FORMAT_VERSION:
        _refuse("HB0705", what, at, "make it again: hebbite compile MODEL -o FILE.hbt")


def _check_sums(document: Mapping[str, Any], members: Mapping[str, bytes], at: str) -> None:
    sums = document.get("members")
    if not isinstance(sums, dict) or set(sums) != set(members):
        _refuse("HB0703", "damaged: the members are not those that the manifest lists", at)
    for name, data in members.items():
        if sums[name] != _sum(data):
            _refuse("HB0703", f"damaged: '{name}' differs from its sha256", at)
