"""What the voice page's scripts say is in the dictionaries. They name their texts themselves."""

import re
from pathlib import Path

from grok_app.ui.i18n import texts
from grok_app.ui.pages.voice.state import PERSONALITIES

SCRIPTS = Path(__file__).parents[2] / "grok_app" / "ui" / "components"
NAMED = re.compile(r'labels\.(\w+)|"((?:log|failure)_\w+)"')
FAILURES = re.compile(r'(?:VoiceError\(|\w+: |\?\? |[?:] )"([a-z_]+)"')
STATES = ("idle", "microphone", "token", "connecting", "connected", "reconnecting", "failed")
PUT_TOGETHER = {
    *(f"state_{state}" for state in STATES),
    *(f"lead_{state}" for state in STATES if state != "failed"),
    *(f"personality_{personality}" for personality in PERSONALITIES),
    *(f"log_{state}" for state in ("connected", "reconnecting")),
    *(f"log_quality_{quality}" for quality in ("excellent", "good", "poor", "lost", "unknown")),
    *(f"fact_{fact}" for fact in ("state", "voice", "personality", "speed", "server", "url", "participant", "room")),
    *(f"speaker_{speaker}" for speaker in ("you", "grok")),
}
OF_ALL_PAGES = {"copied"}


def test_every_text_of_the_voice_page_is_there_and_in_use() -> None:
    """None that a session says is missing, and none is kept that no script says."""
    scripts = [path.read_text() for path in SCRIPTS.glob("voice*.js")]
    named = {first or second for script in scripts for first, second in NAMED.findall(script)}
    failures = {f"failure_{name}" for name in FAILURES.findall((SCRIPTS / "voice_failures.js").read_text())}
    failures |= {f"failure_{name}" for name in re.findall(r'VoiceError\("(\w+)"', "".join(scripts))}
    said = (named | failures | PUT_TOGETHER) - OF_ALL_PAGES
    there = {key.removeprefix("voice.") for key in texts("en") if key.startswith("voice.")}
    assert said == there
