"""Accounts as text: what goes out comes back in."""

import json

from hypothesis import given
from hypothesis import strategies as st

from grok_app.accounts import Account, Form, Roster, as_record, read_text, write_accounts
from grok_app.accounts.listing import read_items
from grok_app.catalog import Pool
from tests.accounts.test_transfer import NOW, accounts


@given(st.lists(accounts(), max_size=5, unique_by=lambda account: account.credential.get_secret_value()))
def test_json_comes_back_with_every_field(before: list[Account]) -> None:
    """An export is an import."""
    listing = read_items(read_text(write_accounts(before, Form.JSON).decode(), Pool.BASIC).items)
    after = {token: item.made(token, NOW) for token, item in listing.wanted.items()}
    assert {token: (account.pool, as_record(account)) for token, account in after.items()} == {
        account.credential.get_secret_value(): (account.pool, as_record(account)) for account in before
    }


@given(st.lists(accounts(), max_size=5, unique_by=lambda account: account.credential.get_secret_value()))
def test_lines_come_back_as_tokens(before: list[Account]) -> None:
    """A token per line, in the order given, and nothing else."""
    tokens = [account.credential.get_secret_value() for account in before]
    text = write_accounts(before, Form.TXT).decode()
    assert text.splitlines() == tokens
    assert list(read_items(read_text(text, Pool.SUPER).items).wanted) == tokens


async def test_the_form_is_that_of_the_admin_api(roster: Roster) -> None:
    """Both pools are there, an empty one too."""
    [first] = roster.all()
    pools = json.loads(write_accounts(roster.chosen({first.id, 999}), Form.JSON))
    assert pools == {"ssoBasic": [as_record(first) | {"tags": []}], "ssoSuper": []}
