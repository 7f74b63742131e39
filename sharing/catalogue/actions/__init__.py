"""How do code tables, entries of the catalogue and legal bases come in and change?"""

from sharing.catalogue.actions.agreeing import end_agreement as end_agreement
from sharing.catalogue.actions.agreeing import sign_agreement as sign_agreement
from sharing.catalogue.actions.asking import ask as ask
from sharing.catalogue.actions.asking import renew_agreement as renew_agreement
from sharing.catalogue.actions.asking import submit_request as submit_request
from sharing.catalogue.actions.asking import withdraw_request as withdraw_request
from sharing.catalogue.actions.deciding import give as give
from sharing.catalogue.actions.deciding import grant_request as grant_request
from sharing.catalogue.actions.deciding import refuse_request as refuse_request
from sharing.catalogue.actions.deciding import screen_request as screen_request
from sharing.catalogue.actions.delivering import deliver as deliver
from sharing.catalogue.actions.describing import change as change
from sharing.catalogue.actions.describing import draft as draft
from sharing.catalogue.actions.importing import import_catalogue as import_catalogue
from sharing.catalogue.actions.legal import add_legal_basis as add_legal_basis
from sharing.catalogue.actions.loading import load_codes as load_codes
from sharing.catalogue.actions.moves import confirm as confirm
from sharing.catalogue.actions.moves import publish as publish
from sharing.catalogue.actions.moves import retire as retire
from sharing.catalogue.actions.offering import end_offer as end_offer
from sharing.catalogue.actions.offering import set_offer as set_offer
from sharing.catalogue.actions.schemas import add_schema as add_schema
