"""As much of the Xet protocol as an upload by the default client needs.

The client cuts files into chunks, packs them into xorbs and says in a shard which chunks make which
file. Files are put together from both as soon as the shard is there, and checked against their
SHA-256. Downloads stay plain HTTP: no answer names a Xet hash. The layouts are those of
https://huggingface.co/docs/xet.
"""

import hashlib
import secrets
import struct
import time

from aiohttp import web
from hub_access import repository_for, user_of
from hub_store import Refused, Store

_TOKEN = f"cas_{secrets.token_hex(8)}"
_STORED, _LZ4, _GROUPED = 0, 1, 2
_VERIFIED, _HAS_SHA256 = 0x80000000, 0x40000000


def access(
    store: Store, request: web.Request, kinds: str, name: str, *, write: bool
) -> web.Response:
    """Hand out the token for the contents, to whoever may read or write the repository."""
    user = user_of(request.headers.get("Authorization"))
    repository_for(store, kinds, name, user, write=write)
    until, url = int(time.time()) + 3600, f"http://{request.headers['Host']}/_cas"
    headers = {
        "X-Xet-Cas-Url": url,
        "X-Xet-Access-Token": _TOKEN,
        "X-Xet-Token-Expiration": str(until),
    }
    body = {"accessToken": _TOKEN, "exp": until, "casUrl": url}
    return web.json_response(body, headers=headers)


async def contents(store: Store, request: web.Request, path: list[str]) -> web.Response:
    """Take a xorb or a shard. All else is refused; the client then does without."""
    if request.headers.get("Authorization") != f"Bearer {_TOKEN}":
        raise Refused(401, "no token for the contents")
    folder = store.root / "xorbs"
    folder.mkdir(exist_ok=True)
    match path:
        case ["v1", "xorbs", "default", xorb] if request.method == "POST" and xorb.isalnum():
            new = not (folder / xorb).exists()
            (folder / xorb).write_bytes(await request.read())
            return web.json_response({"was_inserted": new})
        case ["v1", "shards"] if request.method == "POST":
            for sha256, pieces in _files(await request.read()).items():
                chunks = [
                    chunk
                    for xorb, first, end in pieces
                    for chunk in _chunks((folder / xorb).read_bytes())[first:end]
                ]
                data = b"".join(chunks)
                if hashlib.sha256(data).hexdigest() != sha256:
                    raise Refused(400, "the chunks do not make the file")
                store.put(data)
            return web.json_response({"result": 1})
    raise Refused(404, "not found")


def _hex(digest: bytes) -> str:
    """Return a hash as Xet prints it: as four little-endian numbers."""
    return "".join(digest[i : i + 8][::-1].hex() for i in range(0, 32, 8))


def _chunks(xorb: bytes) -> list[bytes]:
    """Return the chunks of a xorb, unpacked."""
    chunks, at = [], 0
    while at + 8 <= len(xorb) and xorb[at : at + 7] != b"XETBLOB":
        packed = int.from_bytes(xorb[at + 1 : at + 4], "little")
        size = int.from_bytes(xorb[at + 5 : at + 8], "little")
        chunks.append(_unpacked(xorb[at + 8 : at + 8 + packed], xorb[at + 4], size))
        at += 8 + packed
    return chunks


def _unpacked(data: bytes, scheme: int, size: int) -> bytes:
    import pyarrow

    if scheme not in (_STORED, _LZ4, _GROUPED):
        raise Refused(400, f"unknown compression {scheme}")
    if scheme != _STORED:
        data = pyarrow.decompress(data, decompressed_size=size, codec="lz4", asbytes=True)
    if scheme == _GROUPED:  # every fourth byte together
        whole, rest = divmod(size, 4)
        grouped, at = bytearray(size), 0
        for i in range(4):
            count = whole + (i < rest)
            grouped[i::4] = data[at : at + count]
            at += count
        data = bytes(grouped)
    return data


def _files(shard: bytes) -> dict[str, list[tuple[str, int, int]]]:
    """Return SHA-256 -> pieces, each a xorb with its first chunk and the one after its last."""
    files, at = {}, 48
    while shard[at : at + 32] != b"\xff" * 32:
        flags, count = struct.unpack("<II", shard[at + 32 : at + 40])
        at += 48
        pieces = []
        for i in range(count):
            entry = shard[at + 48 * i : at + 48 * (i + 1)]
            first, end = struct.unpack("<II", entry[40:48])
            pieces.append((_hex(entry[:32]), first, end))
        at += 48 * count * (2 if flags & _VERIFIED else 1)
        if flags & _HAS_SHA256:
            files[_hex(shard[at : at + 32])] = pieces
            at += 48
    return files
