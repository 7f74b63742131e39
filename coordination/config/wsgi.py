"""Which callable serves pages and the API?"""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordination.config.settings")

application = get_wsgi_application()
