"""How are the fields of a form written out, many hundreds of options on one page?

Django draws each option by a template that includes another: a list of 200 departments in six forms is a quarter of a
second of a core. The plain widgets are put together here instead, to the same tags; all others go Django's way.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from django import forms
from django.forms.renderers import DjangoTemplates
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

_FOLDER = "django/forms/widgets/"
_INPUTS = frozenset(f"{_FOLDER}{name}.html" for name in ("text", "number", "email", "url", "hidden", "password"))
_SELECT, _OPTION, _AREA = f"{_FOLDER}select.html", f"{_FOLDER}select_option.html", f"{_FOLDER}textarea.html"


class Widgets(DjangoTemplates):
    """Django's renderer, with lists to choose from, text areas and one-line inputs written directly."""

    def render(self, template_name: str, context: Mapping[str, Any], request: Any = None) -> SafeString:
        """Return the HTML of one widget."""
        if template_name in _INPUTS:
            return mark_safe(_input(context["widget"]))  # noqa: S308 - every value in it is escaped below
        if template_name == _AREA:
            return mark_safe(_area(context["widget"]))  # noqa: S308
        if template_name == _SELECT and _plain(context["widget"]):
            return mark_safe(_select(context["widget"]))  # noqa: S308
        return mark_safe(super().render(template_name, dict(context), request))  # noqa: S308 - drawn by a template


class List(forms.Select):
    """A list to open, written without a dictionary for each option; one with groups goes Django's way."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Return the same tags as `django.forms.Select`."""
        options = list(self.choices)
        if self.allow_multiple_selected or any(isinstance(label, list | tuple) for _value, label in options):
            return super().render(name, value, attrs, renderer)
        chosen = set(self.format_value(value))
        parts = [f'<select name="{_text(name)}"{_attributes(self.build_attrs(self.attrs, attrs))}>']
        for given, label in options:
            said = "" if given is None else str(given)
            mark = ""
            if said in chosen:
                mark, chosen = " selected", set()  # the first that fits
            parts.append(f'\n  <option value="{_text(said)}"{mark}>{_text(label)}</option>')
        return mark_safe("".join(parts) + "\n</select>")  # noqa: S308 - every value in it is escaped


def _text(value: Any) -> str:
    if type(value) is str:  # nearly always; asking whether it is lazy or safe takes longer than escaping it
        return escape(value)
    return str(conditional_escape(value))


def _attributes(attrs: Mapping[str, Any]) -> str:
    """`` name="value"`` of each; true is the name alone, false is nothing."""
    return "".join(
        f" {_text(name)}" if value is True else f' {_text(name)}="{_text(str(value))}"'
        for name, value in attrs.items()
        if value is not False
    )


def _input(widget: Mapping[str, Any]) -> str:
    value = "" if widget["value"] is None else f' value="{_text(str(widget["value"]))}"'
    name, attrs = _text(widget["name"]), _attributes(widget["attrs"])
    return f'<input type="{_text(widget["type"])}" name="{name}"{value}{attrs}>'


def _area(widget: Mapping[str, Any]) -> str:
    value = _text(str(widget["value"])) if widget["value"] else ""
    return f'<textarea name="{_text(widget["name"])}"{_attributes(widget["attrs"])}>\n{value}</textarea>'


def _plain(widget: Mapping[str, Any]) -> bool:
    return all(option["template_name"] == _OPTION for _group, options, _n in widget["optgroups"] for option in options)


def _select(widget: Mapping[str, Any]) -> str:
    parts = [f'<select name="{_text(widget["name"])}"{_attributes(widget["attrs"])}>']
    for group, options, _index in widget["optgroups"]:
        if group:
            parts.append(f'\n  <optgroup label="{_text(group)}">')
        parts += [
            f'\n  <option value="{_text(str(one["value"]))}"{_attributes(one["attrs"])}>{_text(one["label"])}</option>'
            for one in options
        ]
        if group:
            parts.append("\n  </optgroup>")
    return "".join(parts) + "\n</select>"
