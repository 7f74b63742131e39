"""What may a page show of a picture?

Never the file as it came: a small JPEG drawn anew from its pixels, without what cameras write beside them.
"""

from __future__ import annotations

import io

from PIL import Image, ImageOps

from incidents.files.checking import Checked

SIDE = 480


def make(checked: Checked) -> bytes | None:
    """A JPEG of at most 480 × 480 pixels for a picture, None for anything else."""
    if not checked.content_type.startswith("image/"):
        return None
    with Image.open(io.BytesIO(checked.content)) as image:
        image.draft("RGB", (SIDE * 2, SIDE * 2))
        image.thumbnail((SIDE, SIDE))
        upright = ImageOps.exif_transpose(image)
        flat = Image.new("RGB", upright.size, "white")
        seen = upright.convert("RGBA")
        flat.paste(seen, mask=seen.getchannel("A"))
    out = io.BytesIO()
    flat.save(out, "JPEG", quality=80)
    return out.getvalue()
