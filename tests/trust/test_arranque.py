"""What a process of ours loads before it does anything."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

DICE = """
import sys
import pregon.cli.app, pregon.difusor.opera, pregon.instituto.build, pregon.trust.keys
print(*sorted({"boto3", "botocore", "sqlalchemy", "asyncssh", "uvicorn"} & set(sys.modules)))
import boto3
print(boto3.__name__)
"""


def test_nothing_is_loaded_that_the_work_does_not_need() -> None:
    """The library of signatures loads boto3 where it is installed: 0.4 s of each process. Who needs it has it after."""
    assert importlib.util.find_spec("boto3") is not None
    told = subprocess.run([sys.executable, "-c", DICE], capture_output=True, text=True, check=True).stdout
    assert told.splitlines() == ["", "boto3"]
