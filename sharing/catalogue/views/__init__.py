"""Which pages has the catalogue?"""

from sharing.catalogue.views.agreeing import AGREEMENT_ACTS as AGREEMENT_ACTS
from sharing.catalogue.views.agreeing import agreement as agreement
from sharing.catalogue.views.agreeing import agreement_act as agreement_act
from sharing.catalogue.views.agreeing import agreements as agreements
from sharing.catalogue.views.answering import REQUEST_ACTS as REQUEST_ACTS
from sharing.catalogue.views.answering import request as request
from sharing.catalogue.views.answering import request_act as request_act
from sharing.catalogue.views.answering import requests as requests
from sharing.catalogue.views.asking import ask as ask
from sharing.catalogue.views.asking import give as give
from sharing.catalogue.views.asking import offer as offer
from sharing.catalogue.views.browsing import catalogue as catalogue
from sharing.catalogue.views.entry import ACTS as ACTS
from sharing.catalogue.views.entry import act as act
from sharing.catalogue.views.entry import entry as entry
from sharing.catalogue.views.records import record as record
from sharing.catalogue.views.records import records as records
from sharing.catalogue.views.stewarding import add_schema as add_schema
from sharing.catalogue.views.stewarding import edit as edit
from sharing.catalogue.views.stewarding import legal_bases as legal_bases
from sharing.catalogue.views.stewarding import new as new
