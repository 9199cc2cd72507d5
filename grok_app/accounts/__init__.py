"""The pool of Grok accounts: who is asked next, what it costs them, and when they rest."""

from grok_app.accounts.account import Account, Status
from grok_app.accounts.pool import AccountPool
from grok_app.accounts.service import Accounts, Added, Lease, NoAccountError, Skipped, open_accounts
from grok_app.accounts.table import AccountRow

__all__ = [
    "Account",
    "AccountPool",
    "AccountRow",
    "Accounts",
    "Added",
    "Lease",
    "NoAccountError",
    "Skipped",
    "Status",
    "open_accounts",
]
