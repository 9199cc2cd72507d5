// Stands in for livekit-client in the browser, since the sandbox has no sound: a room that is entered at once, in which
// the test says what happens, through `globalThis.room`.
const names = (...all) => Object.fromEntries(all.map((name) => [name, name]));

export const RoomEvent = names(
  ...["SignalConnected", "ParticipantConnected", "ParticipantDisconnected", "TrackSubscribed", "TrackUnsubscribed"],
  ...["AudioPlaybackStatusChanged", "ConnectionQualityChanged", "TranscriptionReceived", "Reconnecting", "Reconnected"],
  "Disconnected",
);
export const Track = { Kind: { Audio: "audio" }, Source: { Microphone: "microphone" } };
export const setLogLevel = () => undefined;

export class Room {
  #heard = new EventTarget();
  canPlaybackAudio = true;
  isLeft = false;
  isMuted = false;
  published = null;

  constructor() {
    globalThis.room = this;
  }

  localParticipant = {
    identity: "visitor",
    publishTrack: async (track) => {
      this.published = track;
      return { mute: async () => (this.isMuted = true), unmute: async () => (this.isMuted = false) };
    },
  };

  on(event, act) {
    this.#heard.addEventListener(event, ({ detail }) => act(...detail));
    return this;
  }

  emit(event, ...detail) {
    this.#heard.dispatchEvent(new CustomEvent(event, { detail }));
  }

  registerTextStreamHandler() {}

  async connect() {
    this.emit("SignalConnected");
  }

  async disconnect() {
    this.isLeft = true;
  }

  // Grok begins to speak: a tone, played like the sound of a call.
  speak() {
    const context = new AudioContext();
    const tone = new OscillatorNode(context);
    const call = context.createMediaStreamDestination();
    tone.connect(call);
    tone.start();
    const player = new Audio();
    const [mediaStreamTrack] = call.stream.getAudioTracks();
    const attach = () => {
      player.srcObject = call.stream;
      return player.play();
    };
    this.player = player;
    this.emit("TrackSubscribed", { kind: "audio", mediaStreamTrack, attach, detach: () => player.pause() });
  }

  async startAudio() {
    this.canPlaybackAudio = true;
    this.emit("AudioPlaybackStatusChanged", true);
  }
}
