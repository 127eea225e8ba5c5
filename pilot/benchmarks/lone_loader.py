"""Processes one upload job in a process of its own and prints the most memory that took: ``lone_loader JOB`` (MiB)."""

from __future__ import annotations

import os
import sys


def main(job_id: int) -> None:
    """Load the job of the portal this environment names. Raises RuntimeError when it does not end well."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "pilot.settings"
    import django

    django.setup()
    from filings.enums import JobState
    from filings.services import uploads
    from pilot.benchmarks import processes
    from pilot.garbage import keep_what_is_loaded

    keep_what_is_loaded()
    done = uploads.process(job_id=job_id)
    if done.state != JobState.DONE:
        raise RuntimeError(done.fault)
    sys.stdout.write(str(processes.peak_mib()))


if __name__ == "__main__":
    main(int(sys.argv[1]))
