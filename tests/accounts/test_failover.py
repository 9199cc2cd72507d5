"""Which failures are tried again, where, and how often."""

from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing, asynccontextmanager

import pytest
from pydantic import SecretStr

from grok_app.accounts import Failover, Lease, NoAccountError
from grok_app.catalog import MODELS, Pool
from grok_app.settings import Settings
from grok_app.upstream import ChatPrompt, EndFrame, ErrorKind, Frame, StartFrame, TokenFrame, UpstreamError

PROMPT = ChatPrompt("Hi", "grok-4", "MODEL_MODE_GROK_4", 0.8, 0.95, None)
ANSWER: list[Frame] = [StartFrame("r", None), TokenFrame(["Hi"], is_thinking=False, rollout_id=None), EndFrame("Hi")]


class ScriptedUpstream:
    """Plays one script per call: frames, and perhaps an error after them."""

    def __init__(self, *scripts: Sequence[Frame | UpstreamError]) -> None:
        self.scripts = list(scripts)
        self.asked: list[str] = []
        self.open = 0

    async def chat(self, credential: str, prompt: ChatPrompt) -> AsyncGenerator[Frame, None]:
        """Play the next script."""
        assert prompt is PROMPT
        self.asked.append(credential)
        self.open += 1
        try:
            for step in self.scripts.pop(0):
                if isinstance(step, UpstreamError):
                    raise step
                yield step
        finally:
            self.open -= 1


class ListedAccounts:
    """Lends `a`, `b`, `c`, … in that order."""

    def __init__(self, retry_after_s: float | None = None, count: int = 3) -> None:
        self.outcomes: list[str] = []
        self.count = count
        self.retry_after_s = retry_after_s

    @asynccontextmanager
    async def lease(
        self, pools: Sequence[Pool], cost: int, excluded: Collection[int] = (), *, wait_s: float = 0.0
    ) -> AsyncGenerator[Lease, None]:
        """Lend the first that is not excluded."""
        assert 59 < wait_s <= 60
        assert pools == MODELS["grok-4"].pools
        assert cost == 1
        account_id = next((i for i in range(self.count) if i not in excluded), None)
        if account_id is None:
            raise NoAccountError("none", retry_after_s=self.retry_after_s)
        try:
            yield Lease(account_id, SecretStr("abcd"[account_id]), Pool.BASIC)
        except UpstreamError as error:
            self.outcomes.append(error.kind)
            raise
        except BaseException:  # cancelled, that is: as a real lease has it
            self.outcomes.append("given back")
            raise
        self.outcomes.append("used")


def failed(kind: ErrorKind, status: int | None = None) -> UpstreamError:
    """A failure of this kind."""
    return UpstreamError(kind, kind, status=status)


def failover(accounts: ListedAccounts) -> Failover:
    """Under test, with short waits."""
    settings = Settings.model_validate({"retry": {"retry_backoff_base": 0.01, "retry_backoff_max": 0.01}})
    return Failover(accounts, settings)  # type: ignore[arg-type] # only `lease` is called


async def play(upstream: ScriptedUpstream, accounts: ListedAccounts) -> list[Frame]:
    """All frames of one request."""
    async with aclosing(run(failover(accounts), upstream)) as frames:
        return [frame async for frame in frames]


def run(failover: Failover, upstream: ScriptedUpstream) -> AsyncGenerator[Frame, None]:
    """One request of a cheap model; a token is its first word."""
    model = MODELS["grok-4"]
    return failover.run(
        model.pools,
        model.cost,
        lambda lease: upstream.chat(lease.credential.get_secret_value(), PROMPT),
        begins=lambda frame: isinstance(frame, TokenFrame),
    )


@pytest.mark.parametrize(
    "error",
    [
        failed(ErrorKind.RATE_LIMITED, 429),
        failed(ErrorKind.INVALID_CREDENTIAL, 401),
        failed(ErrorKind.BLOCKED_ACCOUNT, 403),
        failed(ErrorKind.UNAVAILABLE, 500),
        failed(ErrorKind.TIMEOUT),
    ],
    ids=["429", "401", "blocked", "500", "silent"],
)
async def test_a_refused_account_is_followed_by_the_next(error: UpstreamError) -> None:
    """What is wrong with one account is not the caller's problem."""
    upstream, accounts = ScriptedUpstream([error], ANSWER), ListedAccounts()
    assert await play(upstream, accounts) == ANSWER
    assert upstream.asked == ["a", "b"]
    assert accounts.outcomes == [error.kind, "used"]


