"""What do other systems and scripts read and do about data?"""

from sharing.catalogue.api import emergencies, entries, explaining, records, requests

urlpatterns = [
    *entries.urlpatterns, *records.urlpatterns, *requests.urlpatterns, *emergencies.urlpatterns,
    *explaining.urlpatterns,
]  # fmt: skip
