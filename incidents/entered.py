"""Is what was entered about an incident fit to be kept?

What every room asks of its input stands in `sharing.catalogue.entered`; here, what only incidents have.
"""

from __future__ import annotations

import math
from typing import Any

from django.utils.translation import gettext_lazy as _

from sharing.catalogue import entered
from sharing.catalogue.entered import reason as reason
from sharing.catalogue.entered import row_id as row_id

HEADLINE_ZH = 22
HEADLINE_EN = 40


class Entered(entered.Entered):
    """Collects what is wrong with one input about an incident."""

    def headlines(self, zh: Any, en: Any, *, needed: bool = False) -> tuple[str, str]:
        """Headline of at most 22 Chinese or 40 Latin characters, on one line; ``needed``: at least one of them."""
        chinese = " ".join(self.text("headline_zh", zh, HEADLINE_ZH).split())
        english = " ".join(self.text("headline_en", en, HEADLINE_EN).split())
        if needed and not (chinese or english or self.errors):
            self.fault("headline_zh", "required", _("A headline in Chinese or English is needed."))
        return chinese, english

    def place(self, latitude: Any, longitude: Any) -> tuple[float | None, float | None]:
        """WGS-84 degrees, both or neither: −90 to 90 and −180 to 180."""
        lat = self._degrees("latitude", latitude, 90)
        lon = self._degrees("longitude", longitude, 180)
        if (latitude is None) != (longitude is None):
            missing = "latitude" if latitude is None else "longitude"
            self.fault(missing, "required", _("Latitude and longitude belong together."))
        return lat, lon

    def _degrees(self, name: str, value: Any, most: float) -> float | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self.fault(name, "not_number", _("This must be a number."))
            return None
        if not -most <= value <= most:
            self.fault(name, "out_of_range", _("Between −%(most)d and %(most)d degrees.") % {"most": most})
            return None
        return float(value)
