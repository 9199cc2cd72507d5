// A voice session with a made-up browser and a made-up room.
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { IDLE, next } from "../../../grok_app/ui/components/voice_progress.js";
import { VoiceSession } from "../../../grok_app/ui/components/voice_session.js";

const PASS = { token: "secret-token", url: "wss://voice.example/", participant_name: "user-1", room_name: "room-1" };
const CHOICES = { voice: "eve", personality: "doc", speed: "1.2" };
const names = (...all) => Object.fromEntries(all.map((name) => [name, name]));

class Microphone extends EventTarget {
  label = "Desk microphone";
  isOpen = true;
  stop = () => (this.isOpen = false);
}

class Room extends EventEmitter {
  localParticipant = {
    identity: "user-1",
    publishTrack: async () => ({ mute: async () => this.emit("mute"), unmute: async () => this.emit("unmute") }),
  };
  canPlaybackAudio = true;
  isLeft = false;
  registerTextStreamHandler = (topic, handler) => (this.read = topic === "lk.transcription" ? handler : null);
  disconnect = async () => (this.isLeft = true);
  startAudio = async () => this.emit("sound allowed");
}

// A session as it is told of. `connect` is what the room does when it is entered.
function begin({ connect = () => undefined, askForToken = async () => PASS, getUserMedia } = {}) {
  const it = { progress: IDLE, states: [], microphone: new Microphone(), asked: [] };
  const stream = { getTracks: () => [it.microphone], getAudioTracks: () => [it.microphone] };
  const mediaDevices = { getUserMedia: getUserMedia ?? (async () => stream) };
  class ThisRoom extends Room {
    async connect(url, token) {
      it.room = this;
      it.entered = { url, token };
      await connect(this);
    }
  }
  const livekit = {
    Room: ThisRoom,
    RoomEvent: names(
      ...["SignalConnected", "ParticipantConnected", "ParticipantDisconnected", "TrackSubscribed", "TrackUnsubscribed"],
      ...["AudioPlaybackStatusChanged", "ConnectionQualityChanged", "TranscriptionReceived", "Reconnecting", "Reconnected"],
      "Disconnected",
    ),
    Track: { Kind: { Audio: "audio" }, Source: { Microphone: "microphone" } },
    setLogLevel() {},
  };
  const onEvent = (event) => {
    it.progress = next(it.progress, event);
    if (it.states.at(-1) !== it.progress.state) it.states.push(it.progress.state);
  };
  it.session = new VoiceSession({
    askForToken: (choices, signal) => (it.asked.push(choices), askForToken(signal)),
    loadLiveKit: async () => livekit,
    onEvent,
    window: { isSecureContext: true, navigator: { mediaDevices }, RTCPeerConnection: class {} },
  });
  it.over = it.session.start(CHOICES);
  return it;
}

function logged({ progress }) {
  return progress.log.map(({ label }) => label);
}

function refused(fields) {
  return Promise.reject(Object.assign(new Error("no"), fields));
}

test("a session goes from the microphone over the token to the room", async () => {
  const it = begin({ connect: (room) => room.emit("SignalConnected") });
  await it.over;
  assert.deepEqual(it.states, ["microphone", "token", "connecting", "connected"]);
  assert.deepEqual([it.asked, it.entered], [[CHOICES], { url: PASS.url, token: PASS.token }]);
  assert.deepEqual([it.progress.server, it.progress.microphone], ["voice.example", it.microphone]);
  assert.deepEqual(
    logged(it),
    ["log_started", "log_microphone", "log_token", "log_connecting", "log_entered", "log_connected"],
  );
});

test("without a microphone no token is asked for", async () => {
  const it = begin({ getUserMedia: () => refused({ name: "NotFoundError" }) });
  await it.over;
  assert.deepEqual([it.progress.failure.label, it.asked], ["failure_no_microphone", []]);
});

test("without a token the microphone is released", async () => {
  const it = begin({ askForToken: () => refused({ status: 503, code: "no_token" }) });
  await it.over;
  assert.deepEqual([it.progress.failure.label, it.microphone.isOpen], ["failure_no_account", false]);
});

test("where no sound gets through, everything is released", async () => {
  const it = begin({ connect: (room) => (room.emit("SignalConnected"), refused({ reason: 2 })) });
  await it.over;
  assert.deepEqual([it.progress.failure.label, it.microphone.isOpen, it.room.isLeft], ["failure_no_path", false, true]);
});

