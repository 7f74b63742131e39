"""What does a subject do when its time comes? Subject type → dotted handler class."""

HANDLERS: dict[str, str] = {}

# Is this message still wanted? Subject type → dotted callable(subject_id, guard) -> bool.
MESSAGE_GUARDS: dict[str, str] = {}

# Who is told when the first message about a subject has left? Subject type → dotted callable(subject_id, now).
DELIVERY_SENT: dict[str, str] = {}
