"""What may be asked of a download?"""

from __future__ import annotations

from rest_framework import serializers

from sharing.access.rest import Shape
from sharing.catalogue.serializers import Tree
from sharing.exchange.formats import FORMATS


class DownloadFilters(Shape):
    """Which records, and in which format."""

    format = serializers.ChoiceField(choices=list(FORMATS))
    where = Tree(required=False, max_length=8000, help_text="As of the list of records.")
