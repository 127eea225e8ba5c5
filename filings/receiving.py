"""How a plain form hands its file over: straight into the encrypted spool, neither in memory nor in a clear file."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.core.files.uploadhandler import FileUploadHandler

from filings.services import spool, uploads


class SpooledFile:
    """A file of a form that lies in the spool. Unless somebody takes it, it is forgotten with the request."""

    def __init__(self, name: str, size: int, waiting: uploads.Waiting | None) -> None:
        self.name = name
        self.size = size
        self._waiting = waiting

    def take(self) -> uploads.Waiting:
        """What is to be registered; from now on that is whoever takes it who forgets it."""
        if self._waiting is None:
            raise ValueError("nothing lies in the spool")
        waiting, self._waiting = self._waiting, None
        return waiting

    def close(self) -> None:
        """Called at the end of the request."""
        if self._waiting is not None:
            spool.remove(self._waiting.key)
            self._waiting = None


class SpoolHandler(FileUploadHandler):
    """Writes the file of a form to the spool as it arrives; of one that is too large the rest is let pass.

    Whoever sets it calls :meth:`drop` when the request was answered: Django tells it only of a body that ends early,
    not of a connection that is reset, nor of what it raises itself.
    """

    def __init__(self, request: Any = None) -> None:
        super().__init__(request)
        self._key: UUID | None = None
        self._writer: spool.Writer | None = None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.drop()
        self._key = uuid4()
        self._writer = spool.Writer(self._key)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if start + len(raw_data) > uploads.LARGEST_FILE:
            self.drop()
        elif self._writer is not None:
            self._writer.write(raw_data)

    def file_complete(self, file_size: int) -> Any:
        waiting = None
        if self._key is not None and self._writer is not None:
            waiting = uploads.Waiting(self._key, self._writer.close())
            self._key = self._writer = None
        return SpooledFile(str(self.file_name), file_size, waiting)

    def upload_interrupted(self) -> None:
        self.drop()

    def drop(self) -> None:
        """Leave nothing of a file that is not complete."""
        if self._writer is not None:
            self._writer.abandon()
        if self._key is not None:
            spool.remove(self._key)
        self._key = self._writer = None
