"""What do all tests share?"""

import pytest

from tests import services


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Give this process a database of its own, so that runs may go on beside each other."""
    from django.conf import settings  # not before the settings are chosen

    settings.DATABASES["default"]["TEST"]["NAME"] = services.DATABASE_NAME
