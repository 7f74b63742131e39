"""Is this a path of our own, to which a person may be sent back?"""

from __future__ import annotations

from django.utils.http import url_has_allowed_host_and_scheme


def own_path(wanted: str, otherwise: str = "/") -> str:
    """``wanted`` when it is a path on this site, else ``otherwise``: nobody is led off by a link."""
    fine = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and len(wanted) <= 2000
    return wanted if fine and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) else otherwise
