"""How does a person, or a script that works for one, sign in and out?"""

from __future__ import annotations

from typing import Any

from django.middleware.csrf import get_token
from django.urls import path
from django.utils.translation import gettext_lazy as _

from accounts import actions
from coordination.events.refused import Forbidden
from coordination.screens.api import shapes
from sharing.access.rest import Call, Resource, shows, writes


class NoSession(Forbidden):
    """A system or a wall has no session to end."""

    code = "no_session"


class Session(Resource):
    """My session."""

    resource = "session"

    def get_authenticators(self) -> list[Any]:
        """Ask nobody who wants to sign in who they are: a form of another site cannot send JSON here."""
        return [] if self.request is not None and self.request.method == "POST" else super().get_authenticators()

    @shows("session_show", shapes.SessionShape, summary="My session")
    def get(self, call: Call) -> Any:
        """Who I am here, with the token that each change must carry."""
        return {"actor": call.actor, "csrf_token": get_token(call.request._request)}

    @writes(
        "session_start", shapes.SessionShape, body=shapes.SignIn, status=201, keyed=False, public=True,
        limit="sign_in", summary="Sign in",
    )  # fmt: skip
    def post(self, call: Call) -> Any:
        """Sign in: a session cookie of at most 12 hours, and the token for changes. Wrong tries lock the name here."""
        plain = call.request._request
        body = call.body
        post = "/".join(str(body[name]) for name in ("department", "post") if name in body)
        actor = actions.sign_in(plain, body["user"], body["password"], body.get("code", ""), post, call.now)
        return {"actor": actor, "csrf_token": get_token(plain)}

    @writes("session_end", None, keyed=False, summary="Sign out")
    def delete(self, call: Call) -> Any:
        """End this session."""
        if not call.actor.is_person:
            raise NoSession(_("Only people have a session; a token runs out by itself."), right="session")
        plain = call.request._request
        plain.user = call.request.user.person
        actions.sign_out(request=plain, actor=call.actor, now=call.now)


urlpatterns = [path("session", Session.as_view(), name="api-session")]
