"""In which of its two languages is a stored text shown?"""

from __future__ import annotations

from django.utils.translation import get_language


def localized(zh: str, en: str) -> str:
    """The text in the reader's language, or the other one where it is empty."""
    chinese = (get_language() or "").startswith("zh")
    return (zh or en) if chinese else (en or zh)
