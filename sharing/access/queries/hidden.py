"""What is answered of what is hidden, and of what is not there?"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from coordination.events.refused import NotFound

NOTHING_HERE = _("There is nothing here, or nothing that you may see.")


class Unseen(NotFound):
    """Absent, or hidden from this actor: the same answer to the last byte."""

    def __init__(self) -> None:
        super().__init__(NOTHING_HERE)
