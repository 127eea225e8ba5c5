"""The Celery application: delivery settings and the timetable of the portal's recurring jobs."""

import os

from celery import Celery
from celery.signals import worker_process_init

from pilot.garbage import keep_what_is_loaded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pilot.settings")

app = Celery("pilot", task_cls="pilot.jobs:OutboxTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    # A session of the database serves many tasks, for to connect takes as long as a small one. Each task begins by
    # looking whether the session is good and not too old (``pilot.jobs``), so this number is only far away.
    CELERY_DB_REUSE_MAX=500,
    task_ignore_result=True,  # our own job rows are the truth
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    # Having lost its broker a worker finishes what it has in hand and ends, and ``serve`` starts another: one that
    # takes up the connection again may stay without taking any task (celery issues 8030, 10205; 4 times of 16 here).
    broker_connection_retry=False,
    task_serializer="json",
    accept_content=["json"],
    task_time_limit=540,
    broker_transport_options={
        # Just above the longest task; killed work comes back within this time (security-and-faults.md, finding 3).
        "visibility_timeout": int(os.environ.get("PILOT_VISIBILITY_TIMEOUT", "600")),
        "unacked_restore_interval": 2,
        "unacked_restore_throttle": 1,
        "unacked_mutex_expire": 10,
        # Whoever commits something never waits for a broker that is away or hangs: the outbox sends it later.
        "max_retries": 0,
        "socket_connect_timeout": 2,
        "socket_timeout": 5,
    },
    timezone="Asia/Shanghai",
    # Where a run may last, or there are many, one that waited until the next is due must not pile up behind it.
    beat_schedule={
        "pulse": {"task": "pilot.tasks.beat", "schedule": 30.0, "options": {"expires": 30}},
        "outbox": {"task": "pilot.tasks.sweep_outbox", "schedule": 5.0},
        "mails": {"task": "pilot.tasks.send_mails", "schedule": 5.0},
        "audit-seal": {"task": "pilot.tasks.seal_audit", "schedule": 10.0},
        "audit-head": {"task": "pilot.tasks.sign_audit", "schedule": 600.0},  # once a day, whenever it can
        "audit-watch": {"task": "pilot.tasks.watch_denials", "schedule": 30.0, "options": {"expires": 30}},
        "exports-sweep": {"task": "pilot.tasks.sweep_exports", "schedule": 60.0},
        "answers-tidy": {"task": "pilot.tasks.tidy_answers", "schedule": 3600.0},
        "webhooks": {"task": "pilot.tasks.send_webhooks", "schedule": 5.0, "options": {"expires": 5}},
        "webhooks-tidy": {"task": "pilot.tasks.tidy_webhooks", "schedule": 3600.0},
        "dormant-accounts": {"task": "pilot.tasks.disable_dormant", "schedule": 3600.0},
        "second-factors-reseal": {"task": "pilot.tasks.reseal_second_factors", "schedule": 3600.0},
        "leftovers": {"task": "pilot.tasks.clear_leftovers", "schedule": 1800.0},
        "licences": {"task": "pilot.tasks.watch_licences", "schedule": 3600.0},
        "forget": {"task": "pilot.tasks.forget", "schedule": 3600.0},
        "drafts-forget": {"task": "applications.tasks.forget_drafts", "schedule": 3600.0},
        "deadlines": {"task": "applications.tasks.pass_deadlines", "schedule": 60.0},
        "files-rescan": {
            "task": "applications.tasks.rescan_files",
            "schedule": 60.0,
            "options": {"expires": 60},
        },
        "uploads-sweep": {"task": "applications.tasks.sweep_uploads", "schedule": 1800.0},
        "provincial-reports": {"task": "assessment.tasks.open_reports", "schedule": 300.0},
        "report-reminders": {"task": "assessment.tasks.remind_bureaus", "schedule": 300.0},
        "supervision-deadlines": {"task": "filings.tasks.pass_deadlines", "schedule": 60.0},
        "authority-again": {
            "task": "filings.tasks.ask_authority_again",
            "schedule": 60.0,
            "options": {"expires": 60},
        },
        "national-match": {"task": "filings.tasks.match_national", "schedule": 3600.0},
        "filings-sweep": {"task": "filings.tasks.sweep", "schedule": 5.0},
        "filings-tidy": {"task": "filings.tasks.tidy", "schedule": 3600.0},
        "fold": {"task": "filings.tasks.fold_counts", "schedule": 3.0, "options": {"expires": 3}},
        "alerts": {"task": "filings.tasks.review_alerts", "schedule": 120.0},
        "nightly-recount": {"task": "filings.tasks.nightly_recount", "schedule": 24 * 3600.0},
    },
)
app.autodiscover_tasks()


@app.on_after_configure.connect
def _expire(sender: Celery, **_sent: object) -> None:
    """Give every other entry an end, too: after its period, or ten minutes, it adds nothing to those after it.

    No less than that, or none would be run at all while everything waits long for its turn.
    """
    for entry in sender.conf.beat_schedule.values():
        entry.setdefault("options", {"expires": max(entry["schedule"], 600.0)})


@worker_process_init.connect
def _settle(**_sent: object) -> None:
    keep_what_is_loaded()
