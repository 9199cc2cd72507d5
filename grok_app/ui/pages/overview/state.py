"""The overview of one tab: the figures that all tabs share, pushed where they have changed."""

from grok_app.runtime import current
from grok_app.ui.console import ConsoleState, operator_event
from grok_app.ui.pages.overview.figures import TICK_S, Figures, Numbers, Point, PoolRow, Server, Share, latest


class OverviewState(ConsoleState):
    """The overview page."""

    is_loaded: bool = False
    base_url: str = ""
    """Where clients reach us."""
    numbers: Numbers = Numbers()
    pools: list[PoolRow] = []  # noqa: RUF012 - Reflex copies defaults for each tab
    minutes: list[Point] = []  # noqa: RUF012 - likewise
    models: list[Share] = []  # noqa: RUF012 - likewise
    errors: list[Share] = []  # noqa: RUF012 - likewise
    server: Server = Server()

    @operator_event(background=True)
    async def watch(self) -> None:
        """Follow what goes on, for as long as the tab shows this page."""
        async for _ in self._beats(TICK_S):
            figures = latest()
            async with self:
                self._look(figures)

    def _look(self, figures: Figures) -> None:
        base_url = current().settings.snapshot.app.app_url or self.router.url.origin
        parts = {name: getattr(figures, name) for name in ("numbers", "pools", "minutes", "models", "errors", "server")}
        self._show(base_url=base_url, is_loaded=True, **parts)
