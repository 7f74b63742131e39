"""What do other systems and scripts read and do about data?"""

from sharing.catalogue.api import entries, records, sharing

urlpatterns = [*entries.urlpatterns, *records.urlpatterns, *sharing.urlpatterns]
