"""What makes two runs the same import: the file's content and how it is read."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Final

import orjson

from models.importing.lines import is_compressed, open_stream, read_block
from models.importing.mapping import ColumnMapping
from models.importing.row import RunKey
from models.importing.source import Source

_BLOCK: Final = 1 << 20


def run_key(path: Path, source: Source, mapping: ColumnMapping, region: str) -> RunKey:
    """Read the whole content once for its SHA-256; name, date and compression do not matter."""
    digest = sha256()
    stream, stored = open_stream(path, compressed=is_compressed(path))
    with stored, stream:
        while block := read_block(stream, _BLOCK):
            digest.update(block)
    columns = [sorted(mapping.explicit.items()), sorted(mapping.defaults.items())]
    reading = [digest.hexdigest(), type(source).__name__, region, columns]
    return RunKey(sha256(orjson.dumps(reading)).digest())
