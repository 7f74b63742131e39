"""Of which kinds of objects may somebody ask who sees them, and why?"""

KINDS: list[str] = [
    "incidents.incident", "incidents.report", "incidents.scalechange", "incidents.participation",
    "incidents.objective", "incidents.incidentlink", "incidents.logentry", "incidents.attachment",
    "instructions.instruction", "instructions.instructionversion", "instructions.approval",
    "instructions.assignment", "instructions.transition", "instructions.acknowledgement",
    "instructions.feedback", "instructions.evaluation", "instructions.ask", "instructions.urge",
    "catalogue.dataset", "catalogue.record",
]  # fmt: skip
