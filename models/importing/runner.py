"""The import itself: batches, a checkpoint after each, and going on where a killed run stopped.

Rows are read and checked in one thread while the batch before is written. A batch is written, then
its rejections, then the checkpoint: a run that dies in between reads the batch again and finds its
own rows by their ids (see `RunKey`).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from models.base import now as present
from models.bookkeeping import ImportDocument
from models.database import Database, Raw, to_bson
from models.errors import DatabaseUnavailable
from models.importing.identity import run_key
from models.importing.mapping import ColumnMapping
from models.importing.rejection import RejectCode, Rejection
from models.importing.report import RejectsFile
from models.importing.row import RowBuilder, RowRefused
from models.importing.source import Record, Source
from models.importing.store import BatchStore, Stored

BATCH: Final = 1000
MAX_BATCH_BYTES: Final = 8 << 20
ATTEMPTS: Final = 5  # per batch, when the database does not answer
_NO_RECORD: Final = Record(0, None, None, 0, 0)


@dataclass(slots=True)
class Progress:
    """How far a run is: stored bytes read of all, and rows by what became of them.

    The rows include those of earlier runs that this one goes on from; `before` counts them.
    """

    read: int
    total: int
    imported: int
    unchanged: int
    rejected: int
    before: int

    @property
    def rows(self) -> int:
        return self.imported + self.unchanged + self.rejected


@dataclass(slots=True)
class Summary:
    """What an import came to. `resumed_at` is the line a killed run was taken up at, else None."""

    imported: int
    unchanged: int
    rejected: int
    codes: dict[str, int]
    unknown: list[str]
    resumed_at: int | None
    rejects: Path | None


@dataclass(slots=True)
class Batch:
    """Rows ready to be stored, those refused, and where the next batch starts."""

    offset: int
    line: int
    people: list[tuple[int, Raw]] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    read: int = 0


@dataclass(slots=True)
class Import:
    """One import of one file into one region. `run` does it.

    `dry` checks everything and stores nothing: rows are compared with the database and within
    their batch. `rejects` is where the report goes, by default a file in the working folder.
    """

    database: Database
    path: Path
    source: Source
    mapping: ColumnMapping
    region: str
    rejects: Path | None = None
    batch: int = BATCH
    dry: bool = False
    _state: ImportDocument = field(init=False)
    _repeated: bool = field(init=False, default=False)

    async def run(self, progress: Callable[[Progress], None] = lambda _state: None) -> Summary:
        """Import the whole file; `progress` is called after each batch.

        Raises `DatabaseUnavailable` when the database stays away: the same call later goes on.
        """
        key = await asyncio.to_thread(run_key, self.path, self.source, self.mapping, self.region)
        resumed = await self._find_state(key.digest.hex())
        report = RejectsFile(self.rejects or self._default_rejects(), size=self._state.rejects_size)
        builder = RowBuilder(key, self.region, self._state.started_at, self.mapping.defaults)
        store = BatchStore(self.database, key, dry=self.dry)
        try:
            await self._run_batches(builder, store, report, progress)
        finally:
            report.close()
        state = self._state
        return Summary(
            imported=state.imported,
            unchanged=state.unchanged,
            rejected=state.rejected,
            codes=dict(sorted(state.codes.items())),
            unknown=sorted(self.mapping.unknown),
            resumed_at=resumed,
            rejects=report.path if report.size else None,
        )

    def _default_rejects(self) -> Path:
        """In the working folder, by the digest of the run, so that a resumed one finds it again."""
        return Path(f"import-rejects-{self._state.id[:12]}{'-dry' if self.dry else ''}.jsonl")

    async def _find_state(self, identifier: str) -> int | None:
        """Take up the checkpoint of a run that did not finish; returns its line, None for a fresh start."""
        found = await self.database.find_one(ImportDocument, {"_id": identifier})
        known = ImportDocument.model_validate(found) if found else None
        if known is None or known.finished_at is not None or self.dry:
            self._repeated = known is not None
            self._state = ImportDocument(id=identifier, repeated=known is not None)
            if known is not None:
                self._state.started_at = known.started_at  # the same ids as the first time
            return None
        self._state, self._repeated = known, known.repeated
        if known.offset:
            self.source.resume(known.offset, known.line)
        return known.line if known.offset else None

    async def _run_batches(
        self, builder: RowBuilder, store: BatchStore, report: RejectsFile, progress: Callable[[Progress], None]
    ) -> None:
        await self._save()  # before the first row, so that a run taken up again has the same moment
        before = self._progress(0, 0).rows
        records = self.source.records()
        batch = await asyncio.to_thread(self._read, records, builder)
        while batch is not None:
            following, _ = await asyncio.gather(
                asyncio.to_thread(self._read, records, builder), self._commit(batch, store, report)
            )
            progress(self._progress(batch.read, before))
            batch = following
        self._state.finished_at = present()
        await self._save()

    def _progress(self, read: int, before: int) -> Progress:
        state = self._state
        return Progress(read, self.source.size, state.imported, state.unchanged, state.rejected, before)

    def _read(self, records: Iterator[Record], builder: RowBuilder) -> Batch | None:
        batch = Batch(0, 0)
        start, record = None, _NO_RECORD
        for record in records:
            start = record.offset if start is None else start
            if record.problem is not None or record.cells is None:
                problem = record.problem or RejectCode.BAD_TYPE
                batch.rejections.append(Rejection(record.line, problem, record.twice))
            else:
                try:
                    batch.people.append((record.line, builder.build(record.line, record.cells)))
                except RowRefused as refused:
                    batch.rejections.extend(refused.rejections)
            full = len(batch.people) + len(batch.rejections) >= self.batch
            if full or record.offset - start >= MAX_BATCH_BYTES:
                break
        if start is None:
            return None
        batch.offset, batch.line = record.offset, record.next_line
        batch.read = self.source.position()
        return batch

    async def _commit(self, batch: Batch, store: BatchStore, report: RejectsFile) -> None:
        stored = await self._store(batch, store)
        rejections = sorted([*batch.rejections, *stored.rejections], key=lambda rejection: rejection.line)
        await asyncio.to_thread(report.write, rejections)
        state = self._state
        again, fresh = (stored.again, 0) if self._repeated else (0, stored.again)
        state.imported += stored.new + fresh
        state.unchanged += stored.known + again
        state.rejected += len({rejection.line for rejection in rejections})
        state.codes = dict(Counter(state.codes) + Counter(rejection.code.value for rejection in rejections))
        state.offset, state.line = batch.offset, batch.line
        state.rejects_size = report.size
        await self._save()

    async def _store(self, batch: Batch, store: BatchStore) -> Stored:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await store.store(batch.people)
            except DatabaseUnavailable:
                if attempt == ATTEMPTS:
                    raise
            await asyncio.sleep(attempt)
        raise DatabaseUnavailable

    async def _save(self) -> None:
        if self.dry:
            return
        self._state.updated_at = present()
        row = to_bson(self._state)
        identifier = row.pop("_id")
        await self.database.update_one(ImportDocument, {"_id": identifier}, {"$set": row}, upsert=True)
