"""A conversation as one text."""

import pytest

from grok_app.chat import Message
from grok_app.chat.prompt import flatten


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ([("user", "Hi")], "Hi"),
        ([("system", "Be brief."), ("user", "Hi")], "system: Be brief.\n\nHi"),
        (
            [("user", "Hi"), ("assistant", "Hello."), ("user", "Bye")],
            "user: Hi\n\nassistant: Hello.\n\nBye",
        ),
        ([("user", "Hi"), ("assistant", "Hel")], "Hi\n\nassistant: Hel"),
        ([("developer", "Be brief.")], "developer: Be brief."),
    ],
    ids=["one", "system", "history", "assistant last", "no user"],
)
def test_every_message_but_the_last_user_message_names_its_role(messages: list[tuple[str, str]], text: str) -> None:
    """Messages are joined with a blank line; what is asked now stands verbatim."""
    assert flatten([Message(role, said) for role, said in messages]) == text  # type: ignore[arg-type] # roles as written above
