"""For which department was this form opened?

Built into every template: `{% csrf_token %}` stands in each form that changes something, so it says this as well.
"""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from sharing.access.opened_for import OPENED_FOR

register = template.Library()


@register.simple_tag(takes_context=True)
def csrf_token(context: dict[str, Any]) -> SafeString:
    """Django's hidden field, and beside it the department for which the page was made (none before signing in)."""
    token = context.get("csrf_token")
    if not token or token == "NOTPROVIDED":  # noqa: S105 - what Django says where there is none
        return SafeString("")
    field = format_html('<input type="hidden" name="csrfmiddlewaretoken" value="{}">', token)
    department = getattr(getattr(context.get("request"), "actor", None), "department_id", None)
    if department is None:
        return field
    return field + format_html('<input type="hidden" name="{}" value="{}">', OPENED_FOR, department)
