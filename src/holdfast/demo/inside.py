"""Work that needs the installation's database, in a process of its own.

The demo itself talks to Holdfast over HTTP, like everybody. Two things it does from
inside, as an operator would: set the installation up, and measure at the end. Each is
a module with a function ``run`` that takes and returns one JSON object.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from holdfast.base.errors import Unavailable

TIMEOUT_S = 120.0
_PROGRAM = (
    "import importlib, json, sys\n"
    "from holdfast.cli import prepare_django\n"
    "prepare_django()\n"
    "run = importlib.import_module(sys.argv[1]).run\n"
    "json.dump(run(json.load(sys.stdin)), sys.stdout)\n"
)


def run_inside(
    module: str,
    given: Mapping[str, Any],
    environment: Mapping[str, str],
    timeout_s: float = TIMEOUT_S,
) -> dict[str, Any]:
    """What ``module.run(given)`` answers, inside the installation of ``environment``.

    Raises ``Unavailable`` with the end of what it said if it fails.
    """
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, module],
        input=json.dumps(given),
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    if done.returncode:
        raise Unavailable(f"{module} failed. Its last words:\n{done.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
