"""How do code tables, entries of the catalogue and legal bases come in and change?"""

from sharing.catalogue.actions.delivering import deliver as deliver
from sharing.catalogue.actions.describing import change as change
from sharing.catalogue.actions.describing import draft as draft
from sharing.catalogue.actions.importing import import_catalogue as import_catalogue
from sharing.catalogue.actions.legal import add_legal_basis as add_legal_basis
from sharing.catalogue.actions.loading import load_codes as load_codes
from sharing.catalogue.actions.moves import confirm as confirm
from sharing.catalogue.actions.moves import publish as publish
from sharing.catalogue.actions.moves import retire as retire
from sharing.catalogue.actions.revoking import revoke_grant as revoke_grant
from sharing.catalogue.actions.schemas import add_schema as add_schema
