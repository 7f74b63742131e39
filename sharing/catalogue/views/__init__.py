"""Which pages has the catalogue?"""

from sharing.catalogue.views.browsing import catalogue as catalogue
from sharing.catalogue.views.entry import ACTS as ACTS
from sharing.catalogue.views.entry import act as act
from sharing.catalogue.views.entry import entry as entry
from sharing.catalogue.views.ruling import confirm_rule as confirm_rule
from sharing.catalogue.views.ruling import end_rule as end_rule
from sharing.catalogue.views.ruling import new_rule as new_rule
from sharing.catalogue.views.stewarding import add_schema as add_schema
from sharing.catalogue.views.stewarding import edit as edit
from sharing.catalogue.views.stewarding import legal_bases as legal_bases
from sharing.catalogue.views.stewarding import new as new
