"""What stands in the city of the matrix though no act of its people could make it?"""

from __future__ import annotations

from coordination.events import clock
from coordination.events.actor import SYSTEM
from sharing import access
from sharing.catalogue.models import Dataset


def rule(dataset: Dataset) -> int:
    """A rule of an entry so confidential that none can be made: it waits for a second person, and fits no incident."""
    terms = access.RuleTerms(
        role="lead", fields={"canary": "full"}, max_class=4, valid_from=clock.now(), incident_id=0, needs_second=True
    )
    made, _concerned = access.make_rule(
        actor=SYSTEM, dataset_id=dataset.pk, department_id=dataset.department_id, terms=terms, now=clock.now()
    )
    return made.pk
