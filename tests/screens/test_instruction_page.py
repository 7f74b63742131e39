"""Can an instruction be read, acknowledged, worked on and judged on its page, with forms alone?"""

from __future__ import annotations

import pytest
from django.test import Client

from coordination.instructions.models import Ask, Feedback, Instruction, Transition
from tests.instructions.world import World, minutes
from tests.screens.conftest import Enter
from tests.screens.forms import as_shown, form

pytestmark = pytest.mark.django_db


def moves(subject: str, pk: int) -> list[str]:
    """What happened to a subject, in order."""
    rows = Transition.everything.filter(subject_type=subject, subject_id=pk).order_by("version")
    return list(rows.values_list("move", flat=True))


def test_the_page_shows_what_to_do_and_offers_the_tap(world: World, enter: Enter) -> None:
    order = world.issued()
    row = world.on(order, "fire")
    page = enter("fire").get(f"/instructions/{order.pk}/")
    text = page.content.decode()
    assert page.status_code == 200
    assert "Cool the glycol tanks" in text
    assert f'action="/assignments/{row.pk}/acknowledge/"' in text
    assert f'data-part="/instructions/{order.pk}/part/acts"' in text
    assert f"department:{world.id('fire')}" in text
    assert "unsafe" not in page["Content-Security-Policy"]


def test_hidden_and_absent_look_the_same(world: World, enter: Enter) -> None:
    order = world.issued()
    stranger = enter("stranger")
    for address in (
        "/instructions/{}/",
        "/instructions/{}/part/head",
        "/instructions/{}/print",
        "/instructions/{}/versions",
    ):
        hidden, absent = stranger.get(address.format(order.pk)), stranger.get(address.format(999_999))
        assert hidden.status_code == absent.status_code == 404
    assert stranger.post(f"/assignments/{world.on(order, 'fire').pk}/acknowledge/", form(version=1)).status_code == 404


def test_one_tap_acknowledges_once(world: World, enter: Enter) -> None:
    order = world.issued()
    row = world.on(order, "fire")
    fire, sent = enter("fire"), form(version=1)
    for _again in range(3):
        answer = fire.post(f"/assignments/{row.pk}/acknowledge/", sent)
        assert answer.status_code == 303
        assert answer["Location"] == f"/instructions/{order.pk}/"
    assert world.fresh(row).state == "acknowledged"
    assert moves("assignment", row.pk).count("acknowledge") == 1


def test_a_script_gets_a_receipt(world: World, enter: Enter) -> None:
    order = world.issued()
    row = world.on(order, "fire")
    answer = enter("fire").post(f"/assignments/{row.pk}/acknowledge/", form(version=1), headers={"hx-request": "true"})
    assert answer.status_code == 200
    assert "Acknowledged" in answer.content.decode()
    assert "<html" not in answer.content.decode()
    assert answer["X-Said"] == "Acknowledged"


def test_a_refused_move_shows_state_and_moves_and_keeps_what_was_typed(world: World, enter: Enter) -> None:
    order = world.issued()
    row = world.on(order, "fire")
    fire = enter("fire")
    answer = fire.post(f"/assignments/{row.pk}/start/", form(who_goes="Company 4, two engines"))
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "It stands at: Issued." in text
    assert "Acknowledge" in text
    assert "Company 4, two engines" in text
    assert moves("assignment", row.pk).count("start") == 0
    piece = fire.post(
        f"/assignments/{row.pk}/start/", form(who_goes="Company 4, two engines"), headers={"hx-request": "true"}
    )
    assert piece.status_code == 409
    assert "Company 4, two engines" in piece.content.decode()
    assert "<html" not in piece.content.decode()


def test_errors_stand_at_the_field_and_in_the_summary(world: World, enter: Enter) -> None:
    order = world.issued()
    row = world.acknowledged(order, "fire")
    answer = enter("fire").post(
        f"/assignments/{row.pk}/feedback/",
        form(version=1, final="0", percent="40", text="", place="Gate 2", figure_name_1="Water", figure_value_1=""),
    )
    text = answer.content.decode()
    assert answer.status_code == 422
    assert 'class="ops-errors" role="alert" tabindex="-1"' in text
    assert f'href="#assignment-{row.pk}-feedback-text"' in text
    assert 'aria-invalid="true"' in text
    assert "A figure needs a name and a value." in text
    assert 'value="Gate 2"' in text
    assert not Feedback.everything.exists()


