// Which pictures a video may begin with.
import assert from "node:assert/strict";
import { test } from "node:test";
import { faultOf, previewOf } from "../../../grok_app/ui/components/attached_pictures.js";

const LIMIT_BYTES = 50;
const SITE = "https://gate.example";

const HEADS = {
  "image/png": [0x89, 0x50, 0x4e, 0x47],
  "image/jpeg": [0xff, 0xd8, 0xff, 0xe0],
  "image/webp": [0x52, 0x49, 0x46, 0x46],
  "image/gif": [0x47, 0x49, 0x46, 0x38],
};
const file = (type, head, size = LIMIT_BYTES) => new Blob([Uint8Array.from(head), new Uint8Array(size - head.length)], { type });

test("pictures up to the limit are taken", async () => {
  for (const [type, head] of Object.entries(HEADS)) assert.equal(await faultOf(file(type, head), LIMIT_BYTES), "");
});

test("other files are not, nor larger ones", async () => {
  for (const type of ["", "text/html", "image/svg+xml", "video/mp4"]) {
    assert.equal(await faultOf(file(type, HEADS["image/png"]), LIMIT_BYTES), "not_a_picture");
  }
  assert.equal(await faultOf(file("image/png", HEADS["image/png"], LIMIT_BYTES + 1), LIMIT_BYTES), "too_large");
});

test("a file that is only called a picture is not taken", async () => {
  for (const text of ["words", "<svg>", "", "GI"]) {
    assert.equal(await faultOf(new Blob([text], { type: "image/png" }), LIMIT_BYTES), "not_a_picture");
  }
});

test("only pictures of this site, and those within their address, are shown", () => {
  for (const address of ["data:image/png;base64,AA==", `${SITE}/v1/files/image/a.jpg`, "/v1/files/image/a.jpg"]) {
    assert.equal(previewOf(address, SITE), address);
  }
  for (const address of [
    "",
    "https://elsewhere.example/a.png",
    `${SITE}.elsewhere.example/v1/files/image/a.jpg`,
    `${SITE}/v1/public/verify`,
    `${SITE}/v1/files/image/../../public/imagine/sse?prompt=a`,
    "//elsewhere.example/v1/files/image/a.jpg",
    "data:image/svg+xml;base64,AA==",
    "data:text/html;base64,AA==",
    "javascript:alert(1)",
  ]) {
    assert.equal(previewOf(address, SITE), null);
  }
});
