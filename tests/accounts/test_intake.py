"""Texts that come slice by slice: put together, within limits, never mixed up, and forgotten in time."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from grok_app.accounts import Arrivals, Intake, intake
from grok_app.catalog import Pool
from grok_app.errors import InvalidRequestError, NotFoundError, OverloadedError, RequestTooLargeError


class Clock:
    """What would happen later happens when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[Alarm] = []

    def after(self, delay_s: float, work: Callable[[], None]) -> "Alarm":
        """As `asyncio`'s `call_later`."""
        self.waiting.append(Alarm(delay_s, work))
        return self.waiting[-1]

    def pass_by(self) -> None:
        """Let all the time pass that anything waits for."""
        for alarm in self.waiting:
            if not alarm.is_off:
                alarm.work()


class Alarm:
    """Called off, it does nothing."""

    def __init__(self, delay_s: float, work: Callable[[], None]) -> None:
        self.delay_s, self.work, self.is_off = delay_s, work, False

    def cancel(self) -> None:
        """Call it off."""
        self.is_off = True


def handed_in(texts: Intake, tab: str, *pieces: str) -> str:
    """A text of this tab, with all its slices."""
    serial = texts.begin(tab, sum(map(len, pieces)))
    for piece in pieces:
        texts.add(tab, serial, piece)
    return serial


async def test_slices_are_put_together() -> None:
    """Wherever they were cut; each tab has its own."""
    texts = Intake()
    one = handed_in(texts, "one", "tok", "en-a\ntoken", "-b")
    two = handed_in(texts, "two", "token-c")
    assert (await texts.read("one", one, Pool.BASIC)).items == {Pool.BASIC: ["token-a", "token-b"]}
    assert (await texts.read("two", two, Pool.SUPER)).items == {Pool.SUPER: ["token-c"]}


async def test_what_was_read_is_what_arrives() -> None:
    """The same, not read again; and nothing before it was read."""
    texts = Intake()
    serial = handed_in(texts, "tab", "token-a")
    with pytest.raises(NotFoundError):
        texts.arrived("tab", serial)
    read = await texts.read("tab", serial, Pool.BASIC)
    assert texts.arrived("tab", serial) is read
    texts.drop("tab")
    with pytest.raises(NotFoundError):
        texts.arrived("tab", serial)


async def test_a_new_text_replaces_the_one_before() -> None:
    """Whoever chooses another file means that one: the first one's serial opens nothing any more."""
    texts = Intake()
    first, second = (handed_in(texts, "tab", text) for text in ("token-a", "token-b"))
    with pytest.raises(NotFoundError):
        texts.add("tab", first, "token-c")
    with pytest.raises(NotFoundError):
        await texts.read("tab", first, Pool.BASIC)
    assert (await texts.read("tab", second, Pool.BASIC)).items == {Pool.BASIC: ["token-b"]}


async def test_a_text_that_is_replaced_while_it_is_read_brings_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even when its reading ends after the other one began."""
    texts, read = Intake(), intake._read

    def slowly(slices: Sequence[str], pool: Pool) -> Arrivals:
        asyncio.run_coroutine_threadsafe(replace(), loop).result()
        return read(slices, pool)

    async def replace() -> None:
        begun.append(texts.begin("tab", 100))

    loop, begun = asyncio.get_running_loop(), list[str]()
    monkeypatch.setattr(intake, "_read", slowly)
    with pytest.raises(NotFoundError):
        await texts.read("tab", handed_in(texts, "tab", "token-a"), Pool.BASIC)
    with pytest.raises(NotFoundError):
        texts.arrived("tab", begun[0])


@pytest.mark.parametrize("arrived", ["token-a\ntok", ""], ids=["in part", "not at all"])
async def test_an_incomplete_text_is_not_read(arrived: str) -> None:
    """A page that was loaded anew meanwhile sends nothing more."""
    texts = Intake()
    serial = texts.begin("tab", len("token-a\ntoken-b"))
    texts.add("tab", serial, arrived)
    with pytest.raises(InvalidRequestError, match="as a whole"):
        await texts.read("tab", serial, Pool.BASIC)


async def test_characters_are_counted_as_browsers_do() -> None:
    """To them an emoji is two, and half of one, which some texts have, is one."""
    texts = Intake()
    serial = texts.begin("tab", len("token-a\n#") + 3)
    texts.add("tab", serial, "token-a\n#\U0001f600\ud83d")
    assert (await texts.read("tab", serial, Pool.BASIC)).lines == [1]


@pytest.mark.parametrize("text", ["", "# nobody\n\n", "[]", '{"ssoBasic": []}'])
async def test_a_text_without_accounts_is_refused(text: str) -> None:
    """Before anyone is shown a preview of nothing."""
    texts = Intake()
    with pytest.raises(InvalidRequestError, match="no account"):
        await texts.read("tab", handed_in(texts, "tab", text), Pool.BASIC)


def test_a_text_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too large is refused as it comes, and not kept."""
    monkeypatch.setattr(intake, "LIMIT_CHARS", 5)
    texts = Intake(Clock().after)
    serial = texts.begin("tab", 6)
    texts.add("tab", serial, "12345")
    with pytest.raises(RequestTooLargeError):
        texts.add("tab", serial, "6")
    with pytest.raises(NotFoundError):
        texts.add("tab", serial, "7")


async def test_a_text_has_so_many_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read waits in memory, where a short item takes as much as a long one."""
    monkeypatch.setattr(intake, "MOST_ACCOUNTS", 2)
    texts = Intake()
    await texts.read("tab", handed_in(texts, "tab", '{"ssoBasic": [1], "ssoSuper": [2]}'), Pool.BASIC)
    with pytest.raises(RequestTooLargeError, match="2 accounts"):
        await texts.read("tab", handed_in(texts, "tab", "[1, 2, 3]"), Pool.BASIC)


def test_only_some_wait_at_once() -> None:
    """More would fill the memory; one that is done makes room."""
    texts = Intake(Clock().after)
    for number in range(intake.MOST_TEXTS):
        texts.begin(str(number), 1)
    with pytest.raises(OverloadedError):
        texts.begin("another", 1)
    texts.drop("0")
    texts.begin("another", 1)


async def test_what_is_left_behind_is_forgotten_by_itself() -> None:
    """A closed tab holds no tokens in memory for long, even if nobody ever imports again."""
    clock = Clock()
    texts = Intake(clock.after)
    serial = handed_in(texts, "tab", "token-a")
    await texts.read("tab", serial, Pool.BASIC)
    clock.pass_by()
    assert texts._texts == {}
    with pytest.raises(NotFoundError, match="choose it again"):
        texts.arrived("tab", serial)


def test_each_slice_is_a_sign_of_life() -> None:
    """The time begins anew; what was dropped waits for nothing."""
    clock = Clock()
    texts = Intake(clock.after)
    handed_in(texts, "tab", "token-a", "token-b")
    assert [alarm.is_off for alarm in clock.waiting] == [True, True, False]
    assert clock.waiting[-1].delay_s == intake.KEPT_S
    texts.drop("tab")
    assert clock.waiting[-1].is_off


async def test_time_passes_by_the_loop_s_clock() -> None:
    """Unless a test has another one."""
    done = asyncio.Event()
    intake.call_later(0.0, done.set)
    await done.wait()


def test_nothing_is_taken_unasked() -> None:
    """A slice of a text that nobody began is refused."""
    with pytest.raises(NotFoundError):
        Intake(Clock().after).add("tab", "", "token")
