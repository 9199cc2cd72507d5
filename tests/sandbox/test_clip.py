"""The film of every video, in a real browser."""

import os
from base64 import b64encode

from playwright.async_api import async_playwright

from grok_app.sandbox.media.videos import clip

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
PLAYED = """async (source) => {
  const video = document.createElement("video");
  video.muted = true;
  const playing = new Promise((done, failed) => {
    video.ontimeupdate = () => video.currentTime > 0 && done();
    video.onerror = () => failed(video.error.message);
  });
  video.src = source;
  await video.play();
  await playing;
  return [video.videoWidth, video.videoHeight, Math.round(video.duration)];
}"""


async def test_chromium_plays_the_film() -> None:
    """480 x 320 pixels, 6 seconds, and the clock runs."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page()
        source = "data:video/mp4;base64," + b64encode(clip()).decode()
        assert await page.evaluate(PLAYED, source) == [480, 320, 6]
        await browser.close()
