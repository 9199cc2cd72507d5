// The AI SDK (`ai` with `@ai-sdk/openai-compatible`) against a gateway. Each test's name is its promise.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { subscribe } from "node:diagnostics_channel";
import test from "node:test";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, generateImage, generateText, streamText } from "ai";

subscribe("undici:request:create", ({ request }) => {
  const { hostname } = new URL(request.origin);
  if (hostname !== "127.0.0.1") throw new Error(`a test reached for the network: ${hostname}`);
});

const settings = { name: "grok", baseURL: process.env.GATEWAY_URL, apiKey: process.env.GATEWAY_KEY };
const grok = createOpenAICompatible({ ...settings, includeUsage: true });
const ask = (model, content) => ({ model: grok(model), messages: [{ role: "user", content }], maxRetries: 0 });
const question = () => `What about ${randomUUID()}?`;

async function drawn(prompt) {
  const model = grok.imageModel("grok-imagine-1.0");
  const { images } = await generateImage({ model, prompt, n: 2, size: "1024x1024" });
  return images;
}

test("generateText answers whole, with usage and thinking apart", async () => {
  const prompt = question();
  const answer = await generateText({ ...ask("grok-4-thinking", prompt), temperature: 0.5, maxOutputTokens: 9 });

  assert.ok(answer.text.includes(prompt));
  assert.ok(answer.reasoningText.includes(prompt));
  assert.equal(answer.finishReason, "stop");
  assert.ok(answer.usage.inputTokens > 0);
  assert.ok(answer.usage.outputTokenDetails.reasoningTokens > 0);
});

test("streamText streams the same", async () => {
  const prompt = question();
  const answer = streamText(ask("grok-4-thinking", prompt));
  const pieces = await Array.fromAsync(answer.textStream);

  assert.ok(pieces.length > 10);
  assert.ok(pieces.join("").includes(prompt));
  assert.ok((await answer.reasoningText).includes(prompt));
  assert.ok((await answer.usage).outputTokens > 0);
});

test("generateImage draws and changes pictures, and a message shows them", async () => {
  const prompt = question();
  const pictures = await drawn(prompt);
  const data = pictures[0].uint8Array;
  const changed = await generateImage({
    model: grok.imageModel("grok-imagine-1.0-edit"),
    prompt: { images: [data], text: prompt },
  });
  const file = { type: "file", mediaType: pictures[0].mediaType, data };
  const seen = await generateText(ask("grok-4", [{ type: "text", text: prompt }, file]));

  assert.deepEqual(pictures.map((picture) => picture.mediaType), ["image/jpeg", "image/jpeg"]);
  assert.equal(changed.images.length, 1);
  assert.ok(seen.text.includes(prompt));
});

for (const [name, model, word, status, isRetryable] of [
  ["a wrong request", "gpt-4", "", 400, false],
  ["moderated content", "grok-4", "@403-moderated", 403, false],
  ["no account left", "grok-4", "@429", 429, true],
  ["a failure of Grok's", "grok-4", "@500", 502, true],
]) {
  test(`errors: ${name} is an APICallError that knows whether to try again`, async () => {
    await assert.rejects(generateText(ask(model, `${question()} ${word}`)), (error) => {
      assert.ok(APICallError.isInstance(error));
      assert.deepEqual([error.statusCode, error.isRetryable], [status, isRetryable]);
      return true;
    });
  });
}

test("errors: a stream that breaks says why, after the text that had come", async () => {
  const errors = [];
  const onError = ({ error }) => errors.push(error);
  const parts = await Array.fromAsync(streamText({ ...ask("grok-4", `${question()} @late-error`), onError }).fullStream);

  assert.ok(parts.some((part) => part.type === "text-delta"));
  assert.equal(errors[0].code, "upstream_error");
});

test("abort ends a stream", async () => {
  const leaving = new AbortController();
  const answer = streamText({ ...ask("grok-4", `${question()} @stall`), abortSignal: leaving.signal });
  const seen = [];
  for await (const part of answer.fullStream) {
    seen.push(part.type);
    if (part.type === "text-delta") leaving.abort();
  }

  assert.equal(seen.at(-1), "abort");
});
