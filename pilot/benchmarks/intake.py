"""How fast forms come in: whole files through the real door, beside raw COPY of the same rows and the usual way.

All figures are rows a second over the same synthetic rows in the same run, medians of ``--runs``. The limit is COPY
(text) of the same rows, ciphertext ready-made, into a partitioned table with the same indexes and no triggers; the
usual way is REST framework's ``ListSerializer`` (each row validated once, no query per row) and ``bulk_create``.
"""

from __future__ import annotations

import csv
import io
import json
import multiprocessing
import resource
import statistics
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, connections
from psycopg import sql

from filings import synthetic, writers
from filings.enums import JobState
from filings.models import UploadJob, VerificationForm
from filings.services import submissions, uploads
from filings.intake.request_body import read_json
from pilot.actors import Actor
from pilot.benchmarks import Report, percentile, usual_way
from pilot.demo import world
from pilot.models import PilotUnit

FORMS: Final = "filings_verificationform"
COPIED: Final = "bench_forms"
PARTITIONS: Final = 16
ERROR_RATE: Final = 0.02
COLLECTED: Final = (world.moment("2019-05-20 00:00"), world.moment("2019-06-20 00:00"))
RECEIVED: Final = world.moment("2019-06-25 10:00")
GOALS: Final = {"ndjson": 0.35, "csv": 0.45, "usual": 25.0, "again": 0.8, "two": 1.6}
ACTOR: Final = Actor.system("bench")
SINGLES: Final = 200
BATCHES: Final = 20


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--usual-rows", type=int, default=5_000, help="rows given to the usual way, which is slow")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--history", type=int, default=0, help="narrow rows made by SQL beforehand")
    parser.add_argument("--seed", type=int, default=87)


def run(options: Mapping[str, Any]) -> Report:
    """Build units, then measure every way in turn, so often; every run has units of its own."""
    raise NotImplementedError
