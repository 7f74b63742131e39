"""What do other systems and scripts read and do about data?"""

from sharing.catalogue.api import entries, records, rules

urlpatterns = [*entries.urlpatterns, *records.urlpatterns, *rules.urlpatterns]
