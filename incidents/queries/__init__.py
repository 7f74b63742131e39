"""What may this actor read of incidents, reports and their logs? Plain dicts, never bare rows."""

from incidents.queries.allowed import allowed_actions as allowed_actions
from incidents.queries.facts import IncidentFacts as IncidentFacts
from incidents.queries.facts import command_posts as command_posts
from incidents.queries.facts import facts as facts
from incidents.queries.facts import facts_many as facts_many
from incidents.queries.facts import family_ids as family_ids
from incidents.queries.facts import is_commander as is_commander
from incidents.queries.facts import open_incidents_of as open_incidents_of
from incidents.queries.files import Download as Download
from incidents.queries.files import attachment as attachment
from incidents.queries.files import attachment_file as attachment_file
from incidents.queries.files import attachments_of as attachments_of
from incidents.queries.files import open_file as open_file
from incidents.queries.files import open_picture as open_picture
from incidents.queries.lists import incidents as incidents
from incidents.queries.lists import log as log
from incidents.queries.lists import log_entry as log_entry
from incidents.queries.lists import objectives as objectives
from incidents.queries.lists import participation as participation
from incidents.queries.lists import participations as participations
from incidents.queries.reports import report as report
from incidents.queries.reports import reports as reports
from incidents.queries.room import incident as incident
from incidents.queries.room import room as room
from incidents.queries.searching import search as search
from incidents.queries.timeline import timeline as timeline
