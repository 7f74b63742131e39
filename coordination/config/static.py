"""Under which names are static files served?"""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):
    """Hashed and compressed; imports between our ES modules are hashed too."""

    support_js_module_import_aggregation = True
