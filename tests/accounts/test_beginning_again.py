"""Does a sign-in that is begun again within a session leave a session that nobody can end?"""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator

from accounts import actions
from accounts.models import OpenSession, Person
from coordination.events import clock
from coordination.events.actor import SYSTEM
from tests.accounts.people import cheap_passwords as cheap_passwords
from tests.accounts.people import officer as officer
from tests.accounts.test_signing import browser, enter, totp

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def test_a_sign_in_begun_again_leaves_no_session_that_is_not_listed(officer: Person) -> None:
    Authenticator.objects.create(user=officer, type="totp", data={"secret": SECRET})
    client = browser()
    enter(client)
    assert client.post("/sign-in/code/", {"code": totp(SECRET)}).status_code == 303
    assert client.get("/sessions/").status_code == 200
    enter(client)  # the password once more, and no code
    kept = OpenSession.objects.get()
    assert (kept.person, kept.session_key) == (officer, client.session.session_key)
    actions.end_sessions_of(actor=SYSTEM, now=clock.now(), person_id=officer.pk, why="ended_by_operator")
    assert client.get("/sessions/").status_code == 303
