"""What does a browser still show when the server cannot be reached?"""

from __future__ import annotations

import json

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

LANGUAGES = {"en": "en", "zh-Hans": "zh-hans"}
"""Languages by the tag that pages carry."""

STYLES = ("vendor/bootstrap-5.3.8/bootstrap.min.css", "css/tokens.css", "css/frame.css", "css/parts.css")
KEPT = (*STYLES, "css/pages.css", "js/offline.js", "img/mark.svg")
"""What is kept before it is asked for: what the page for a lost line needs. The rest is kept when a page uses it."""


def _language(request: HttpRequest) -> str:
    """The tag of the language asked for; what is none is English."""
    tag = request.GET.get("lang", "")
    return tag if tag in LANGUAGES else "en"


@never_cache
@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker, for pages in one language. Never kept by the browser, so that each build brings its own."""
    language = _language(request)
    about = {
        "name": f"muster {settings.MUSTER_BUILD} {language}",
        "page": f"{reverse('offline')}?lang={language}",
        "files": [static(path) for path in KEPT],
        "static": settings.STATIC_URL,
    }
    script = render(request, "offline/sw.js", {"about": json.dumps(about)}).content
    return HttpResponse(script, content_type="text/javascript; charset=utf-8")


@never_cache
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The one page for a lost line: what still works, and what to do."""
    with translation.override(LANGUAGES[_language(request)]):
        return render(request, "offline/page.html", {"styles": STYLES})
