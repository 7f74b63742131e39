"""Is a password more than the words that everybody here would try first?

The list: this product, what it is about, the person's own names (checked by Django beside it), the codes and short
names of the departments, and what MUSTER_PASSWORD_WORDS adds. A password must hold eight letters besides them.
"""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import Department

WORDS = (
    "muster", "password", "passphrase", "emergency", "command", "control", "centre", "center", "city", "duty",
    "officer", "commander", "administrator", "admin", "fire", "police", "rescue", "department", "instruction",
    "incident", "secret", "welcome", "letmein", "qwerty", "abcdef", "应急", "指挥", "中心", "密码", "值班",
)  # fmt: skip
LEAST = 8


class ContextWords:
    """Refuses passwords made of the words of this place and of digits."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise where fewer than eight letters are left without them."""
        rest = password.lower()
        for word in sorted(self._words(user), key=len, reverse=True):
            rest = rest.replace(word, " ")
        letters = re.findall(r"[^\W\d_]", rest)
        if len(letters) < LEAST or len(set(letters)) < 4:
            said = _("These are words that everybody here would try. Add some of your own.")
            raise ValidationError(said, code="words")

    def get_help_text(self) -> str:
        """What people are told."""
        return _("Not made of the words of this place alone.")

    def _words(self, user: Any) -> set[str]:
        found = {*WORDS, *settings.MUSTER_PASSWORD_WORDS, str(getattr(user, "username", ""))}
        for row in Department.objects.values_list("code", "short_en", "short_zh"):
            found.update(row)
        return {word.lower() for word in found if len(word) >= 2}
