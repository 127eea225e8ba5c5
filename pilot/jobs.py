"""What every Celery task of the portal is: one the outbox sent is tried three times at most and leaves it when done."""

from __future__ import annotations

from typing import Any

from celery import Task
from celery.exceptions import Reject
from django.db import close_old_connections, connection

from pilot.database import AWAY
from pilot.services import outbox

DATABASE_AWAY = 5  # seconds until a task that the database failed is tried again
MOST_REPEATED = 600  # times, 50 minutes: over before the outbox takes the task for lost (``LOST_AFTER``)


class OutboxTask(Task[Any, Any]):
    """A task that knows which message of the outbox it was sent for; beat's own have none and simply run."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run, and tell the outbox. Raises ``Retry`` when the database is away, else what the task raises.

        An error of the database that does not pass is the task's own: a full disk, or what always ends in a deadlock.
        """
        # Called as a function, or within somebody's act, it runs in the caller's session.
        if not (self.request.called_directly or connection.in_atomic_block):
            close_old_connections()  # the database may have been restarted since the last task
        message = (self.request.headers or {}).get(outbox.HEADER)
        if message is None:
            return super().__call__(*args, **kwargs)
        repeated = int(self.request.retries or 0)
        try:
            return self._run_for(message, repeated, args, kwargs)
        except AWAY as error:  # it may be in the middle of a restart
            if repeated >= MOST_REPEATED:
                outbox.failed(message, error)
                raise
            try:
                raise self.retry(exc=error, countdown=DATABASE_AWAY, max_retries=None) from error
            except Reject as fault:  # the broker does not take it: let it keep the copy that it has
                raise Reject(str(fault), requeue=True) from error

    def _run_for(self, message: int, repeated: int, args: Any, kwargs: Any) -> Any:
        if not outbox.begin(message, repeated=repeated):
            return None
        try:
            result = self.run(*args, **kwargs)
        except AWAY:
            raise
        except Exception as error:
            outbox.failed(message, error)
            raise
        outbox.done(message)
        return result
