"""Does the API refuse what no room should ever see?"""

from __future__ import annotations

import time
from typing import Any

import pytest

from sharing.access.rest.reading import MAX_BYTES, Malformed, TooBig, decode

HOSTILE: dict[str, bytes] = {
    "nul in a value": b'{"a": "x\\u0000y"}',
    "nul in a name": b'{"a\\u0000": 1}',
    "raw nul": b'{"a": "\x00"}',
    "lone surrogate in a value": b'{"a": "\\ud800"}',
    "lone surrogate in a name": b'{"\\udfff": 1}',
    "surrogate as bytes": b'{"a": "\xed\xa0\x80"}',
    "bad utf-8": b'{"a": "\xff"}',
    "100,000 deep": b"[" * 100_000,
    "1,000 deep, closed": b"[" * 1_000 + b"]" * 1_000,
    "33 deep": b"[" * 33 + b"]" * 33,
    "5,000 digits": b'{"a": ' + b"9" * 5_000 + b"}",
    "beyond 64 bits": b'{"a": 9223372036854775808}',
    "nan": b'{"a": NaN}',
    "infinity": b'{"a": Infinity}',
    "1e400": b'{"a": 1e400}',
    "cut off": b'{"a": 1',
    "not json": b"hello",
    "doubled name": b'{"a": 1, "a": 2}',
    "doubled name, deep": b'{"a": {"b": [{"c": 1, "c": 1}]}}',
    "quotes without end": b'"' + b'\\"' * 400_000,
    "trailing comma": b'{"a": 1,}',
    "comment": b'{"a": 1 /* x */}',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_json_is_malformed_and_quick(name: str) -> None:
    began = time.process_time()
    with pytest.raises(Malformed):
        decode(HOSTILE[name])
    assert time.process_time() - began < 2


def test_one_byte_too_many_is_too_big() -> None:
    with pytest.raises(TooBig):
        decode(b'"' + b"x" * MAX_BYTES + b'"')


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"", {}),
        (b"  ", {}),
        (b'{"a": [1, 2.5, true, null, "\\u4e2d\\ud83d\\ude00"]}', {"a": [1, 2.5, True, None, "中😀"]}),
        (b'{"a": "{\\"b\\": 1, \\"b\\": 2}", "c": {"a": 1}}', {"a": '{"b": 1, "b": 2}', "c": {"a": 1}}),
        (b"[" * 32 + b"]" * 32, None),
    ],
)
def test_what_is_well_formed_is_read(body: bytes, value: Any) -> None:
    assert decode(body) == (decode(body) if value is None else value)
