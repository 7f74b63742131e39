"""Which pages has the catalogue?"""

from sharing.catalogue.views.browsing import catalogue as catalogue
from sharing.catalogue.views.entry import ACTS as ACTS
from sharing.catalogue.views.entry import PARTS as PARTS
from sharing.catalogue.views.entry import act as act
from sharing.catalogue.views.entry import entry as entry
from sharing.catalogue.views.entry import part as part
from sharing.catalogue.views.sharing import export as export
from sharing.catalogue.views.sharing import grant as grant
from sharing.catalogue.views.sharing import revoke as revoke
from sharing.catalogue.views.sharing import sharing as sharing
from sharing.catalogue.views.stewarding import add_schema as add_schema
from sharing.catalogue.views.stewarding import edit as edit
from sharing.catalogue.views.stewarding import legal_bases as legal_bases
from sharing.catalogue.views.stewarding import new as new
