"""The demonstration as its user meets it: one command, a portal of its own, every machine with every outcome."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pilot.demo.script import Fate
from pilot.machines import MACHINES

ROOT = Path(__file__).parents[2]
FORMS = "20"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]
