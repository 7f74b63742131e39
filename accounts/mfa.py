"""How are second factors shown to devices, and how are their secrets kept?

Secrets (of codes, and the seed of recovery codes) stand encrypted in the database, under a key made from SECRET_KEY:
whoever reads a copy of the tables alone cannot make codes. SECRET_KEY_FALLBACKS still open what was kept before.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings

SEALED = "gAAAA"  # how every sealed value begins; a bare secret is capital letters, a bare seed hexadecimal


def _box() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = (hashlib.sha256(b"muster.accounts.mfa|" + str(key).encode()).digest() for key in keys)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])


class Adapter(DefaultMFAAdapter):  # type: ignore[misc]
    """django-allauth's way with second factors, with our names and sealed secrets."""

    def encrypt(self, text: str) -> str:
        """Seal a secret."""
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Open a secret; one from before they were sealed is as it is."""
        if not encrypted_text.startswith(SEALED):
            return encrypted_text
        return _box().decrypt(encrypted_text.encode()).decode()

    def get_totp_label(self, user: Any) -> str:
        """Under which name an authenticator app keeps it."""
        return str(user.username)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """For which site a security key is made: this host."""
        host = context.request.get_host()
        return {"id": host.rpartition(":")[0] or host, "name": "Muster"}

    def get_public_key_credential_user_entity(self, user: Any) -> dict[str, Any]:
        """Whose key it is, as the device shows it."""
        return {"id": str(user.pk).encode(), "display_name": user.name, "name": user.username}
