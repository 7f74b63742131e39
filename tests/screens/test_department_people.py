"""Can an administrator let a person go, and help one who lost their second factor, from the department's page?"""

from __future__ import annotations

from allauth.mfa.models import Authenticator

from accounts import actions
from accounts.models import Membership, Person, Post
from coordination.events import clock
from coordination.events.actor import SYSTEM
from tests.instructions.world import World
from tests.screens.conftest import Enter
from tests.screens.forms import as_shown, form


def appointed(world: World, kind: str, *codes: str) -> Person:
    """Somebody new who holds this post in these departments."""
    made = Person.objects.create_user(f"{kind}-{codes[0]}-{codes[-1]}", password=None)
    for code in codes:
        post, _ = Post.objects.get_or_create(department=world.departments[code], kind=kind)
        Membership.objects.create(person=made, post=post, valid_from=clock.now())
    return made


def administrator(world: World) -> None:
    """Let the fire bureau's duty officer administer it too."""
    post, _ = Post.objects.get_or_create(department=world.departments["fire"], kind="administrator")
    Membership.objects.create(person_id=world.who("fire").id, post=post, valid_from=clock.now())


def test_a_person_is_deactivated_from_the_page(world: World, enter: Enter) -> None:
    administrator(world)
    gone = appointed(world, "observer", "fire")
    client, home = enter("fire"), f"/departments/{world.id('fire')}/"
    act = f"{home}act/deactivate_person/"
    offered = client.get(home).content.decode()
    assert f'name="person_id" value="{gone.pk}"' in offered
    assert f'name="person_id" value="{world.who("fire").id}"' not in offered
    answer = client.post(act, {**as_shown(client, home, act), "person_id": gone.pk})
    assert (answer.status_code, answer["Location"]) == (303, home)
    gone.refresh_from_db()
    assert not gone.is_active
    assert gone.username not in client.get(home).content.decode()


def test_a_lost_second_factor_is_reset_from_the_page(world: World, enter: Enter) -> None:
    administrator(world)
    person = appointed(world, "observer", "fire")
    Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data={"secret": "x"})
    answer = enter("fire").post(f"/departments/{world.id('fire')}/act/reset_factor/", form(person_id=person.pk))
    assert answer.status_code == 303
    assert not Authenticator.objects.filter(user=person).exists()


def test_nobody_does_it_without_administering_all_of_the_person(world: World, enter: Enter) -> None:
    person = appointed(world, "observer", "fire", "police")
    client, home = enter("fire"), f"/departments/{world.id('fire')}/"
    assert "deactivate_person" not in client.get(home).content.decode()
    for name in ("deactivate_person", "reset_factor"):
        assert client.post(f"{home}act/{name}/", form(person_id=person.pk)).status_code == 403
    administrator(world)
    for name in ("deactivate_person", "reset_factor"):
        assert client.post(f"{home}act/{name}/", form(person_id=person.pk)).status_code == 403
        own = form(person_id=world.who("fire").id)
        assert client.post(f"{home}act/{name}/", own).status_code == 403
        assert client.post(f"{home}act/{name}/", form(person_id=2_000_000_000)).status_code == 404
    person.refresh_from_db()
    assert person.is_active


def test_who_does_not_administer_learns_no_user_names(world: World, enter: Enter) -> None:
    there = appointed(world, "observer", "fire").username
    client, act = enter("fire"), f"/departments/{world.id('fire')}/act/appoint/"
    answers = [
        client.post(act, form(username=name, post=post))
        for name in (there, "nobody-at-all") for post in ("observer", "no post")
    ]
    assert [one.status_code for one in answers] == [403] * 4
    assert not any("Nobody has this user name" in one.content.decode() for one in answers)
    administrator(world)
    refused = enter("fire").post(act, form(username="nobody-at-all", post="observer"))
    assert (refused.status_code, "Nobody has this user name" in refused.content.decode()) == (422, True)


def test_rows_of_departments_one_does_not_administer_are_like_absent_ones(world: World, enter: Enter) -> None:
    """Whichever number is tried: its answer does not say whether another department has it."""
    known = {"actor": SYSTEM, "now": clock.now(), "department_id": world.id("police")}
    rows = {
        "end_membership": ("membership_id", appointed(world, "observer", "police").memberships.get().pk),
        "revoke_display": ("display_id", actions.create_display(**known, name="Wall")[0].pk),
        "revoke_client": ("client_id", actions.create_client(**known, name="CAD")[0].pk),
        "deactivate_person": ("person_id", Person.objects.create_user("serves-nowhere", password=None).pk),
        "reset_factor": ("person_id", Person.objects.get(username="serves-nowhere").pk),
    }

    def answers(number: int = 0) -> set[int]:
        home = f"/departments/{world.id('fire')}/act/"
        sent = [(name, {field: number or pk}) for name, (field, pk) in rows.items()]
        return {enter("fire").post(f"{home}{name}/", form(**fields)).status_code for name, fields in sent}

    assert answers() == answers(2_000_000_000) == {403}
    administrator(world)
    assert answers() == answers(2_000_000_000) == {404}
