"""Which codes are there, what data is there, and on what terms?"""

from sharing.catalogue.queries.browsing import CLASSES as CLASSES
from sharing.catalogue.queries.browsing import FACETS as FACETS
from sharing.catalogue.queries.browsing import datasets as datasets
from sharing.catalogue.queries.browsing import facets as facets
from sharing.catalogue.queries.entries import basis_row as basis_row
from sharing.catalogue.queries.entries import dataset as dataset
from sharing.catalogue.queries.entries import export as export
from sharing.catalogue.queries.entries import legal_bases as legal_bases
from sharing.catalogue.queries.entries import schema_row as schema_row
from sharing.catalogue.queries.entries import schemas as schemas
from sharing.catalogue.queries.entries import terms as terms
from sharing.catalogue.queries.keeping import kept_by as kept_by
from sharing.catalogue.queries.records import records as records
from sharing.catalogue.queries.records import transfer_row as transfer_row
from sharing.catalogue.queries.records import transfers as transfers
from sharing.catalogue.queries.tables import code as code
from sharing.catalogue.queries.tables import codes as codes
from sharing.catalogue.queries.tables import codes_steps as codes_steps
from sharing.catalogue.queries.tables import names as names
from sharing.catalogue.queries.tables import names_steps as names_steps
from sharing.catalogue.queries.tables import path_name as path_name
from sharing.catalogue.queries.tables import path_names as path_names
from sharing.catalogue.queries.tables import table_names as table_names