@pytest.mark.parametrize(
    "error",
    [failed(ErrorKind.UNAVAILABLE, 503), failed(ErrorKind.ANTI_BOT, 403), failed(ErrorKind.UNAVAILABLE)],
    ids=["503", "anti-bot", "no status"],
)
async def test_a_passing_fault_is_tried_again_on_the_same_account(error: UpstreamError) -> None:
    """A fault of the way to Grok costs the account nothing."""
    upstream, accounts = ScriptedUpstream([StartFrame("r", None), error], ANSWER), ListedAccounts()
    assert await play(upstream, accounts) == ANSWER
    assert upstream.asked == ["a", "a"]
    assert accounts.outcomes == ["used"]


@pytest.mark.parametrize(
    "error",
    [
        failed(ErrorKind.MODERATED, 403),
        failed(ErrorKind.PROTOCOL, 404),
    ],
    ids=["moderated", "protocol"],
)
async def test_other_failures_are_the_callers_at_once(error: UpstreamError) -> None:
    """What another attempt can't mend is not tried again."""
    upstream, accounts = ScriptedUpstream([error]), ListedAccounts()
    with pytest.raises(UpstreamError) as raised:
        await play(upstream, accounts)
    assert raised.value is error
    assert upstream.asked == ["a"]


async def test_attempts_are_bounded() -> None:
    """At most `retry.max_retry` attempts on an account, and as many accounts that fail in the same way."""
    upstream = ScriptedUpstream(*[[failed(ErrorKind.UNAVAILABLE, 503)] for _ in range(9)])
    with pytest.raises(UpstreamError):
        await play(upstream, ListedAccounts())
    assert upstream.asked == ["a"] * 3
    upstream = ScriptedUpstream(*[[failed(ErrorKind.RATE_LIMITED, 429)] for _ in range(9)])
    with pytest.raises(UpstreamError):
        await play(upstream, ListedAccounts())
    assert upstream.asked == ["a", "b", "c"]


@pytest.mark.parametrize("retry_after_s", [None, 30.0], ids=["nobody rests", "somebody rests"])
async def test_when_everybody_was_refused(retry_after_s: float | None) -> None:
    """The caller hears the reason, unless an account will be free again: then it hears when."""
    upstream = ScriptedUpstream(*[[failed(ErrorKind.INVALID_CREDENTIAL, 401)] for _ in range(3)])
    settings = Settings.model_validate({"retry": {"max_retry": 5}})
    accounts = ListedAccounts(retry_after_s)
    failover = Failover(accounts, settings)  # type: ignore[arg-type] # only `lease` is called
    with pytest.raises(NoAccountError if retry_after_s else UpstreamError):
        await anext(run(failover, upstream))
    assert upstream.asked == ["a", "b", "c"]


async def test_bad_accounts_of_each_kind_leave_room_for_a_good_one() -> None:
    """A request that meets one limited, one refused and one broken account is still served by the next."""
    bad = [
        failed(ErrorKind.RATE_LIMITED, 429),
        failed(ErrorKind.INVALID_CREDENTIAL, 401),
        failed(ErrorKind.UNAVAILABLE, 500),
    ]
    upstream, accounts = ScriptedUpstream(*([error] for error in bad), ANSWER), ListedAccounts(count=4)
    assert await play(upstream, accounts) == ANSWER
    assert upstream.asked == ["a", "b", "c", "d"]


async def test_nothing_is_tried_again_after_the_first_token() -> None:
    """A caller never sees the beginning of an answer twice."""
    upstream, accounts = ScriptedUpstream([*ANSWER[:2], failed(ErrorKind.RATE_LIMITED, 429)], ANSWER), ListedAccounts()
    with pytest.raises(UpstreamError):
        await play(upstream, accounts)
    assert upstream.asked == ["a"]


async def test_a_caller_who_leaves_closes_everything() -> None:
    """Closing the generator ends the request and gives the account back."""
    upstream, accounts = ScriptedUpstream(ANSWER), ListedAccounts()
    frames = run(failover(accounts), upstream)
    await anext(frames)
    await frames.aclose()
    assert upstream.open == 0
    assert accounts.outcomes == ["given back"]


async def test_a_wait_that_grok_asks_for_and_we_cannot_afford_ends_the_attempts() -> None:
    """A longer wait than `retry.retry_budget` is not begun."""
    error = UpstreamError(ErrorKind.UNAVAILABLE, "later", status=503, retry_after_s=3600)
    upstream = ScriptedUpstream([error], ANSWER)
    with pytest.raises(UpstreamError):
        await play(upstream, ListedAccounts())
    assert upstream.asked == ["a"]


async def test_a_silence_that_used_up_the_budget_is_the_callers() -> None:
    """Whoever has waited for `retry.retry_budget` is not made to wait for another account."""
    upstream, accounts = ScriptedUpstream([failed(ErrorKind.TIMEOUT)], ANSWER), ListedAccounts()
    settings = Settings.model_validate({"retry": {"retry_budget": 0}})
    with pytest.raises(UpstreamError):
        await anext(run(Failover(accounts, settings), upstream))  # type: ignore[arg-type] # only `lease` is called
    assert upstream.asked == ["a"]
