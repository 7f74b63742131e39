"""Does the closed loop do through its API what a plain model of it says, whoever tries whatever whenever?"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from coordination.deadlines.engine.sweep import sweep
from coordination.events import clock, relay
from coordination.events.models import Event
from coordination.instructions.models import Ask, Assignment, Instruction, Transition
from coordination.notify import delivery
from tests import drawing
from tests.model import effects, plain
from tests.model.compare import Compared
from tests.model.ground import PLENTY, Ground, Voice, build
from tests.model.plain import Order, Part
from tests.model.requests import DECIDING, DUE, Try, attempt, makes_sense, refusal
from tests.standing import kept

PEOPLE = (
    "district.duty_officer", "district.approver", "district.head", "centre.duty_officer", "centre.commander",
    "city.head", "dfire.duty_officer", "dfire.head", "dfire.approver", "dfire.observer", "dpolice.duty_officer",
    "town.duty_officer", "health.duty_officer", "police.duty_officer", "fire.duty_officer", "stranger.commander",
)  # fmt: skip
SYSTEMS = ("district", "dfire", "stranger")
ON_IT = {"centre", "fire", "police", "district", "dfire"}
STATUSES = {"": 200, "too_soon": 429, "successor_needed": 422, "successor_leads": 422, "same_department": 422}
CLOSE = timedelta(seconds=90)
MANY = int(os.environ.get("MUSTER_WALKS", "250"))
PASSING = (20, 61, 400, 1000, 1300, 1900)

steps = st.lists(
    st.tuples(st.integers(0, 11), st.integers(0, 999), st.integers(0, 999), st.integers(0, 999)),
    min_size=12,
    max_size=24,
)


@pytest.fixture(scope="module")
def city(django_db_setup: None, django_db_blocker: Any) -> Iterator[Ground]:
    """The city with everybody signed in, once; each walk leaves it as it was."""
    with kept(django_db_blocker):
        try:
            yield build(PEOPLE, SYSTEMS)
        finally:
            clock.travel(None)


@pytest.fixture
def ground(city: Ground, db: None, settings: Any) -> Iterator[Ground]:
    """The city at its beginning, for callers without limits whose sessions stay awake."""
    settings.MUSTER_API_LIMITS = PLENTY
    settings.MUSTER_SESSION_IDLE = timedelta(days=1)
    yield city
    city.go_to(city.began)


class _Undo(Exception):
    """Rolls one walk back."""


anywhere = given(urgent=st.booleans(), recheck=st.booleans(), ahead=st.integers(0, 3), steps=steps)


def walks(number: int, *, same: bool) -> Any:
    """So many walks: the same ones each time, or others each time (a failing one is printed with its trail)."""
    return settings(
        max_examples=number, deadline=None, derandomize=same, database=None, phases=[Phase.generate],
        print_blob=True, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@walks(drawing.examples(12, 20), same=True)
@anywhere
def test_walks_agree_with_the_model(ground: Ground, **how: Any) -> None:
    assert walk_once(ground, **how) > 1


@pytest.mark.long
@pytest.mark.timeout(3600)
@walks(MANY, same=False)
@anywhere
def test_many_walks_at_random_agree_with_the_model(ground: Ground, **how: Any) -> None:
    assert walk_once(ground, **how) > 1


def walk_once(
    ground: Ground, *, urgent: bool, recheck: bool, ahead: int, steps: list[tuple[int, int, int, int]]
) -> int:
    """One walk from the city's beginning, of which nothing stays; return how long its trail was."""
    ground.go_to(ground.began)
    try:
        with transaction.atomic():
            walk = Walk(ground, "immediate" if urgent else "urgent", recheck)
            walk.skip(ahead)
            for step in steps:
                walk.step(*step)
            walk.look(walk.voice(len(walk.trail)))
            walk.settle()
            raise _Undo
    except _Undo:
        return len(walk.trail)


class Trail(list[str]):
    """What has been done so far; shown whole when something is wrong."""

    def __repr__(self) -> str:
        return "\n  ".join(self)


