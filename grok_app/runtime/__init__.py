"""The services of a process: opened in one order, closed in the opposite one, reached by pages and API alike."""

from grok_app.runtime.opening import open_services
from grok_app.runtime.rotation import reseal_all
from grok_app.runtime.services import Services, current
from grok_app.runtime.storage import Keys, Storage, open_storage, prepare_storage, seed_demo, vault_of

__all__ = [
    "Keys",
    "Services",
    "Storage",
    "current",
    "open_services",
    "open_storage",
    "prepare_storage",
    "reseal_all",
    "seed_demo",
    "vault_of",
]
