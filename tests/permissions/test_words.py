"""Does the table say what the rules say?

The table is recorded from the code; these lines are written down from the rules by hand, so that it is not its own
judge. *may*: the answer gets as far as the act itself (done, or refused for its state or its content); *may not*: 403;
*hidden*: 404, as if it were not there.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.permissions import operations as ops
from tests.permissions.judging import guarded
from tests.permissions.world import POSTS

ROWS = ops.table()
MAY, MAY_NOT, HIDDEN = "may", "may not", "hidden"
ACTING = ("duty_officer", "commander", "head")
READING = (*ACTING, "approver", "data_steward", "observer")
REST_OF_POSTS = tuple(post for post in POSTS if post not in ACTING)
MACHINES = ("client", "reader", "display")


def verdict(status: int | str) -> str:
    return {403: MAY_NOT, 404: HIDDEN, 401: "who?", 405: "no such act", 302: "who?"}.get(status, MAY)  # type: ignore[call-overload]


def api(noun: str, act: str = "", method: str = "POST") -> tuple[str, str, str]:
    return method, f"api/v1/{noun}s/<str:{noun}_id>{'/' if act else ''}{act}", ""


def only(*kinds: str, of: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(kind for kind in of if kind not in kinds)


SEEN = (*READING, *MACHINES)
LINES: list[tuple[str, tuple[str, str, str], str, tuple[str, ...], str]] = [
    # instructions: the moves of an instruction
    ("any system of the department may draft", ("POST", "api/v1/instructions", ""), "own", (*ACTING, "client"), MAY),
    ("nobody else of it may", ("POST", "api/v1/instructions", ""), "own", ("approver", "observer", "reader"), MAY_NOT),
    ("any department on the incident may instruct another", ("POST", "api/v1/instructions", ""), "participating",
     (*ACTING, "client"), MAY),
    ("nobody else may", ("POST", "api/v1/instructions", ""), "foreign", (*POSTS, "client"), HIDDEN),
    ("a draft is changed by its issuer", api("instruction", "edit"), "own", (*ACTING, "client"), MAY),
    ("submit: the issuer", api("instruction", "submit"), "own", ACTING, MAY),
    ("submit: no other department, no system", api("instruction", "submit"), "own", ("approver", *MACHINES), MAY_NOT),
    ("approve: the issuer's approver, commander or head", api("instruction", "approve"), "own",
     ("approver", "commander", "head"), MAY),
    ("approve: no duty officer, no system", api("instruction", "approve"), "own",
     ("duty_officer", "observer", *MACHINES), MAY_NOT),
    ("approve: nobody who executes", api("instruction", "approve"), "participating",
     (*READING, *MACHINES), MAY_NOT),
    ("issue: the issuer", api("instruction", "issue"), "own", ACTING, MAY),
    ("issue: never a system", api("instruction", "issue"), "own", MACHINES, MAY_NOT),
    ("issue first: commander or head", api("instruction", "issue-first"), "own", ("commander", "head"), MAY),
    ("issue first: no duty officer", api("instruction", "issue-first"), "own",
     ("duty_officer", "approver", "client"), MAY_NOT),
    ("confirm: the approver or the head", api("instruction", "confirm"), "own", ("approver", "head"), MAY),
    ("confirm: not who issued it first", api("instruction", "confirm"), "own", ("commander",), MAY_NOT),
    ("confirm: not who executes it", api("instruction", "confirm"), "participating", READING, MAY_NOT),
    ("amend: the issuer", api("instruction", "amend"), "own", ACTING, MAY),
    ("amend: nobody who executes", api("instruction", "amend"), "participating", (*READING, *MACHINES), MAY_NOT),
    ("cancel: the issuer or the commander", api("instruction", "cancel"), "own", ACTING, MAY),
    ("cancel: nobody who executes", api("instruction", "cancel"), "participating", READING, MAY_NOT),
    # instructions: the moves of an assignment
    ("acknowledge: who executes, and its system naming the reader", api("assignment", "acknowledge"), "participating",
     (*ACTING, "client"), MAY),
    ("acknowledge: an observer reads and does not acknowledge", api("assignment", "acknowledge"), "participating",
     ("observer", "approver", "data_steward", "reader", "display"), MAY_NOT),
    ("acknowledge: the issuer does not do it for itself", api("assignment", "acknowledge"), "own",
     (*READING, *MACHINES), MAY_NOT),
    ("receive: any post of who executes", api("assignment", "receive"), "participating",
     (*READING, "client"), MAY),
    ("receive: nobody else", api("assignment", "receive"), "own", (*READING, "client"), MAY_NOT),
    ("acknowledged by telephone: the issuer records it", api("assignment", "acknowledge-for"), "own", ACTING, MAY),
    ("acknowledged by telephone: not who executes, no system", api("assignment", "acknowledge-for"), "participating",
     (*READING, *MACHINES), MAY_NOT),
    ("start: who executes", api("assignment", "start"), "participating", ACTING, MAY),
    ("start: no system, no issuer", api("assignment", "start"), "participating", MACHINES, MAY_NOT),
    ("start: not the issuer", api("assignment", "start"), "own", (*READING, *MACHINES), MAY_NOT),
    ("feedback: who executes, and its system", api("assignment", "feedback"), "participating",
     (*ACTING, "client"), MAY),
    ("feedback: not the issuer", api("assignment", "feedback"), "own", (*READING, *MACHINES), MAY_NOT),
    ("evaluate: the issuer", api("assignment", "evaluate"), "own", ACTING, MAY),
    ("evaluate: never who executes, never a system", api("assignment", "evaluate"), "participating",
     (*READING, *MACHINES), MAY_NOT),
    ("evaluate: never a system of the issuer", api("assignment", "evaluate"), "own", MACHINES, MAY_NOT),
    ("decline: who executes", api("assignment", "decline"), "participating", ACTING, MAY),
    ("decline: no system, no observer", api("assignment", "decline"), "participating",
     ("observer", "approver", *MACHINES), MAY_NOT),
    ("overrule: issuer or commander", api("assignment", "overrule"), "own", ACTING, MAY),
    ("overrule: not the decliner", api("assignment", "overrule"), "participating", READING, MAY_NOT),
    ("delegate: who executes", api("assignment", "delegate"), "participating", ACTING, MAY),
    ("ask: who executes", api("assignment", "ask"), "participating", ACTING, MAY),
    ("grant: the issuer", api("ask", "grant"), "own", ACTING, MAY),
    ("grant: not who asks", api("ask", "grant"), "participating", (*READING, *MACHINES), MAY_NOT),
    ("take a question back: who asks", api("ask", "withdraw"), "participating", ACTING, MAY),
    ("take a question back: nobody else", api("ask", "withdraw"), "own", READING, MAY_NOT),
    ("urge: the issuer", api("assignment", "urge"), "own", ACTING, MAY),
    ("urge: the lead does not urge itself", api("assignment", "urge"), "participating", READING, MAY_NOT),
    ("supervise: the command", api("assignment", "supervise"), "own", ACTING, MAY),
    ("supervise: not who executes", api("assignment", "supervise"), "participating", READING, MAY_NOT),
    # who sees what
    ("six posts see what their department is granted", api("incident", "", "GET"), "own", SEEN, MAY),
    ("auditor and administrator see no incident", api("incident", "", "GET"), "own",
     ("auditor", "administrator"), HIDDEN),
    ("who takes part sees it too", api("incident", "", "GET"), "participating", SEEN, MAY),
    ("but not their auditor and administrator", api("incident", "", "GET"), "participating",
     ("auditor", "administrator"), HIDDEN),
    ("who takes no part sees nothing", api("incident", "", "GET"), "foreign", (*POSTS, *MACHINES), HIDDEN),
    ("nor its instructions", api("instruction", "", "GET"), "foreign", (*POSTS, *MACHINES), HIDDEN),
    ("nor its reports", api("report", "", "GET"), "foreign", (*POSTS, *MACHINES), HIDDEN),
    ("nor its files", api("attachment", "content", "GET"), "foreign", (*POSTS, *MACHINES), HIDDEN),
    ("an issued instruction is seen by who takes part", api("instruction", "", "GET"), "participating", SEEN, MAY),
    # incidents
    ("the log: duty officer, commander, head", api("incident", "log"), "participating", ACTING, MAY),
    ("the log: nobody else", api("incident", "log"), "participating", ("approver", "observer", *MACHINES), MAY_NOT),
    ("the three scales: the commander of the lead", api("incident", "scale"), "own", ("commander",), MAY),
    ("the three scales: no other post", api("incident", "scale"), "own", ("duty_officer", "head", "client"), MAY_NOT),
    ("the three scales: no supporting commander", api("incident", "scale"), "participating", READING, MAY_NOT),
    ("closing: the commander", api("incident", "close"), "own", ("commander",), MAY),
    ("closing: nobody who supports", api("incident", "close"), "participating", (*READING, *MACHINES), MAY_NOT),
    ("sharing: data steward, head, commander of the lead", api("incident", "share"), "own",
     ("data_steward", "head", "commander"), MAY),
    ("sharing: nobody who supports", api("incident", "share"), "participating", READING, MAY_NOT),
    ("reports: any department", ("POST", "api/v1/reports", ""), "foreign", (*ACTING, "client"), MAY),
    ("reports: who may report", ("POST", "api/v1/reports", ""), "own",
     ("observer", "auditor", "administrator", "reader", "display"), MAY_NOT),
    # departments
    ("a department is changed by its administrator", api("department", "", "PATCH"), "own", ("administrator",), MAY),
    ("and by nobody else", api("department", "", "PATCH"), "own",
     only("administrator", of=(*POSTS, *MACHINES)), MAY_NOT),
    ("not by another department's", api("department", "", "PATCH"), "participating", (*POSTS, *MACHINES), MAY_NOT),
    ("duty is planned by head and administrator", api("department", "roster"), "own", ("head", "administrator"), MAY),
    ("and by nobody else", api("department", "roster"), "own",
     ("duty_officer", "commander", "observer", *MACHINES), MAY_NOT),
    ("who is on duty is open to all", api("department", "roster", "GET"), "foreign", (*POSTS, "client"), MAY),
    ("a notice is its person's", api("notice", "read"), "own", ("duty_officer",), MAY),
    ("and nobody else's", api("notice", "read"), "own", only("duty_officer", of=POSTS), HIDDEN),
]  # fmt: skip


@pytest.mark.parametrize(("said", "key", "relation", "kinds", "wanted"), LINES, ids=lambda one: str(one)[:60])
def test_the_table_says_what_the_rules_say(
    said: str, key: tuple[str, str, str], relation: str, kinds: tuple[str, ...], wanted: str
) -> None:
    answers = {kind: ops.expected(ROWS[key], relation, kind) for kind in kinds}
    assert {kind: answer for kind, answer in answers.items() if verdict(answer) != wanted} == {}, said


API = [one for one in ops.operations() if one.api]
PAGES = [one for one in ops.operations() if not one.api]
PUBLIC = {"api/v1/session", "api/v1/oauth/token", "api/v1/schema", "api/v1/docs", "api/v1/^"}
OPEN_PAGES = (
    "", "health/", "settings/", "sign-in/", "sign-out/", "wall/", "live/", "offline/", "sw.js", "sessions/", "act-for/",
    "notices/",
)  # fmt: skip


def test_nobody_unknown_gets_into_the_api() -> None:
    for one in API:
        if one.route not in PUBLIC:
            for stranger in ("anonymous", "expired", "deactivated", "unfactored"):
                assert ops.expected(ROWS[ops.key_of(one)], "strangers", stranger) == 401, one.key


def test_who_holds_no_post_gets_nothing_not_even_a_superuser() -> None:
    for one in API:
        if one.route not in PUBLIC:
            for stranger in ("nobody", "superuser"):
                assert ops.expected(ROWS[ops.key_of(one)], "strangers", stranger) == 403, one.key


def test_strangers_are_led_to_the_door_of_every_page_that_is_not_open() -> None:
    for one in PAGES:
        if not one.route.startswith(tuple(OPEN_PAGES[1:])) and one.route != "":
            said = {ops.expected(ROWS[ops.key_of(one)], "strangers", name) for name in ops.STRANGERS}
            assert said <= {302, 303, 401, 405}, one.key


def test_a_display_and_a_token_that_reads_change_nothing() -> None:
    for one in API:
        if one.method != "GET" and one.route not in PUBLIC:
            for relation in ops.RELATIONS:
                for kind in ("reader", "display"):
                    assert ops.expected(ROWS[ops.key_of(one)], relation, kind) in (403, 404), (one.key, relation)


def test_a_page_knows_no_tokens() -> None:
    for one in PAGES:
        row = ROWS[ops.key_of(one)]
        for relation in ops.RELATIONS:
            for kind in ("client", "reader"):
                assert ops.expected(row, relation, kind) == ops.expected(row, "strangers", "anonymous"), one.key


def test_auditor_and_administrator_reach_nothing_of_an_incident() -> None:
    about = ("incident", "instruction", "assignment", "ask", "report", "objective", "attachment")
    for one in ops.operations():
        named = one.route.removeprefix("api/v1/").split("/")
        if "<" in one.route and named[0].removesuffix("s") in about:
            for relation in ("own", "participating"):
                for kind in ("auditor", "administrator"):
                    said = ops.expected(ROWS[ops.key_of(one)], relation, kind)
                    assert said in (403, 404, 405), (one.key, relation, kind, said)


def test_what_is_foreign_is_as_if_it_were_not_there() -> None:
    for one in filter(guarded, ops.operations()):
        row = ROWS[ops.key_of(one)]
        for kind in ops.KINDS:
            assert ops.expected(row, "foreign", kind) == ops.expected(row, "absent", kind), (one.key, kind)


# what may still be done where everything has ended: say more, show it to somebody, open it again
AFTER_THE_END = {"log", "add_log", "attachments", "attach", "reopen", "share"}
OF_AN_INCIDENT = re.compile(r"(api/v1/)?(incidents|instructions|assignments|asks|objectives)/<")


def _acts() -> list[ops.Operation]:
    return [one for one in ops.operations() if one.method not in ("GET", "WS") and OF_AN_INCIDENT.match(one.route)]


def _done(one: ops.Operation, relation: str) -> set[str]:
    """Posts whose act succeeds: 2xx, or led on by a page."""
    row = ROWS[ops.key_of(one)]
    return {kind for kind in POSTS if str(ops.expected(row, relation, kind))[0] in "23"}


def test_what_has_ended_is_changed_by_few_acts_alone() -> None:
    done = {one.key: _done(one, "archived") for one in _acts()}
    assert len(done) > 100
    assert {key for key, posts in done.items() if posts and re.split(r"[/ ]", key)[-1] not in AFTER_THE_END} == set()
    assert {post for key, posts in done.items() if key.endswith("reopen") for post in posts} == {"commander"}


def test_who_is_shown_an_incident_adds_to_it_and_decides_nothing() -> None:
    adds = {"log", "add_log", "attachments", "attach", "new"}
    done = {one.key: _done(one, "shared") for one in _acts()}
    assert {key for key, posts in done.items() if posts and re.split(r"[/ ]", key)[-1] not in adds} == set()


def _twins() -> list[tuple[Any, Any]]:
    """Moves that both the API and a page offer."""
    found = []
    for one in PAGES:
        noun = one.route.partition("/")[0].removesuffix("s")
        if one.method == "POST" and one.name and noun in ("instruction", "assignment", "ask"):
            key = api(noun, one.name.replace("_", "-"))
            found.append((one, ROWS[key]))
    return found


@pytest.mark.parametrize(("act", "row"), _twins(), ids=lambda one: getattr(one, "key", "api"))
def test_a_page_lets_do_what_the_api_lets_do_and_no_more(act: ops.Operation, row: dict[str, Any]) -> None:
    mine = ROWS[ops.key_of(act)]
    for relation in ops.RELATIONS:
        for kind in POSTS:
            page, rest = ops.expected(mine, relation, kind), ops.expected(row, relation, kind)
            if (act.name, page) == ("delegate", 422) and relation in ("own", "shared", "archived"):
                continue  # the form offers departments below one's own alone, and these have none
            assert verdict(page) == verdict(rest), (relation, kind, page, rest)


STREAMS = [
    ("incident", "own", READING, "follows"),
    ("incident", "participating", (*READING, "display"), "follows"),
    ("incident", "participating", ("auditor", "administrator"), "refused"),
    ("incident", "foreign", (*POSTS, "display"), "refused"),
    ("brief", "foreign", (*POSTS, "display"), "refused"),
    ("brief", "participating", READING, "follows"),
    ("department", "own", (*READING, "display"), "follows"),
    ("department", "participating", (*POSTS, "display"), "refused"),
    ("department", "foreign", (*POSTS, "display"), "refused"),
    ("user", "own", ("duty_officer",), "follows"),
    ("user", "own", (*only("duty_officer", of=POSTS), "display"), "refused"),
    ("system", "own", ("observer", "approver", "data_steward"), "refused"),
]


@pytest.mark.parametrize(("stream", "relation", "kinds", "wanted"), STREAMS)
def test_streams_are_followed_by_whom_they_concern(
    stream: str, relation: str, kinds: tuple[str, ...], wanted: str
) -> None:
    for key in (("WS", "live/ws", stream), ("GET", "live/since", stream)):
        assert {kind: ops.expected(ROWS[key], relation, kind) for kind in kinds} == dict.fromkeys(kinds, wanted)
