// Which failure of a voice session is told with which text.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  connectionFailure,
  endFailure,
  known,
  microphoneFailure,
  missingForMicrophone,
  tokenFailure,
  VoiceError,
} from "../../../grok_app/ui/components/voice_failures.js";

const ABLE = { isSecureContext: true, navigator: { mediaDevices: { getUserMedia() {} } }, RTCPeerConnection: class {} };

function named(name, message = "words") {
  return Object.assign(new Error(message), { name });
}

test("a browser that can call misses nothing", () => {
  assert.equal(missingForMicrophone(ABLE), null);
});

test("an insecure page is told from a browser that can't call", () => {
  assert.equal(missingForMicrophone({ ...ABLE, isSecureContext: false, navigator: {} }).label, "failure_insecure");
  assert.equal(missingForMicrophone({ ...ABLE, navigator: {} }).label, "failure_unsupported");
  assert.equal(missingForMicrophone({ ...ABLE, RTCPeerConnection: undefined }).label, "failure_unsupported");
});

test("each refusal of a microphone has its own advice", () => {
  const told = {
    NotAllowedError: "failure_denied",
    SecurityError: "failure_denied",
    NotFoundError: "failure_no_microphone",
    OverconstrainedError: "failure_no_microphone",
    NotReadableError: "failure_microphone_busy",
    AbortError: "failure_microphone_busy",
    TypeError: "failure_unexpected",
  };
  for (const [name, label] of Object.entries(told)) assert.equal(microphoneFailure(named(name)).label, label);
});

test("a refused token says the server's own sentence", () => {
  const refusal = (status, code) => Object.assign(named("RefusedError"), { status, code });
  assert.deepEqual(
    [refusal(0, ""), refusal(503, "no_token"), refusal(502, "upstream_error")].map(tokenFailure).map(({ label }) => label),
    ["failure_unreachable", "failure_no_account", "failure_refused"],
  );
  assert.equal(tokenFailure(refusal(503, "no_token")).values.message, "words");
});

test("whoever was let in misses a way for the sound, whoever wasn't the server", () => {
  const failure = (reason, hasEntered) =>
    connectionFailure(Object.assign(named("ConnectionError"), { reason }), { server: "voice.example", hasEntered });
  assert.equal(failure(2, true).label, "failure_no_path");
  assert.equal(failure(0, false).label, "failure_token_refused");
  assert.equal(failure(4, false).label, "failure_ended");
  for (const reason of [1, 2, 5, 6, 7, undefined]) assert.equal(failure(reason, false).label, "failure_voice_unreachable");
  assert.equal(failure(1, false).values.server, "voice.example");
});

test("an end by the server is told from a lost connection", () => {
  const labels = [2, 3, 4, 5, 10, 15, 9, 0, undefined].map((reason) => endFailure(reason, "voice.example").label);
  const ended = Array(4).fill("failure_ended");
  assert.deepEqual(labels, ["failure_taken_over", ...ended, "failure_no_path", ...Array(3).fill("failure_lost")]);
});

test("what is known already keeps its name, anything else its words", () => {
  const failure = new VoiceError("lost");
  assert.equal(known(undefined, failure), failure);
  assert.deepEqual(known(undefined, named("RangeError")).values, { message: "RangeError: words" });
});
