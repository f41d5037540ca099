"""A container gives back what was put in, or says why not: no damage goes unseen."""

from __future__ import annotations

import hashlib
import json
import os
import random
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hebbite.compiler import container
from hebbite.compiler.container import (
    JSON,
    bytes_to_tensors,
    read_container,
    tensors_to_bytes,
    write_container,
)
from hebbite.rules.errors import InputFileError, UsageError

MANIFEST: Mapping[str, JSON] = {"seed": 7, "rule": "dfa", "rate": 0.1, "none": None, "on": [True]}
MEMBERS = {"program.txt": b"program @mlp", "a/b.bin": bytes(range(64)), "empty": b""}
SHA256 = "a28c2dea260f61e4afdf20acefd18a71ea9f2a6779603f0c1fcc8d74531313f3"
TENSORS_SHA256 = "84005881f7490178eedc2d72d224f5f9a7b35d60e0813df5cde6ebebb228141c"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
member_names = st.from_regex(r"[a-z][a-z0-9_.-]{0,8}(/[a-z]{1,4})?", fullmatch=True).filter(
    lambda name: name != "manifest.json"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "small.hbt"
    write_container(file, manifest=MANIFEST, members=MEMBERS)
    return file


def forge(path: Path, members: Mapping[str, bytes], **changes: JSON) -> None:
    """Write a file with other manifest keys and sums that fit."""
    document = {
        "format": "hebbite",
        "format_version": 1,
        "members": {name: hashlib.sha256(data).hexdigest() for name, data in members.items()},
    }
    sealed = json.dumps(document | changes, sort_keys=True, indent=1).encode() + b"\n"
    path.write_bytes(b"".join(container._chunks(sealed, members)))


def refusal(path: Path, **options: int) -> InputFileError:
    with pytest.raises(InputFileError) as caught:
        read_container(path, **options)
    return caught.value


def test_a_container_gives_back_what_was_put_in(path: Path) -> None:
    read = read_container(path)
    assert read.manifest == MANIFEST
    assert read.members == MEMBERS


@given(
    st.dictionaries(st.text().filter(lambda key: "m" not in key), json_values, max_size=4),
    st.dictionaries(member_names, st.binary(max_size=40), max_size=4),
)
def test_any_content_survives_the_round_trip(
    tmp_path_factory: pytest.TempPathFactory,
    manifest: dict[str, JSON],
    members: dict[str, bytes],
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.hbt"
    write_container(file, manifest=manifest, members=members)
    read = read_container(file)
    assert read.manifest == manifest
    assert read.members == members


def test_equal_content_gives_equal_bytes_on_every_python(path: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.hbt"
    backwards = dict(reversed(MEMBERS.items()))
    write_container(again, manifest=dict(reversed([*MANIFEST.items()])), members=backwards)
    assert again.read_bytes() == path.read_bytes()
    assert hashlib.sha256(path.read_bytes()).hexdigest() == SHA256


def test_any_zip_tool_lists_the_members_and_finds_them_whole(path: Path) -> None:
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
        assert file.namelist() == ["manifest.json", "a/b.bin", "empty", "program.txt"]
        assert {info.date_time for info in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        manifest = json.loads(file.read("manifest.json"))
    assert manifest["format"] == "hebbite"
    assert manifest["members"]["empty"] == hashlib.sha256(b"").hexdigest()


def test_a_change_of_any_single_byte_is_noticed(path: Path) -> None:
    whole = path.read_bytes()
    chance = random.Random(0)
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= chance.randrange(1, 256)
        path.write_bytes(damaged)
        refusal(path)


DAMAGES: list[Callable[[bytes, int, random.Random], bytes]] = [
    lambda data, at, chance: data[:at],
    lambda data, at, chance: data[at + 1 :],
    lambda data, at, chance: data[:at] + chance.randbytes(chance.randrange(1, 9)) + data[at:],
    lambda data, at, chance: data[:at] + data[at + chance.randrange(1, 9) :],
    lambda data, at, chance: data[:at] + bytes([data[at] ^ (1 << at % 8)]) + data[at + 1 :],
]


def test_two_thousand_damages_are_all_noticed(path: Path) -> None:
    whole = path.read_bytes()
    chance = random.Random(1)
    for number in range(2000):
        damage = DAMAGES[number % len(DAMAGES)]
        path.write_bytes(damage(whole, chance.randrange(len(whole)), chance))
        assert refusal(path).code in {"HB0702", "HB0703", "HB0706", "HB0707"}


@pytest.mark.parametrize("extra", [b"\0", b"PK\x05\x06" + bytes(18)])
def test_bytes_before_or_behind_the_file_are_noticed(path: Path, extra: bytes) -> None:
    whole = path.read_bytes()
    for changed in (extra + whole, whole + extra):
        path.write_bytes(changed)
        refusal(path)


def test_a_damaged_member_is_named(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"@mlp", b"@mlq"))
    error = refusal(path)
    assert str(error) == (
        "HB0703: damaged: 'program.txt' differs from its sha256\n"
        f"  at    {path}\n"
        "  hint: restore the file from a copy, or make it again: "
        "hebbite compile MODEL -o FILE.hbt"
    )


@pytest.mark.parametrize(
    ("version", "code", "what", "hint"),
    [
        (2, "HB0704", "format version 2 is newer than this hebbite reads (1)", "pip install"),
        (0, "HB0705", "format version 0 is older than this hebbite reads (1)", "hebbite compile"),
    ],
)
def test_another_version_is_named_with_what_to_do(
    tmp_path: Path, version: int, code: str, what: str, hint: str
) -> None:
    forge(tmp_path / "x.hbt", {"new part": b""}, format_version=version)
    (problem,) = refusal(tmp_path / "x.hbt").problems
    assert (problem.code, problem.what) == (code, what)
    assert hint in problem.hint


@pytest.mark.parametrize("changes", [{"format": "other"}, {"format_version": True}])
def test_another_format_is_not_a_hebbite_file(tmp_path: Path, changes: dict[str, JSON]) -> None:
    forge(tmp_path / "x.hbt", {}, **changes)
    assert refusal(tmp_path / "x.hbt").code == "HB0702"


@pytest.mark.parametrize("name", ["/a", "../a", "a/../b", "a\\b", "C:a", ".a", "a//b", "é", "a\n"])
def test_names_that_leave_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="HB0709"):
        write_container(tmp_path / "x.hbt", manifest={}, members={name: b""})
    if name.isascii():
        forge(tmp_path / "x.hbt", {name: b""})
        assert refusal(tmp_path / "x.hbt").code == "HB0706"


def test_a_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.hbt"
    sealed = read_sealed(tmp_path)
    twice = Twice({"a": b"x"})
    file.write_bytes(b"".join(container._chunks(sealed, twice)))
    error = refusal(file)
    assert error.code == "HB0706"
    assert "'a'" in str(error)


class Twice(dict[str, bytes]):
    """A mapping that lists its items two times."""

    def items(self) -> Any:
        return [*super().items(), *super().items()]


def read_sealed(tmp_path: Path) -> bytes:
    forge(tmp_path / "sealed.hbt", {"a": b"x"})
    with zipfile.ZipFile(tmp_path / "sealed.hbt") as file:
        return file.read("manifest.json")


@pytest.mark.parametrize(("field", "value", "word"), [(8, 1, "encrypted"), (10, 8, "compressed")])
def test_encrypted_and_compressed_members_are_refused(
    path: Path, field: int, value: int, word: str
) -> None:
    data = bytearray(path.read_bytes())
    last = data.rindex(b"PK\x01\x02")
    struct.pack_into("<H", data, last + field, value)
    path.write_bytes(data)
    error = refusal(path)
    assert error.code == "HB0706"
    assert word in str(error)


def test_a_file_packed_by_another_tool_is_refused(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.hbt"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as new:
        new.comment = old.comment
        for name in old.namelist():
            new.writestr(name, old.read(name))
    assert refusal(other).code == "HB0706"


def test_sizes_and_counts_have_a_limit(path: Path, tmp_path: Path) -> None:
    assert refusal(path, max_bytes=100).code == "HB0707"
    many = {f"m{number}": b"" for number in range(64)}
    with pytest.raises(UsageError, match="64 members"):
        write_container(path, manifest={}, members=many)
    forge(path, many)
    assert refusal(path).code == "HB0707"


@pytest.mark.parametrize("content", [b"", b"no", b"x" * 400, b"\x89HDF\r\n\x1a\n" + bytes(400)])
def test_other_files_are_not_hebbite_files(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.hbt"
    file.write_bytes(content)
    assert refusal(file).code == "HB0702"


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    assert refusal(tmp_path / "absent.hbt").code == "HB0701"
    assert refusal(tmp_path).code == "HB0701"
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "pipe").code == "HB0701"


@pytest.mark.parametrize(
    "sealed",
    [
        b"[" * 100_000,
        b"[]",
        b"\xff",
        *(
            b'{"format":"hebbite","format_version":1,"members":{},"x":' + value + b"}"
            for value in (b"1", b"NaN", b"1e999", b"[" * 900 + b"]" * 900, b'{"y":1,"y":1}')
        ),
    ],
)
def test_a_manifest_in_another_form_is_refused(tmp_path: Path, sealed: bytes) -> None:
    (tmp_path / "x.hbt").write_bytes(b"".join(container._chunks(sealed, {})))
    assert refusal(tmp_path / "x.hbt").code == "HB0703"


def test_members_that_overlap_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.hbt"
    forge(file, {"a": bytes(900), "b": bytes(900)})
    data = file.read_bytes()
    first, second = data.index(b"PK\x03\x04", 4), data.rindex(b"PK\x03\x04")
    shorter = bytearray(data[:second] + data[data.index(b"PK\x01\x02") :])
    struct.pack_into("<L", shorter, len(shorter) - container._TAIL + 16, second)
    struct.pack_into("<L", shorter, shorter.rindex(b"PK\x01\x02") + 42, first)
    file.write_bytes(shorter)
    assert "overlap" in str(refusal(file))


@pytest.mark.parametrize(
    "manifest",
    [
        {"format": "mine"},
        {"members": 1},
        {"x": float("nan")},
        {"x": [1, float("inf")]},
        {"x": {1: 2}},
        {"x": np.int64(1)},
        {"x": b""},
        {"x": 10**5000},
        {"x": json.loads("[" * 40 + "]" * 40)},
    ],
)
def test_a_manifest_that_would_not_come_back_equal_is_refused(
    path: Path, manifest: Mapping[str, Any]
) -> None:
    old = path.read_bytes()
    with pytest.raises(UsageError, match="HB0709"):
        write_container(path, manifest=manifest, members={})
    assert path.read_bytes() == old


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failed_write_keeps_the_old_file_and_leaves_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def fail(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    old = path.read_bytes()
    monkeypatch.setattr(os, call, fail)
    with pytest.raises(InputFileError, match="HB0701: cannot write the file: No space left"):
        write_container(path, manifest={}, members={})
    assert path.read_bytes() == old
    assert list(path.parent.iterdir()) == [path]


def test_an_interrupted_write_keeps_the_old_file_and_leaves_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(descriptor: int) -> None:
        raise KeyboardInterrupt

    old = path.read_bytes()
    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_container(path, manifest={}, members={})
    assert path.read_bytes() == old
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_that_is_absent_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="HB0701"):
        write_container(tmp_path / "no" / "x.hbt", manifest={}, members={})


def test_permissions_follow_the_umask_and_a_link_stays_a_link(tmp_path: Path) -> None:
    link, file = tmp_path / "link.hbt", tmp_path / "file.hbt"
    link.symlink_to(file)
    before = os.umask(0o027)
    try:
        write_container(link, manifest={}, members={})
    finally:
        os.umask(before)
    assert link.is_symlink()
    assert file.stat().st_mode & 0o777 == 0o640


TENSORS: dict[str, Any] = {
    "weights": np.arange(6, dtype=np.int8).reshape(2, 3),
    "wide": np.array([-(2**62)], np.int64),
    "i16": np.array([[-5]], np.int16),
    "i32": np.array([7, -7], np.int32),
    "pixels": np.array([255], np.uint8),
    "f4": np.array([0.1, np.nan, -0.0], np.float32),
    "f8": np.array(0.1),
    "mask": np.array([True, False]),
    "none": np.zeros((0, 3), np.float64),
    "noted": np.zeros((2, 0), np.int8),
}


def test_tensors_come_back_bit_for_bit_as_read_only_views() -> None:
    data = tensors_to_bytes(TENSORS)
    read = bytes_to_tensors(data)
    assert list(read) == sorted(TENSORS)
    for name, tensor in TENSORS.items():
        assert (read[name].dtype, read[name].shape) == (tensor.dtype, tensor.shape)
        assert read[name].tobytes() == tensor.tobytes()
        assert not read[name].flags.writeable
    assert bytes_to_tensors(tensors_to_bytes({})) == {}


def test_tensor_bytes_do_not_depend_on_order_layout_or_byte_order() -> None:
    data = tensors_to_bytes(TENSORS)
    backwards = dict(reversed(TENSORS.items()))
    backwards["weights"] = np.asfortranarray(TENSORS["weights"])
    backwards["i32"] = TENSORS["i32"].astype(">i4")
    assert tensors_to_bytes(backwards) == data
    assert hashlib.sha256(data).hexdigest() == TENSORS_SHA256


@pytest.mark.parametrize(
    "tensor", [np.zeros(1, np.float16), np.zeros(1, object), np.array("a"), np.zeros(1, "i4,i4")]
)
def test_other_dtypes_are_refused(tensor: Any) -> None:
    with pytest.raises(UsageError, match="HB0709"):
        tensors_to_bytes({"x": tensor})


def header(text: str, data: bytes = bytes(8)) -> bytes:
    return len(text).to_bytes(8, "little") + text.encode() + data


ONE = '"dtype":"I8","shape":[8]'


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff" * 40,
        header("[]", b""),
        header("{", b""),
        header("{}"),
        header(f'{{"x":{{{ONE},"data_offsets":[0,7]}}}}'),
        header(f'{{"x":{{{ONE},"data_offsets":[1,9]}}}}'),
        header(f'{{"x":{{{ONE},"data_offsets":[0,8]}}}}', bytes(9)),
        header(f'{{"x":{{{ONE},"data_offsets":[0,8]}}}}', bytes(7)),
        header(f'{{"x":{{{ONE},"data_offsets":[0,8],"more":1}}}}'),
        header(f'{{"x":{{{ONE},"data_offsets":[0,8]}},"y":{{{ONE},"data_offsets":[0,8]}}}}'),
        header(f'{{"x":{{{ONE},"data_offsets":[0,8]}},"x":{{{ONE},"data_offsets":[0,8]}}}}'),
        header('{"x":{"dtype":"F16","shape":[4],"data_offsets":[0,8]}}'),
        header('{"x":{"dtype":"I8","shape":[-8],"data_offsets":[0,8]}}'),
        header('{"x":{"dtype":"I8","shape":[8.0],"data_offsets":[0,8]}}'),
        header('{"x":{"dtype":"I8","shape":[0,9999999999,9999999999],"data_offsets":[0,0]}}', b""),
        header('{"x":{"dtype":"BOOL","shape":[8],"data_offsets":[0,8]}}', b"\2" * 8),
        header('{"__metadata__":{"a":"b"}}', b""),
    ],
)
def test_odd_tensor_files_are_refused(data: bytes) -> None:
    with pytest.raises(InputFileError, match="HB0708"):
        bytes_to_tensors(data)
