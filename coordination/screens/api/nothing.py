"""What is answered where no operation is?"""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request

from sharing.access.rest import Resource
from sharing.access.rest.problems import not_found


class Nothing(Resource):
    """Any address below ``/api/v1/`` that leads nowhere: the same 404 as for a thing that does not exist."""

    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Answer before anything is read."""
        raise not_found()
