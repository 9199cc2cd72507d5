"""All examinations, one after the other."""

import asyncio

from grok_app.cli.doctor.doors import examine_doors
from grok_app.cli.doctor.finding import Finding, failure, ok
from grok_app.cli.doctor.machine import examine_machine
from grok_app.cli.doctor.reach import examine_reach
from grok_app.cli.doctor.storage import examine_shared, examine_storage
from grok_app.env import current_env, wants_traces
from grok_app.errors import ConfigurationError
from grok_app.logs import configure_logging


async def examine() -> list[Finding]:
    """Look at everything, with the environment of this process; with a wrong one at nothing else."""
    configure_logging("error", as_json=False)  # what is wrong is told by the findings
    try:
        env, overrides = current_env()
        wants_traces()
        stored = await examine_storage(env, overrides)
    except ConfigurationError as error:
        return [failure("environment", str(error), "Mend the variable, in the environment or in .env")]
    findings = [ok("environment", "every name and value is known"), *stored.findings]
    findings += await asyncio.to_thread(lambda: [*examine_shared(env), *examine_machine(env, stored.settings)])
    findings += examine_doors(env, stored.settings, are_keys_known=stored.is_read)
    return findings + await examine_reach(stored.settings)
