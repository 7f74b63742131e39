"""Which parts of a page does a screen read again, and how do several of them go back in one answer?

A pointer usually makes several parts of a page old at once, and they draw on the same facts: read together, the facts
are gathered once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.html import format_html_join


def names_of(asked: str, templates: Mapping[str, str]) -> tuple[str, ...]:
    """The parts named in an address, ``"head,acts"``; `Http404` when one is no part of the page or named twice."""
    names = tuple(asked.split(","))
    if len(set(names)) < len(names) or not all(name in templates for name in names):
        raise Http404
    return names


def answer(
    request: HttpRequest, names: tuple[str, ...], templates: Mapping[str, str], context: dict[str, Any]
) -> HttpResponse:
    """One part as it is; several each in a ``<template>``, in the order asked, as static/js/regions.js takes them."""
    if len(names) == 1:
        return render(request, templates[names[0]], context)
    drawn = ([render_to_string(templates[name], context, request)] for name in names)
    return HttpResponse(format_html_join("", "<template>{}</template>", drawn))
