"""What do tests of deliveries and downloads stand on?"""

from tests.catalogue.conftest import built, ground

__all__ = ["built", "ground"]
