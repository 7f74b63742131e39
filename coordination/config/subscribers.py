"""Who is told after something has happened? (name, dotted callable taking a list of events), in this order."""

SUBSCRIBERS: list[tuple[str, str]] = [
    ("live", "coordination.live.on_event.handle"),
    ("notify", "coordination.notify.on_event.handle"),
    ("instructions", "coordination.instructions.on_event.handle"),
]

# Who is told of an event that a subscriber could not handle? Dotted callable(poison, now).
ON_POISON = "coordination.deadlines.on_event.relay_poison"
