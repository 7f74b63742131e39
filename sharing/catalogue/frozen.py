"""Is an agreement still the one that was agreed?"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def digest_of(policy: Mapping[str, Any]) -> str:
    """SHA-256 of a policy's canonical JSON: keys in order, no spaces, UTF-8, whole numbers without a point."""
    text = json.dumps(_plain(policy), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    """One form for equal numbers: what is written as -0.0 comes back from the database as 0."""
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
