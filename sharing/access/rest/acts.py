"""How does one act become an address of its own?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rest_framework.serializers import Serializer

from sharing.access.rest.operation import Call
from sharing.access.rest.resource import Resource, Show, writes

Act = Callable[..., Any]


def act_view(
    act: Act,
    *,
    resource: str,
    name: str,
    answer: type[Serializer[Any]] | None,
    body: type[Serializer[Any]] | None = None,
    show: Show | None = None,
    decides: bool = False,
    versioned: bool | None = None,
    status: int = 200,
    limit: str = "",
    text: str = "",
    **fixed: Any,
) -> Any:
    """Return the view of one act: POST, its fields, one call of ``act``.

    ``decides``: needs If-Match; ``versioned``: the act takes ``if_version`` though it need not be given.
    ``fixed``: arguments that this address always gives.
    """
    takes_version = decides if versioned is None else versioned
    words = name.partition("_")[2].replace("_", " ")

    def post(self: Resource, call: Call) -> Any:
        version = {"if_version": call.if_version} if takes_version else {}
        return act(**call.act, **call.ids, **version, **call.body, **fixed)

    post.__doc__ = text or f"{words.capitalize()}."
    method = writes(
        name, answer, body=body, show=show, decides=decides, may_decide=takes_version, status=status, limit=limit,
        summary=words.capitalize(),
    )(post)  # fmt: skip
    made: type[Resource] = type(name, (Resource,), {"resource": resource, "post": method, "__module__": act.__module__})
    return made.as_view()
