"""Is the committed description of the API the one the code gives?"""

import difflib
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMMITTED = ROOT / "docs" / "openapi.yaml"

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordination.config.settings")

import django
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer


def main() -> int:
    """Show the difference, and every warning of the generator."""
    django.setup()
    schema = SchemaGenerator().get_schema(request=None, public=True)
    generated = OpenApiYamlRenderer().render(schema, renderer_context={}).decode()
    if GENERATOR_STATS:
        GENERATOR_STATS.emit_summary()
        return 1
    committed = COMMITTED.read_text(encoding="utf-8") if COMMITTED.exists() else ""
    if generated.strip() == committed.strip():
        return 0
    changes = difflib.unified_diff(committed.splitlines(), generated.splitlines(), "docs/openapi.yaml", "the code", lineterm="")
    print("\n".join(list(changes)[:80]))
    print("\ndocs/openapi.yaml is not what the code gives: make openapi")
    return 1


if __name__ == "__main__":
    sys.exit(main())
