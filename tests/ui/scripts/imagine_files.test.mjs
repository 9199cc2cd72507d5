// Pictures as files.
import assert from "node:assert/strict";
import { test } from "node:test";
import { archiveName, decodeBase64, fileName, mediaType } from "../../../grok_app/ui/components/imagine_files.js";

const native = Uint8Array.fromBase64;
const AT = new Date(2026, 1, 4, 9, 30, 5);

test("base64 is decoded, whether or not the browser has a decoder", () => {
  try {
    Uint8Array.fromBase64 = undefined;
    assert.deepEqual([...decodeBase64("/9j/AA==")], [0xff, 0xd8, 0xff, 0]);
    Uint8Array.fromBase64 = (text) => `decoded ${text}`;
    assert.equal(decodeBase64("AA=="), "decoded AA==");
  } finally {
    Uint8Array.fromBase64 = native;
  }
});

test("a picture is what its first bytes say", () => {
  const png = [0x89, 0x50, 0x4e, 0x47];
  const webp = [..."RIFF....WEBP"].map((letter) => letter.charCodeAt(0));
  assert.deepEqual([png, webp, [0xff, 0xd8, 0xff]].map(mediaType), ["image/png", "image/webp", "image/jpeg"]);
});

test("a file is named by the page's opening, its number and what it is", () => {
  assert.equal(fileName(AT, 12, "image/png"), "grok-20260204-093005-0012.png");
  assert.equal(fileName(AT, 12_345, "image/jpeg"), "grok-20260204-093005-12345.jpg");
  assert.equal(archiveName(AT), "grok-20260204-093005");
});
