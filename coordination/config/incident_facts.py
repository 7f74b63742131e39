"""What do the rooms above know that a room below must ask for: what forbids closing, how urgent is it?"""

# dotted callables (incident_id) -> list of what is still open
FORBIDS_CLOSING: list[str] = ["coordination.instructions.queries.open_assignments_of"]

# dotted callables (department_id) -> how many open things wait for the department
KEEPS_A_DEPARTMENT: list[str] = [
    "coordination.instructions.queries.open_orders_with",
    "incidents.queries.open_incidents_of",
]

# dotted callable (actor, incident_id) -> (number, whether it is open, response level), or None where hidden or absent
RESPONDS_WITH: str = "incidents.queries.responses.response_of"
# dotted callable (actor) -> [(incident_id, what people call it)] of the open ones
OPEN_INCIDENTS: str = "incidents.queries.responses.open_to"
