"""How does a template say which streams make a region old?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def live_region(cursor: Mapping[str, Sequence[int]], part: str, *streams: str) -> SafeString:
    """Attributes of a live region: its streams (all of ``cursor``, or those named), their cursor and its address.

    ``cursor`` comes from ``live.queries.cursor`` and was read before the page's data.
    """
    shown = {stream: list(cursor[stream]) for stream in (streams or cursor) if stream in cursor}
    printed = json.dumps(shown, separators=(",", ":"))
    return format_html('data-live="{}" data-cursor="{}" data-part="{}"', " ".join(shown), printed, part)
