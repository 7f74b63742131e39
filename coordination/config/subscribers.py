"""Who is told after something has happened? (name, dotted callable taking a list of events), in this order."""

SUBSCRIBERS: list[tuple[str, str]] = []
