"""Who must do what, and is it done?"""

from __future__ import annotations

from coordination.instructions.queries.closing import open_assignments_of

__all__ = ["open_assignments_of"]