test("whoever hangs up is heard no longer, however far the session was", async () => {
  for (const late of ["getUserMedia", "askForToken", "connect"]) {
    let goOn;
    const waiting = new Promise((resolve) => (goOn = resolve));
    const microphone = new Microphone();
    const stream = { getTracks: () => [microphone], getAudioTracks: () => [microphone] };
    const it = begin({ getUserMedia: async () => stream, [late]: () => waiting });
    for (let turn = 0; turn < 9; turn++) await null;
    it.session.stop();
    goOn(late === "getUserMedia" ? stream : PASS);
    await it.over;
    assert.deepEqual([it.progress.state, it.progress.failure, microphone.isOpen], ["idle", null, false], late);
    assert.equal(it.room?.isLeft ?? true, true, late);
    assert.equal(logged(it).at(-1), "log_stopped", late);
  }
});

test("a microphone that is pulled out ends the session", async () => {
  const it = begin();
  await it.over;
  it.microphone.dispatchEvent(new Event("ended"));
  assert.deepEqual([it.progress.failure.label, it.room.isLeft], ["failure_microphone_lost", true]);
});

test("an end by the server is told, with the server's reason", async () => {
  const it = begin();
  await it.over;
  it.room.emit("Disconnected", 5);
  assert.deepEqual([it.progress.state, it.progress.failure.label, it.microphone.isOpen], ["failed", "failure_ended", false]);
});

test("a broken connection is mended in the same session", async () => {
  const it = begin();
  await it.over;
  it.room.emit("Reconnecting");
  it.room.emit("Reconnected");
  assert.deepEqual(it.states.slice(-3), ["connected", "reconnecting", "connected"]);
});

test("Grok's voice is played until it goes, and asked for where the browser holds it back", async () => {
  const it = begin();
  await it.over;
  const heard = [];
  const track = { kind: "audio", mediaStreamTrack: {}, attach: () => heard.push("on"), detach: () => heard.push("off") };
  it.room.emit("TrackSubscribed", track);
  assert.equal(it.progress.voice, track.mediaStreamTrack);
  it.room.canPlaybackAudio = false;
  it.room.emit("AudioPlaybackStatusChanged");
  assert.equal(it.progress.isSoundBlocked, true);
  it.room.once("sound allowed", () => heard.push("allowed"));
  await it.session.allowSound();
  it.room.emit("TrackUnsubscribed", track);
  assert.deepEqual([heard, it.progress.voice], [["on", "allowed", "off"], null]);
});

test("the microphone can be muted", async () => {
  const it = begin();
  await it.over;
  const done = [];
  for (const event of ["mute", "unmute"]) it.room.on(event, () => done.push(event));
  await it.session.setMuted(true);
  assert.equal(it.progress.isMuted, true);
  await it.session.setMuted(false);
  assert.deepEqual([done, it.progress.isMuted], [["mute", "unmute"], false]);
});

test("words come in either way, and it is known who spoke", async () => {
  const it = begin();
  await it.over;
  it.room.emit("TranscriptionReceived", [{ id: "a", text: "Hello", final: true }], { identity: "user-1" });
  assert.deepEqual([it.progress.lines[0].speaker, it.progress.lines[0].text], ["you", "Hello"]);
  const info = { id: "x", attributes: { "lk.segment_id": "b", "lk.transcription_final": "true" } };
  const parts = (async function* () {
    yield "Hi ";
    yield "there";
  })();
  await it.room.read(Object.assign(parts, { info }), { identity: "agent" });
  assert.deepEqual(
    it.progress.lines.map(({ speaker, text, isFinal }) => [speaker, text, isFinal]),
    [["grok", "Hi there", true]],
  );
});

test("a stream that breaks off leaves what was read", async () => {
  const it = begin();
  await it.over;
  const parts = (async function* () {
    yield "Hi";
    throw new Error("gone");
  })();
  await it.room.read(Object.assign(parts, { info: { id: "x" } }), { identity: "agent" });
  assert.deepEqual([it.progress.lines[0].text, logged(it).at(-1)], ["Hi", "log_torn"]);
});

test("the token is in nothing that is shown, whoever says it", async () => {
  const it = begin({ connect: () => refused({ reason: 0, message: `bad: ${PASS.token}` }) });
  await it.over;
  assert.equal(it.progress.failure.values.message, "bad: …");
  assert.ok(!JSON.stringify(it.progress).includes(PASS.token));
});