def test_hostile_fields_are_refused_not_failed(world: World, enter: Enter) -> None:
    order = world.issued()
    row = world.acknowledged(order, "fire")
    fire = enter("fire")
    for bad in (
        {"command_id": "x", "version": "1"}, {"version": "99999999999999999999"}, {"version": "-1"},
        {"if_version": "a"},
        {"percent": "1000"}, {"text": "a\x00b"}, {"figure_value_1": "1e999"}, {"figure_value_1": "NaN"},
        {"attachments": ["99999999999999999999", "x"]}, {"text": "x" * 10_000},
    ):  # fmt: skip
        base = form(version=1, final="0", percent="40", text="On it", figure_name_1="Water", figure_value_1="1")
        answer = fire.post(f"/assignments/{row.pk}/feedback/", {**base, **bad})
        assert answer.status_code in (303, 400, 422), (bad, answer.status_code)
    assert fire.post(f"/assignments/{row.pk}/nonsense/", form()).status_code == 404
    assert fire.get(f"/assignments/{row.pk}/acknowledge/").status_code == 405
    assert fire.get(f"/instructions/{order.pk}/part/nonsense").status_code == 404


def test_extension_is_asked_and_granted(world: World, enter: Enter) -> None:
    order = world.issued()
    row = world.acknowledged(order, "fire")
    until = (world.now + minutes(240)).astimezone().strftime("%Y-%m-%dT%H:%M")
    answer = enter("fire").post(
        f"/assignments/{row.pk}/ask/", form(kind="extension", reason="Wind", wanted_until=until)
    )
    assert answer.status_code == 303
    ask = Ask.everything.get()
    centre = enter("centre")
    page = centre.get(f"/instructions/{order.pk}/").content.decode()
    assert f'action="/asks/{ask.pk}/grant/"' in page
    assert "Asks for more time" in page
    wanted = ask.wanted_until.astimezone().strftime("%Y-%m-%dT%H:%M")
    assert centre.post(f"/asks/{ask.pk}/grant/", form(until=wanted, if_version=ask.version)).status_code == 303
    assert world.fresh(ask).state == "granted"


def test_decline_and_reassign(world: World, enter: Enter) -> None:
    order = world.issued()
    row = world.on(order, "police")
    answer = enter("police").post(
        f"/assignments/{row.pk}/decline/",
        form(reason="Not our road", suggested=world.id("health"), if_version=row.version),
    )
    assert answer.status_code == 303, answer.content.decode()
    centre = enter("centre")
    assert "Not our road" in centre.get(f"/instructions/{order.pk}/").content.decode()
    stale = centre.post(f"/assignments/{row.pk}/reassign/", form(department=world.id("health"), if_version=row.version))
    assert stale.status_code == 412
    fresh = world.fresh(row)
    done = centre.post(
        f"/assignments/{row.pk}/reassign/", form(department=world.id("health"), if_version=fresh.version)
    )
    assert done.status_code == 303, done.content.decode()
    assert world.on(order, "health").successor_of_id == row.pk


def test_return_for_rework_then_accept(world: World, enter: Enter) -> None:
    order = world.issued()
    row = world.handed_in(order, "police")
    centre = enter("centre")
    due = (world.now + minutes(60)).astimezone().strftime("%Y-%m-%dT%H:%M")
    missing = centre.post(f"/assignments/{row.pk}/evaluate/", form(accepted="0", if_version=row.version))
    assert missing.status_code == 422
    back = centre.post(
        f"/assignments/{row.pk}/evaluate/", form(accepted="0", reason="No photo", new_due=due, if_version=row.version)
    )
    assert back.status_code == 303, back.content.decode()
    assert world.fresh(row).state == "in_progress"
    row = world.act("feedback", row, "police", version=1, percent=100, text="With photo", final=True)
    done = centre.post(f"/assignments/{row.pk}/evaluate/", form(accepted="1", outcome="good", if_version=row.version))
    assert done.status_code == 303, done.content.decode()
    assert world.fresh(row).state == "closed"


