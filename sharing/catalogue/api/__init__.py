"""What do other systems and scripts read and do about data?"""

from sharing.catalogue.api import entries, explaining, records

urlpatterns = [*entries.urlpatterns, *records.urlpatterns, *explaining.urlpatterns]
