"""What do the rooms above know of an incident that it must ask for: what forbids closing, what a report may cite?"""

# dotted callables (incident_id) -> list of what is still open
FORBIDS_CLOSING: list[str] = ["coordination.instructions.queries.open_assignments_of"]