def test_read_back_is_typed_again(world: World, enter: Enter) -> None:
    order = world.issued(read_back=True, quantity=120, unit="t")
    row = world.on(order, "fire")
    fire = enter("fire")
    page = fire.get(f"/instructions/{order.pk}/").content.decode()
    assert f'id="assignment-{row.pk}-acknowledge-place"' in page
    due = order.versions.get(n=1).due_at.astimezone().strftime("%Y-%m-%dT%H:%M")
    answer = fire.post(
        f"/assignments/{row.pk}/acknowledge/",
        form(version=1, place="unit 3", quantity="120", unit="t", due_at=due, object=""),
    )
    assert answer.status_code == 303, answer.content.decode()
    assert world.fresh(row).state == "acknowledged"


def test_compose_to_issue_by_forms_alone(world: World, enter: Enter) -> None:
    centre = enter("centre")
    address = f"/incidents/{world.incident.pk}/instructions/new"
    page = centre.get(address, {"lead": world.id("fire"), "support": world.id("police")})
    assert page.status_code == 200
    assert "fire duty_officer" in page.content.decode()  # who is on duty there
    due = (world.now + minutes(120)).astimezone().strftime("%Y-%m-%dT%H:%M")
    fields = form(
        lead=world.id("fire"),
        support=[world.id("police")],
        headline_en="Cool tank 3",
        text="Two lines on tank 3.",
        what="Tank 3",
        place="Unit 3",
        due_at=due,
        urgency="urgent",
        evidence=["photo"],
    )
    wrong = centre.post(address, {**fields, "headline_en": "", "latitude": "31.2"})
    assert wrong.status_code == 422
    assert "Two lines on tank 3." in wrong.content.decode()
    shown = centre.post(address, {**fields, "preview": "1"})
    assert shown.status_code == 200
    assert not Instruction.everything.exists()
    for _again in range(2):
        made = centre.post(address, fields)
        assert made.status_code == 303, made.content.decode()
    order = Instruction.everything.get()
    assert made["Location"].startswith(f"/instructions/{order.pk}/")
    page = centre.get(f"/instructions/{order.pk}/edit").content.decode()
    assert "Two lines on tank 3." in page
    changed = form(**{k: v for k, v in fields.items() if k != "command_id"}, if_version=order.version)
    assert centre.post(f"/instructions/{order.pk}/edit", {**changed, "place": "Unit 4"}).status_code == 303
    sent = centre.post(f"/instructions/{order.pk}/submit/", form(if_version=world.fresh(order).version))
    assert sent.status_code == 303, sent.content.decode()
    own = centre.post(f"/instructions/{order.pk}/approve/", form(if_version=world.fresh(order).version))
    assert own.status_code == 403
    approver = enter("centre.approver")
    assert approver.get(f"/instructions/{order.pk}/").status_code == 200
    done = approver.post(f"/instructions/{order.pk}/approve/", form(remark="Go", if_version=world.fresh(order).version))
    assert done.status_code == 303, done.content.decode()
    issued = centre.post(f"/instructions/{order.pk}/issue/", form(if_version=world.fresh(order).version))
    assert issued.status_code == 303, issued.content.decode()
    assert moves("instruction", order.pk) == ["draft", "edit", "submit", "approve", "issue"]
    assert centre.get(f"/instructions/{order.pk}/edit").status_code == 409


def test_amend_and_compare_versions(world: World, enter: Enter) -> None:
    order = world.issued(quantity=80, unit="t")
    centre = enter("centre")
    page = centre.get(f"/instructions/{order.pk}/amend")
    assert page.status_code == 200
    due = (world.now + minutes(100)).astimezone().strftime("%Y-%m-%dT%H:%M")
    answer = centre.post(
        f"/instructions/{order.pk}/amend",
        form(
            change_note="More water",
            headline_en="Cool the glycol tanks",
            what="Cool the glycol tanks",
            place="Unit 3",
            quantity="120",
            unit="t",
            due_at=due,
            urgency="urgent",
            if_version=world.fresh(order).version,
        ),
    )
    assert answer.status_code == 303, answer.content.decode()
    text = centre.get(f"/instructions/{order.pk}/versions").content.decode()
    assert "<del>80</del>" in text
    assert "<ins>120</ins>" in text
    assert "More water" in text


