"""Which code tables do all departments share, what data is there, and on what terms?"""

from sharing.catalogue.models.codes import Code as Code
from sharing.catalogue.models.emergencies import BreakGlass as BreakGlass
from sharing.catalogue.models.emergencies import RuleProposal as RuleProposal
from sharing.catalogue.models.entries import Dataset as Dataset
from sharing.catalogue.models.entries import DatasetGroupObjectPermission as DatasetGroupObjectPermission
from sharing.catalogue.models.entries import LegalBasis as LegalBasis
from sharing.catalogue.models.entries import SchemaVersion as SchemaVersion
from sharing.catalogue.models.records import Record as Record
from sharing.catalogue.models.records import Transfer as Transfer
from sharing.catalogue.models.requests import Agreement as Agreement
from sharing.catalogue.models.requests import ShareRequest as ShareRequest
from sharing.catalogue.models.requests import Signature as Signature
from sharing.catalogue.models.requests import StandingOffer as StandingOffer
