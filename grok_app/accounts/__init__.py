"""The pool of Grok accounts: who is asked next, what it costs them, when they rest, and how they are kept up."""

from grok_app.accounts.account import Account, Status
from grok_app.accounts.adult_content import read_birth_date
from grok_app.accounts.arrivals import Arrivals, Preview, preview, read_text
from grok_app.accounts.credential import mask
from grok_app.accounts.departures import Form, write_accounts
from grok_app.accounts.failover import Failover, as_gateway_errors
from grok_app.accounts.intake import LIMIT_CHARS, Intake
from grok_app.accounts.jobs import AccountJobs
from grok_app.accounts.listing import Changed, Fault, Skipped
from grok_app.accounts.online import Counted, OnlineFiles
from grok_app.accounts.online_counts import OnlineCount, OnlineCounts, OnlineTotal
from grok_app.accounts.online_search import OnlineColumn, search_online
from grok_app.accounts.overview import summarize_pools
from grok_app.accounts.pool import AccountPool
from grok_app.accounts.record import Note, Quota, Record, Tags, as_record, changed_fields, read_fields
from grok_app.accounts.refresh import Refresher, open_refresher
from grok_app.accounts.roster import Roster, open_roster
from grok_app.accounts.schedule import TURN, TURN_S, RefreshSchedule
from grok_app.accounts.search import (
    PAGE_SIZES,
    AccountPage,
    AccountQuery,
    Column,
    Filter,
    Totals,
    matching_ids,
    search,
    summarize,
    words_for,
)
from grok_app.accounts.service import Accounts, Lease, NoAccountError
from grok_app.accounts.table import SEALED, AccountRow
from grok_app.accounts.transfer import Parcel, Unpacked, pack, read_parcel, unpack, write_parcel

__all__ = [
    "LIMIT_CHARS",
    "PAGE_SIZES",
    "SEALED",
    "TURN",
    "TURN_S",
    "Account",
    "AccountJobs",
    "AccountPage",
    "AccountPool",
    "AccountQuery",
    "AccountRow",
    "Accounts",
    "Arrivals",
    "Changed",
    "Column",
    "Counted",
    "Failover",
    "Fault",
    "Filter",
    "Form",
    "Intake",
    "Lease",
    "NoAccountError",
    "Note",
    "OnlineColumn",
    "OnlineCount",
    "OnlineCounts",
    "OnlineFiles",
    "OnlineTotal",
    "Parcel",
    "Preview",
    "Quota",
    "Record",
    "RefreshSchedule",
    "Refresher",
    "Roster",
    "Skipped",
    "Status",
    "Tags",
    "Totals",
    "Unpacked",
    "as_gateway_errors",
    "as_record",
    "changed_fields",
    "mask",
    "matching_ids",
    "open_refresher",
    "open_roster",
    "pack",
    "preview",
    "read_birth_date",
    "read_fields",
    "read_parcel",
    "read_text",
    "search",
    "search_online",
    "summarize",
    "summarize_pools",
    "unpack",
    "words_for",
    "write_accounts",
    "write_parcel",
]