@pytest.mark.parametrize("name", ["head", "content", "acts", "assignments", "timeline"])
def test_parts_are_pieces(world: World, enter: Enter, name: str) -> None:
    order = world.issued()
    world.handed_in(order, "police")
    answer = enter("centre").get(f"/instructions/{order.pk}/part/{name}")
    assert answer.status_code == 200
    assert "<html" not in answer.content.decode()


def test_print_carries_version_and_time(world: World, enter: Enter) -> None:
    order = world.issued()
    text = enter("fire").get(f"/instructions/{order.pk}/print").content.decode()
    assert "version 1" in text
    assert "UTC+8" in text


def test_list_and_desk_do_not_ask_more_for_more_rows(world: World, enter: Enter, django_assert_max_num_queries) -> None:
    fire = enter("fire")
    counts = {}
    for size in (2, 8):
        while Instruction.everything.count() < size:
            world.issued()
        for address in ("/desk/", "/instructions/"):
            with django_assert_max_num_queries(200) as seen:
                assert fire.get(address).status_code == 200
            counts.setdefault(address, []).append(len(seen.captured_queries))
    for address, (few, many) in counts.items():
        assert many <= few, (address, few, many)


def test_desk_moves_a_row_from_needs_to_progress(world: World, enter: Enter) -> None:
    order = world.issued()
    row = world.on(order, "fire")
    fire = enter("fire")
    before = fire.get("/desk/parts/needs/").content.decode()
    assert f'data-row="a{row.pk}"' in before
    assert f'action="/assignments/{row.pk}/acknowledge/"' in before
    fire.post(f"/assignments/{row.pk}/acknowledge/", form(version=1, next="/desk/"))
    assert "acknowledged, not started" in fire.get("/desk/parts/needs/").content.decode()
    fire.post(f"/assignments/{row.pk}/start/", form(who_goes="Team 1"))
    assert f'data-row="a{row.pk}"' not in fire.get("/desk/parts/needs/").content.decode()
    assert f'data-row="a{row.pk}"' in fire.get("/desk/parts/progress/").content.decode()


def test_after_an_act_the_person_is_back_where_they_came_from(world: World, enter: Enter) -> None:
    order = world.issued()
    row = world.on(order, "fire")
    fire = enter("fire")
    assert fire.post(f"/assignments/{row.pk}/acknowledge/", form(version=1, next="/desk/"))["Location"] == "/desk/"
    away = fire.post(f"/assignments/{row.pk}/start/", form(who_goes="Team 1", next="//evil.example/"))
    assert away["Location"] == f"/instructions/{order.pk}/"


def test_every_form_goes_as_the_page_shows_it(world: World, enter: Enter) -> None:
    """The loop with the pages' own hidden fields: acknowledge, start, feedback, supervise, urge, evaluate, cancel."""
    order = world.issued()
    row = world.on(order, "police")
    address, part = f"/instructions/{order.pk}/", f"/assignments/{row.pk}"
    police, centre = enter("police"), enter("centre")

    def do(who: Client, name: str, **typed: object) -> None:
        answer = who.post(f"{part}/{name}/", as_shown(who, address, f"{part}/{name}/", **typed))
        assert answer.status_code == 303, (name, answer.content.decode())

    do(centre, "urge", note="Please")
    do(police, "acknowledge")
    do(police, "start", who_goes="Patrol 3")
    do(police, "ask", kind="clarify", reason="Which gate?")
    ask = Ask.everything.get()
    answer = centre.post(f"/asks/{ask.pk}/grant/", as_shown(centre, address, f"/asks/{ask.pk}/grant/", answer="Gate 2"))
    assert answer.status_code == 303, answer.content.decode()
    do(centre, "supervise", note="Gate 2 first")
    do(centre, "lift")
    do(police, "feedback", text="Half way", percent="50")
    do(police, "feedback", text="Done", percent="100", final="1")
    do(centre, "evaluate", outcome="good")
    assert world.fresh(row).state == "closed"
    fire = world.on(order, "fire")
    part = f"/assignments/{fire.pk}"
    do(enter("fire"), "decline", reason="No foam left")
    do(centre, "overrule", reason="Foam arrives")
    answer = centre.post(f"{address}cancel/", as_shown(centre, address, f"{address}cancel/", reason="Over"))
    assert answer.status_code == 303, answer.content.decode()
