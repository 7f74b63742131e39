"""Does a PDF hold what would run, open or send something when it is opened?

Nothing is drawn or run here. Objects stand in the body as plain words, or packed in object streams: names are looked
for in both, written in whatever way. An object stream that cannot be looked into is refused, and so is a locked file.
"""

from __future__ import annotations

import re
import zlib

from django.utils.translation import gettext_lazy as _

#: names without which no script, program, file or form inside can do anything; longer than chance makes of pixels
FORBIDDEN = frozenset({
    b"JavaScript", b"Launch", b"EmbeddedFile", b"EmbeddedFiles", b"RichMedia", b"SubmitForm", b"ImportData",
    b"GoToE", b"GoToR", b"Rendition", b"XFA",
})
MOST_STREAMS = 50_000
MOST_UNPACKED = 64 * 1024 * 1024
MOST_NAMES = 1_000_000  # in bodies, and again in heads of streams; 25 MB of a photo hold 200,000 by chance
_HEAD = 4_096
_NAME = re.compile(rb"/([^\x00\t\n\x0c\r ()<>\[\]{}/%]{1,80})")
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_STREAM = re.compile(rb"(?<!end)stream\r?\n")
_END, _END_OF_FILE = b"endstream", b"%%EOF"
_OTHER = frozenset({
    b"ASCIIHexDecode", b"AHx", b"ASCII85Decode", b"A85", b"LZWDecode", b"LZW", b"RunLengthDecode", b"RL", b"Crypt",
    b"CCITTFaxDecode", b"DCTDecode", b"JBIG2Decode", b"JPXDecode",
})


class PdfError(ValueError):
    """The PDF is not fit; ``message`` says why."""

    def __init__(self, message: object) -> None:
        super().__init__(str(message))
        self.message = message


def check(content: bytes) -> None:
    """Raise `PdfError` for a PDF that is not whole, is locked, or holds any of `FORBIDDEN`."""
    if not content.startswith(b"%PDF-") or _END_OF_FILE not in content[-2_048:]:
        raise PdfError(_("The PDF is not complete."))
    names, heads = _Names(), _Names()
    _judge(names.of(content))
    left, fed = MOST_UNPACKED, 2 * len(content)
    for count, begin in enumerate(_STREAM.finditer(content)):
        if count >= MOST_STREAMS:
            raise PdfError(_("Unpacked, the file is too big."))
        head = heads.of(_before(content, begin.start()))
        if b"ObjStm" in head or {b"N", b"First"} <= head:
            words, packed = _unpacked(content, begin.end(), head, left)
            left, fed = left - len(words), fed - packed
            if fed < 0:  # streams that lie in each other: each alone is small, all of them take minutes
                raise PdfError(_("The PDF cannot be read."))
            _judge(names.of(words))


class _Names:
    """Reads names, `MOST_NAMES` in all: each costs a moment, its escapes another, and 25 MB have room for millions."""

    def __init__(self) -> None:
        self.left = MOST_NAMES

    def of(self, words: bytes) -> set[bytes]:
        """Every name in these words, with its escapes (``/J#61va``) undone."""
        self.left -= words.count(b"/") + words.count(b"#")
        if self.left < 0:
            raise PdfError(_("The PDF has too many parts to be checked."))
        return {_ESCAPE.sub(lambda hit: bytes([int(hit[1], 16)]), one) for one in set(_NAME.findall(words))}


def _judge(names: set[bytes]) -> None:
    if names & FORBIDDEN:
        raise PdfError(_("A PDF with scripts or files inside is not taken in."))
    if b"Encrypt" in names:
        raise PdfError(_("A file locked with a password cannot be checked."))


def _before(content: bytes, end: int) -> bytes:
    """The words that describe a stream: back to the beginning of its object."""
    begin = content.rfind(b"obj", max(0, end - _HEAD), end)
    return content[begin if begin >= 0 else max(0, end - _HEAD) : end]


def _unpacked(content: bytes, begin: int, head: set[bytes], most: int) -> tuple[bytes, int]:
    """What an object stream holds, and from how many bytes it was unpacked.

    Words that say its end may be part of what is packed: each piece is fed once.
    """
    if b"Filter" not in head:
        return b"", 0  # not packed: looked at with the body
    if not head & {b"FlateDecode", b"Fl"} or head & _OTHER:
        raise PdfError(_("The PDF cannot be read."))
    packing, first = zlib.decompressobj(), begin
    found = bytearray()
    while not packing.eof:
        end = content.find(_END, begin)
        if end < 0:
            raise PdfError(_("The PDF is not complete."))
        try:
            found += packing.decompress(content[begin : end + len(_END)], most - len(found))
        except zlib.error as error:
            raise PdfError(_("The PDF cannot be read.")) from error
        if packing.unconsumed_tail or len(found) >= most:
            raise PdfError(_("Unpacked, the file is too big."))
        begin = end + len(_END)
    if b"Predictor" in head:
        raise PdfError(_("The PDF cannot be read."))
    return bytes(found), begin - first
