"""Which room is handed which list?"""

from celery.signals import task_failure

from accounts import duties, pace
from coordination.config import deadline_handlers, explained, incident_facts, parked, subscribers
from coordination.deadlines import alarms, watchdog
from coordination.events import relay
from incidents import closing
from sharing.access import explainable
from sharing.access.queries import drift
from sharing.access.rest import limits
from sharing.catalogue import incident_terms


def hand_out() -> None:
    """Hand the plain lists of this package to the rooms that may not reach for them; once, at start."""
    deadline_handlers.install()
    relay.configure(subscribers.SUBSCRIBERS, subscribers.ON_POISON)
    closing.use_named(incident_facts.FORBIDS_CLOSING)
    watchdog.use(["coordination.config.monitor.watched.look"])
    duties.use(incident_facts.KEEPS_A_DEPARTMENT)
    pace.use(limits.wait)
    incident_terms.use_named(incident_facts.RESPONDS_WITH, incident_facts.OPEN_INCIDENTS)
    drift.use(alarms.raise_alarm)
    explainable.use(explained.KINDS)
    task_failure.connect(parked.park, weak=False, dispatch_uid="parked")
