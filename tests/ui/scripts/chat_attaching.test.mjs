// Which pictures can go with a question.
import assert from "node:assert/strict";
import { test } from "node:test";
import { choose } from "../../../grok_app/ui/components/chat_attaching.js";

const MB = 1 << 20;
const slice = () => new Blob([Uint8Array.of(0x89, 0x50, 0x4e, 0x47)]);
const picture = (mb = 1, type = "image/png") => ({ type, size: mb * MB, slice });

test("pictures of the types that the server takes can go", async () => {
  const files = ["png", "jpeg", "webp", "gif"].map((it) => picture(1, `image/${it}`));
  assert.deepEqual(await choose(files, []), { taken: files, reasons: [] });
});

test("the others stay, and each reason is said once", async () => {
  const good = picture();
  const files = [picture(1, "image/svg+xml"), good, picture(1, "text/plain"), picture(51)];
  assert.deepEqual(await choose(files, []), { taken: [good], reasons: ["not_a_picture", "too_large"] });
});

test("what goes already counts", async () => {
  const many = Array.from({ length: 63 }, () => picture(0));
  assert.deepEqual((await choose([picture(), picture()], many)).reasons, ["pictures_many"]);
  assert.deepEqual(await choose([picture(21), picture(20)], [picture(50)]), { taken: [picture(20)], reasons: ["pictures_heavy"] });
});