class Walk(Compared):
    """One walk: an order from its draft on, and whatever becomes of it."""

    def __init__(self, ground: Ground, urgency: str, recheck: bool) -> None:
        self.ground, self.trail = ground, Trail([f"{urgency} recheck={recheck}"])
        drafter = ground.voice("district.client" if recheck else "district.duty_officer")
        answer = drafter.post_to(
            "/instructions",
            {
                "incident_id": ground.world.incident.pk, "headline_en": "Cool the tanks", "what": "tanks",
                "urgency": urgency, "due_at": DUE.isoformat(), "recheck": recheck,
                "targets": [
                    {"department": ground.id("dfire"), "role": "lead"},
                    {"department": ground.id("dpolice"), "role": "support"},
                ],
            },
        )  # fmt: skip
        assert answer.status_code == 201, answer.content
        self.order = Order("district", (("dfire", "lead"), ("dpolice", "support")), urgency, recheck=recheck)
        self.order.pk = answer.json()["id"]
        if not recheck:
            self.order.drafter = drafter.name
            self.order.authors.add(drafter.name)
        self.names = {pk.pk: code for code, pk in ground.world.departments.items()}

    # -- choosing ---------------------------------------------------------------------------------------------------

    def step(self, kind: int, a: int, b: int, c: int) -> None:
        """Let time pass, make a right move, or try something."""
        now = clock.now()
        if kind == 0:
            self.time(PASSING[a % len(PASSING)])
        elif kind <= 8:
            open_moves = sorted(self.possible(), key=lambda one: (one[1], one[0]))
            if open_moves:
                actions = sorted({(one[1], id(one[2])): one for one in open_moves}.values(), key=self._order_of)
                _who, action, on, ask = actions[a % len(actions)]
                whos = [one for one in open_moves if one[1] == action and one[2] is on]
                self.make(attempt(self.ground, whos[b % len(whos)][0], action, on, ask, c, now), c)
        else:
            tried = self.anything(a, b)
            if tried is not None:
                who, action, on, ask = tried
                self.make(attempt(self.ground, who, action, on, ask, c, now), c)
        self.sound()
        if (a + b + c) % 3 == 0:  # a whole page for a reader costs as much as a move
            self.look(self.voice(a + b + c))

    def skip(self, ahead: int) -> None:
        """Begin where the order has left, or is in the departments' hands, so that walks come further."""
        if not ahead:
            return
        for who, action in (("duty_officer", "submit"), ("approver", "approve"), ("duty_officer", "issue")):
            self.make(attempt(self.ground, f"district.{who}", action, self.order, False, 2, clock.now()), 2)
        for part in self.order.parts[: ahead - 1]:
            who = f"{part.department}.duty_officer"
            self.make(attempt(self.ground, who, "acknowledge", part, False, 2, clock.now()), 2)

    @staticmethod
    def _order_of(one: tuple[str, str, Order | Part, bool]) -> tuple[str, int, str]:
        return (type(one[2]).__name__, one[2].pk, one[1])

    def subjects(self) -> list[tuple[Order | Part, bool]]:
        """Everything a move may be made on."""
        found: list[tuple[Order | Part, bool]] = [(order, False) for order in effects.orders(self.order)]
        for part in effects.everything(self.order):
            found.append((part, False))
            if part.question is not None:
                found.append((part, True))
        return found

    def possible(self) -> list[tuple[str, str, Order | Part, bool]]:
        """Who may do what now, as the model has it; endings only now and then, so that walks grow long."""
        found = [
            (who, action, on, ask)
            for on, ask in self.subjects()
            for who in self.ground.voices
            if self.seen(who, on)
            for action in self.allowed(who, on, ask)
            if isinstance(on, Order) or ask or makes_sense(on, action)
        ]
        gentle = [one for one in found if one[1] not in ("cancel", "contest", "lift")]
        return found if len(self.trail) % 5 == 0 or not gentle else gentle

    @staticmethod
    def allowed(who: str, on: Order | Part, ask: bool) -> set[str]:
        """The model's allowed moves."""
        if isinstance(on, Order):
            return plain.order_allowed(on, who)
        return plain.ask_allowed(on, who) if ask else plain.part_allowed(on, who)

    def anything(self, a: int, b: int) -> tuple[str, str, Order | Part, bool] | None:
        """Any move by anybody."""
        subjects = self.subjects()
        on, ask = subjects[a % len(subjects)]
        moves = plain.ORDER_MOVES if isinstance(on, Order) else plain.ASK_MOVES if ask else plain.PART_MOVES
        action = moves[b % len(moves)]
        if isinstance(on, Part) and not ask and not makes_sense(on, action):
            return None
        names = sorted(self.ground.voices)
        return names[(a * 7 + b) % len(names)], action, on, ask

    def voice(self, n: int) -> Voice:
        """Somebody."""
        names = sorted(self.ground.voices)
        return self.ground.voices[names[n % len(names)]]

    # -- who sees ---------------------------------------------------------------------------------------------------

    def seen(self, who: str, on: Order | Part) -> bool:
        """Whether who can see it at all."""
        department = who.partition(".")[0]
        there = ON_IT | {part.department for part in effects.everything(self.order)}
        within = department in there or any(department in plain.ABOVE[one] for one in there)
        order = on if isinstance(on, Order) else on.order
        return within and order.seen_by(department)

    # -- doing ------------------------------------------------------------------------------------------------------

    def time(self, seconds: int) -> None:
        """Let time pass to where nothing is about to happen; one turn of the engine."""
        target = clock.now() + timedelta(seconds=seconds)
        for _ in range(10):
            if any(abs(target - moment) < CLOSE for moment in effects.moments(effects.everything(self.order))):
                target += 2 * CLOSE
        self.ground.go_to(target)
        self.trail.append(f"+{seconds}s")
        now = clock.now()
        sweep(now)
        relay.run_once()
        delivery.run_once(clock.now())
        effects.sweep(effects.everything(self.order), now, "fire")
        self.adopt()

    def expected(self, tried: Try, now: datetime) -> tuple[int, str]:
        """Status and code the model expects."""
        who, action, on = tried.who, tried.action, tried.on
        if not self.seen(who, on):
            return 404, "not_found"
        if isinstance(on, Order):
            party, open_now = plain.order_party(on, who, action), plain.order_now(on, action)
            same = plain.four_eyes(on, who, action)
        elif tried.ask:
            party, open_now = plain.ask_party(on, who, action), on.asking is not None
            same = plain.heard_before(on, who, action)
        else:
            party, open_now = plain.part_party(on, who, action), plain.part_now(on, action)
            same = action == "evaluate" and who == on.submitter
        if not party:
            return 403, "forbidden"
        if isinstance(on, Part) and action == "ask" and on.asking is not None:
            return 409, "ask_open"
        if not open_now:
            return 409, "move_not_allowed"
        if same:
            return 403, "same_person"
        code = refusal(tried, now)
        return STATUSES.get(code, 409), code

    def make(self, tried: Try, dice: int) -> None:
        """Send it; the answer is the model's, and the model moves on."""
        voice, now = self.ground.voice(tried.who), clock.now()
        status, code = self.expected(tried, now)
        own = tried.ask and tried.action == "withdraw"  # one's own question may be taken back, whatever came since
        version = tried.version() if tried.action in DECIDING and not own else None
        label = f"{tried.who} {tried.action} {type(tried.on).__name__}{tried.on.pk} {tried.body}"
        if version is not None and status == 200 and dice % 4 == 1:
            self.out_of_date(voice, tried)
            version = tried.last_decided()  # what came after changes nothing that is decided
        key = str(uuid.uuid4())
        answer = voice.send(tried.method, tried.path, tried.wire, version=version, key=key)
        self.trail.append(f"{label} -> {answer.status_code}")
        wanted = 201 if status == 200 and tried.action == "delegate" else status
        assert answer.status_code == wanted, (answer.content[:600], self.trail)
        if status >= 400:
            self.refused(tried, answer.json(), status, code)
            return
        if tried.action not in ("delegate", "reassign", "arbitrate"):  # these answer with what they made
            wanted = tried.on.question.pk if tried.ask and isinstance(tried.on, Part) and tried.on.question else 0
            assert answer.json()["id"] == (wanted or tried.on.pk), self.trail
        self.carry(tried, now)
        self.adopt()
        if dice % 3 == 0 and tried.method == "POST":
            self.once(voice, tried, version, key, answer)

    def out_of_date(self, voice: Voice, tried: Try) -> None:
        """A decision on an older version is refused, one on no version too."""
        stale = voice.send(tried.method, tried.path, tried.wire, version=tried.last_decided() - 1)
        said = (stale.status_code, stale.json().get("code"))
        assert said == (412, "version_conflict"), (tried, stale.content[:300], self.trail)
        blind = voice.send(tried.method, tried.path, tried.wire)
        assert (blind.status_code, blind.json()["code"]) == (428, "if_match_required"), (blind.content, self.trail)

    def refused(self, tried: Try, problem: dict[str, Any], status: int, code: str) -> None:
        """A refusal has its code; a wrong move says what stands and what is open instead."""
        assert problem["code"] == code, (problem, self.trail)
        if code != "move_not_allowed":
            return
        on = tried.on
        state: str = on.question.state if tried.ask and isinstance(on, Part) and on.question else on.state
        if isinstance(on, Order) and tried.action in plain.VERSION_MOVES and on.pending:
            state = on.pending
        assert problem["state"] == state, (problem, self.trail)
        assert set(problem["allowed"]) == self.allowed(tried.who, on, tried.ask), (problem, self.trail)

    def once(self, voice: Voice, tried: Try, version: int | None, key: str, first: Any) -> None:
        """The same request with the same key is answered the same and done once."""
        before = (Event.objects.count(), Transition.everything.count())
        again = voice.send(tried.method, tried.path, tried.wire, version=version, key=key)
        assert (again.status_code, again.content) == (first.status_code, first.content), self.trail
        assert (Event.objects.count(), Transition.everything.count()) == before, self.trail

    def carry(self, tried: Try, now: datetime) -> None:
        """Move the model on."""
        on = tried.on
        if isinstance(on, Order):
            effects.on_order(on, tried.action, tried.who, tried.body, now)
        elif tried.ask:
            if "until" in tried.body and on.question is not None:
                on.question.until = datetime.fromisoformat(tried.body["until"])
            effects.on_ask(on, tried.action, tried.who, tried.body)
        else:
            effects.on_part(on, tried.action, tried.who, tried.body, now)

    def adopt(self) -> None:
        """Learn the ids of what is new."""
        for order in effects.orders(self.order):
            if not order.pk and order.parent is not None:
                rows = Instruction.everything.filter(parent_id=order.parent.pk)
                known = {one.pk for one in effects.orders(self.order)}
                order.pk = rows.exclude(pk__in=known).latest("pk").pk
            for part in order.parts:
                if not part.pk:
                    department = self.ground.world.departments[part.department]
                    rows = Assignment.everything.filter(instruction_id=order.pk, department=department)
                    part.pk = rows.latest("pk").pk
                if part.question is not None and not part.question.pk:
                    part.question.pk = Ask.everything.filter(assignment_id=part.pk).latest("pk").pk
