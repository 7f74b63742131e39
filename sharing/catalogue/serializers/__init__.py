"""What does the catalogue look like from outside, and what may be sent of it?"""

from sharing.catalogue.serializers.entries import ChangeDatasetBody as ChangeDatasetBody
from sharing.catalogue.serializers.entries import CodeFilters as CodeFilters
from sharing.catalogue.serializers.entries import CodeShape as CodeShape
from sharing.catalogue.serializers.entries import DatasetActionShape as DatasetActionShape
from sharing.catalogue.serializers.entries import DatasetFilters as DatasetFilters
from sharing.catalogue.serializers.entries import DatasetRowShape as DatasetRowShape
from sharing.catalogue.serializers.entries import DatasetShape as DatasetShape
from sharing.catalogue.serializers.entries import Day as Day
from sharing.catalogue.serializers.entries import DcatBody as DcatBody
from sharing.catalogue.serializers.entries import DraftDatasetBody as DraftDatasetBody
from sharing.catalogue.serializers.entries import ExportFilters as ExportFilters
from sharing.catalogue.serializers.entries import ImportedShape as ImportedShape
from sharing.catalogue.serializers.entries import LegalBasisBody as LegalBasisBody
from sharing.catalogue.serializers.entries import LegalBasisShape as LegalBasisShape
from sharing.catalogue.serializers.entries import SchemaBody as SchemaBody
from sharing.catalogue.serializers.entries import SchemaShape as SchemaShape
from sharing.catalogue.serializers.entries import TableShape as TableShape
from sharing.catalogue.serializers.records import DeliveryBody as DeliveryBody
from sharing.catalogue.serializers.records import RecordFilters as RecordFilters
from sharing.catalogue.serializers.records import RecordShape as RecordShape
from sharing.catalogue.serializers.records import TransferShape as TransferShape
from sharing.catalogue.serializers.records import Tree as Tree
from sharing.catalogue.serializers.sharing import GrantFilters as GrantFilters
from sharing.catalogue.serializers.sharing import GrantShape as GrantShape
from sharing.catalogue.serializers.sharing import ReceiptShape as ReceiptShape
from sharing.catalogue.serializers.sharing import RevokeBody as RevokeBody
