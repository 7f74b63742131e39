"""What do other systems and scripts read and do about data?"""

from sharing.catalogue.api import emergencies, entries, explaining, records, requests, rules, sharing

urlpatterns = [
    *entries.urlpatterns, *records.urlpatterns, *requests.urlpatterns, *emergencies.urlpatterns,
    *explaining.urlpatterns, *rules.urlpatterns, *sharing.urlpatterns,
]  # fmt: skip
