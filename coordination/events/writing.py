"""Which text may be kept, and when does it say nothing?

A text on a wall or in an order must be what it looks like: no character that PostgreSQL or UTF-8 cannot hold, none
that turns the rest of its line round (a headline could show another number than it holds), and not only characters
that nobody sees. Joiners and direction marks, which other scripts need, stay.
"""

from __future__ import annotations

import re
import unicodedata

_UNFIT = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]"
    r"|[\u202a-\u202e\u2066-\u2069]"  # embeddings, overrides and isolates of direction
)
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Characters that count as letters or marks, and show nothing."""
_UNSEEN = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})


def is_storable(text: str) -> bool:
    """Whether a text holds no NUL, lone surrogate, control character but tab and line ends, or turner of lines."""
    return _UNFIT.search(text) is None


def trimmed(text: str) -> str:
    """The text without blanks at its ends; empty when nothing in it can be seen."""
    bare = text.strip()
    if bare.isascii():
        return bare
    unseen = all(one in _BLANK or unicodedata.category(one) in _UNSEEN for one in bare)
    return "" if unseen else bare
