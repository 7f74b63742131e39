"""What does a subject do when its time comes, and what is said about it? Subject type → dotted name."""

from django.utils.module_loading import import_string

from coordination.deadlines import handlers
from coordination.notify import wiring

# The handler of a subject type (a class without arguments).
HANDLERS: dict[str, str] = {
    "instructions.instruction": "coordination.instructions.deadlines.InstructionHandler",
    "instructions.assignment": "coordination.instructions.deadlines.AssignmentHandler",
    "instructions.ask": "coordination.instructions.deadlines.AskHandler",
    "catalogue.sharerequest": "sharing.catalogue.deadlines.RequestHandler",
    "catalogue.agreement": "sharing.catalogue.deadlines.AgreementHandler",
    "catalogue.breakglass": "sharing.catalogue.glass_deadlines.BreakGlassHandler",
}

# Is this message still wanted? Callable(subject_id, guard) -> bool.
# A guard that names another one (``by``) is asked there: ladder steps ask their own chain.
MESSAGE_GUARDS: dict[str, str] = {
    "deadline": "coordination.deadlines.on_event.still_climbing",
    "instructions.assignment": "coordination.instructions.deadlines.still_wanted",
}

# What may a message say of its subject? Callable(ids) -> {id: {"number", "headline_zh", "headline_en"}}.
MESSAGE_FACTS: dict[str, str] = {
    "instructions.instruction": "coordination.instructions.deadlines.instruction_words",
    "instructions.assignment": "coordination.instructions.deadlines.assignment_words",
    "instructions.ask": "coordination.instructions.deadlines.ask_words",
    "catalogue.sharerequest": "sharing.catalogue.deadlines.request_words",
    "catalogue.agreement": "sharing.catalogue.deadlines.agreement_words",
    "incidents.incident": "incidents.queries.messages.incident_words",
    "incidents.participation": "incidents.queries.messages.participation_words",
    "incidents.report": "incidents.queries.messages.report_words",
}

# Who is told when the first message about a subject has left? Callable(subject_id, now).
DELIVERY_SENT: dict[str, str] = {
    "instructions.assignment": "coordination.instructions.on_event.reached",
}

# Who is told when nobody of a ladder step could be reached? Callable(subject_type, subject_id, guard, now).
UNREACHED: list[str] = ["coordination.deadlines.on_event.unreached"]

# Who is told of a message that was set aside for a fault of its own? Callable(delivery_id, what it is, now).
POISON: list[str] = ["coordination.deadlines.on_event.message_poison"]


def install() -> None:
    """Hand the lists to the rooms that ask them; called once at start."""
    handlers.install({subject: import_string(name)() for subject, name in HANDLERS.items()})
    wiring.install(
        guards_by_type={subject: import_string(name) for subject, name in MESSAGE_GUARDS.items()},
        facts_by_type={subject: import_string(name) for subject, name in MESSAGE_FACTS.items()},
        sent_by_type={subject: import_string(name) for subject, name in DELIVERY_SENT.items()},
        unreached_calls=[import_string(name) for name in UNREACHED],
        poison_calls=[import_string(name) for name in POISON],
    )
