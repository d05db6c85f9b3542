"""After the story: everything stays up for the visitor, until Ctrl-C.

Prints the addresses, a staff sign-in with its second factor, and a report's codename.
The codes shown are of an account that exists in this demo alone.
"""

from __future__ import annotations

import time

import pyotp
from rich.console import Console

from holdfast.demo.stage import Stage
from holdfast.demo.story import Told

TOTP_STEP_S = 30
"""Seconds that one code is for (RFC 6238, section 4.1)."""


def serve(stage: Stage, told: Told, console: Console, *, kept: bool) -> None:
    """Say where everything is, and wait until somebody asks to stop.

    ``kept``: whether the data stay in a folder that the visitor named.
    """
    you = stage.staff["you"]
    for name, value in (
        ("Portal", f"{stage.holdfast_url}/"),
        ("Console", f"{stage.holdfast_url}/console/"),
        ("API", f"{stage.holdfast_url}/api/v1/docs"),
        ("Plaza", f"{stage.plaza.url}/"),
        ("Test double", f"{stage.double.root}/  (nothing is filed with anybody)"),
        ("Sign in as", f"{you.email}   password {you.password}"),
        ("Second factor", f"{_code(you.secret)} now; or add {you.secret} to an app"),
        ("", you.otpauth),
        ("A report's words", told.codename),
    ):
        console.print(f"{name:17} {value}", highlight=False, soft_wrap=True)
    end = "Ctrl-C stops everything" + ("." if kept else " and deletes it.")
    console.print(end)
    if console.is_terminal:
        _show_codes(stage, you.secret, console)
    else:
        stage.supervisor.wait()
    console.print("Stopping.")


def _show_codes(stage: Stage, secret: str, console: Console) -> None:
    """Keep the present code on the screen: each one works once, for half a minute."""
    try:
        with console.status("") as status:
            while True:
                status.update(f"The code of this half minute is {_code(secret)}")
                time.sleep(TOTP_STEP_S - time.time() % TOTP_STEP_S)
    except KeyboardInterrupt:
        return


def _code(secret: str) -> str:
    return pyotp.TOTP(secret).now()
