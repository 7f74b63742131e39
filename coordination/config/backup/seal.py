"""How is a stream packed and encrypted so that nobody reads it and nobody cuts it short unnoticed?

``MUSTER-BACKUP-1``, 16 random bytes of salt, then pieces: length (4 bytes), AES-256-GCM of up to 256 KiB of the packed
stream. Each file has a key of its own (HKDF-SHA256 of the master key and the salt, bound to the file's name); each
piece's nonce is its number and whether it is the last, so that pieces cannot be swapped, left out or added.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MARK = b"MUSTER-BACKUP-1\n"
PIECE = 256 * 1024
KEY_BYTES = 32


class BackupProblem(RuntimeError):
    """What was asked of the backup cannot be done; the message says why and what to do."""


def make_key(path: Path) -> None:
    """Write a new master key, readable by its owner alone; raises BackupProblem when there is one already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError as error:
        raise BackupProblem(f"{path} is there already: what was sealed with it needs it") from error
    with os.fdopen(descriptor, "w") as file:
        file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode() + "\n")
        file.flush()
        os.fsync(file.fileno())


def read_key(path: Path | None) -> bytes:
    """Return the master key of a key file."""
    if path is None:
        raise BackupProblem("MUSTER_BACKUP_KEY_FILE is not set: make a key by `manage.py backup key <file>`")
    try:
        key = base64.b64decode(path.read_text().strip(), validate=True)
    except (OSError, ValueError) as error:
        raise BackupProblem(f"the key file {path} cannot be read") from error
    if len(key) != KEY_BYTES:
        raise BackupProblem(f"the key file {path} holds no key of {KEY_BYTES} bytes")
    return key


def _cipher(master: bytes, salt: bytes, name: str) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt, b"muster backup\x00" + name.encode()).derive(master))


def _nonce(number: int, *, last: bool) -> bytes:
    return struct.pack(">QHBB", number, 0, 0, last)


def write(path: Path, name: str, pieces: Iterable[bytes], master: bytes, *, level: int = 1) -> int:
    """Seal a stream into ``path``, whole or not at all, flushed to the disk; return the bytes written.

    ``name`` is what the file stands for, and must be given again to read it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    salt = secrets.token_bytes(16)
    cipher, packer = _cipher(master, salt, name), zlib.compressobj(level)
    try:
        with temporary.open("wb") as file:
            file.write(MARK + salt)
            waiting, number = bytearray(), 0
            for piece in pieces:
                waiting += packer.compress(piece)
                while len(waiting) > PIECE:
                    _put(file, cipher.encrypt(_nonce(number, last=False), bytes(waiting[:PIECE]), None))
                    del waiting[:PIECE]
                    number += 1
            waiting += packer.flush()
            while len(waiting) > PIECE:
                _put(file, cipher.encrypt(_nonce(number, last=False), bytes(waiting[:PIECE]), None))
                del waiting[:PIECE]
                number += 1
            _put(file, cipher.encrypt(_nonce(number, last=True), bytes(waiting), None))
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _flush_folder(path.parent)
    return size


def _put(file: IO[bytes], sealed: bytes) -> None:
    file.write(struct.pack(">I", len(sealed)) + sealed)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(path: Path, name: str, master: bytes) -> Iterator[bytes]:
    """Yield the stream sealed in ``path``; raises BackupProblem for a wrong key, another file, or a changed one."""
    with path.open("rb") as file:
        head = file.read(len(MARK) + 16)
        if not head.startswith(MARK) or len(head) < len(MARK) + 16:
            raise BackupProblem(f"{path} is no file of a backup")
        cipher, unpacker = _cipher(master, head[len(MARK) :], name), zlib.decompressobj()
        number, sealed = 0, _next(file, path)
        while sealed is not None:
            following = _next(file, path)
            try:
                packed = cipher.decrypt(_nonce(number, last=following is None), sealed, None)
            except InvalidTag as error:
                raise BackupProblem(f"{path}: the key is another one, or the file was changed or cut off") from error
            yield unpacker.decompress(packed)
            number, sealed = number + 1, following
        yield unpacker.flush()
        if not unpacker.eof:
            raise BackupProblem(f"{path} is cut off")


def _next(file: IO[bytes], path: Path) -> bytes | None:
    head = file.read(4)
    if not head:
        return None
    size = struct.unpack(">I", head)[0] if len(head) == 4 else PIECE * 2
    sealed = file.read(size) if size <= PIECE + 16 else b""
    if len(sealed) != size:
        raise BackupProblem(f"{path} is cut off")
    return sealed


def write_json(path: Path, name: str, content: Any, master: bytes) -> None:
    """Seal an object."""
    write(path, name, [json.dumps(content, default=str).encode()], master)


def read_json(path: Path, name: str, master: bytes) -> Any:
    """Return a sealed object."""
    return json.loads(b"".join(read(path, name, master)))


def of_file(path: Path) -> Iterator[bytes]:
    """Yield a file's content."""
    with path.open("rb") as file:
        while piece := file.read(1024 * 1024):
            yield piece
