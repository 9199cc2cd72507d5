// One voice session: microphone, token, LiveKit room. It tells what happens, and at its end holds on to nothing.
import {
  connectionFailure,
  endFailure,
  known,
  microphoneFailure,
  missingForMicrophone,
  tokenFailure,
  VoiceError,
} from "./voice_failures.js";
import { segmentLine, streamLine } from "./voice_transcript.js";

const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const TRANSCRIPTS = "lk.transcription";
const HIDDEN = "…";

export class VoiceSession {
  #askForToken;
  #loadLiveKit;
  #onEvent;
  #window;
  #ending = new AbortController();
  #pass = { token: "", url: "" };
  #microphone = null;
  #room = null;
  #publication = null;
  #voice = null;
  #hasEntered = false;
  #isConnected = false;

  // `askForToken(choices, signal)` and `loadLiveKit()` are promises of what they say; `onEvent` takes what `next` of
  // voice_progress.js does.
  constructor({ askForToken, loadLiveKit, onEvent, window = globalThis }) {
    this.#askForToken = askForToken;
    this.#loadLiveKit = loadLiveKit;
    this.#onEvent = onEvent;
    this.#window = window;
  }

  // The microphone comes first: where there is none, nothing is spent on a token.
  async start(choices) {
    this.#onEvent({ type: "started", choices });
    this.#log("log_started", choices);
    try {
      await this.#openMicrophone();
      this.#become("token");
      const [livekit] = await Promise.all([this.#load(), this.#fetchToken(choices)]);
      this.#become("connecting");
      await this.#connect(livekit);
    } catch (error) {
      this.#end(known(undefined, error));
    }
  }

  stop() {
    this.#log("log_stopped");
    this.#end(null);
  }

  async setMuted(isMuted) {
    await (isMuted ? this.#publication.mute() : this.#publication.unmute());
    this.#change({ isMuted });
    this.#log(isMuted ? "log_muted" : "log_unmuted");
  }

  // Some browsers play nothing until it is asked for at a click.
  allowSound() {
    return this.#room.startAudio();
  }

  async #openMicrophone() {
    const missing = missingForMicrophone(this.#window);
    if (missing) throw missing;
    const asked = this.#window.navigator.mediaDevices.getUserMedia({ audio: SOUND });
    this.#microphone = await asked.catch(rethrow(microphoneFailure));
    this.#goOn();
    const [track] = this.#microphone.getAudioTracks();
    track.addEventListener("ended", () => this.#end(new VoiceError("microphone_lost")));
    this.#change({ microphone: track });
    this.#log("log_microphone", { name: track.label });
  }

  async #load() {
    const livekit = await this.#loadLiveKit().catch(rethrow(() => new VoiceError("unreachable")));
    livekit.setLogLevel("silent"); // the page has a log of its own
    return livekit;
  }

  async #fetchToken(choices) {
    this.#pass = await this.#askForToken(choices, this.#ending.signal).catch(rethrow(tokenFailure));
    this.#goOn();
    this.#change({ server: this.#server });
    this.#log("log_token", { participant: this.#pass.participant_name, room: this.#pass.room_name });
  }

  async #connect({ Room, RoomEvent, Track }) {
    this.#goOn();
    this.#log("log_connecting", { server: this.#server });
    this.#room = new Room();
    this.#listen(RoomEvent, Track);
    try {
      await this.#room.connect(this.#pass.url, this.#pass.token);
      const [track] = this.#microphone.getAudioTracks();
      this.#publication = await this.#room.localParticipant.publishTrack(track, { source: Track.Source.Microphone });
    } catch (error) {
      throw connectionFailure(error, { server: this.#server, hasEntered: this.#hasEntered });
    }
    this.#goOn();
    this.#isConnected = true;
    this.#change({ state: "connected", connectedAt: Date.now() });
    this.#log("log_connected");
  }

  #listen(RoomEvent, Track) {
    const room = this.#room;
    const whenAudio = (act) => (track) => track.kind === Track.Kind.Audio && act(track);
    room
      .on(RoomEvent.SignalConnected, () => this.#enter())
      .on(RoomEvent.ParticipantConnected, ({ identity }) => this.#log("log_arrived", { name: identity }))
      .on(RoomEvent.ParticipantDisconnected, ({ identity }) => this.#log("log_left", { name: identity }))
      .on(RoomEvent.TrackSubscribed, whenAudio((track) => this.#play(track)))
      .on(RoomEvent.TrackUnsubscribed, whenAudio((track) => this.#silence(track)))
      .on(RoomEvent.AudioPlaybackStatusChanged, () => this.#change({ isSoundBlocked: !room.canPlaybackAudio }))
      .on(RoomEvent.ConnectionQualityChanged, (quality, { isLocal }) => isLocal && this.#log(`log_quality_${quality}`))
      .on(RoomEvent.TranscriptionReceived, (segments, participant) => this.#write(segments, participant?.identity))
      .on(RoomEvent.Reconnecting, () => this.#becomeAgain("reconnecting"))
      .on(RoomEvent.Reconnected, () => this.#becomeAgain("connected"))
      .on(RoomEvent.Disconnected, (reason) => this.#isConnected && this.#end(endFailure(reason, this.#server)));
    room.registerTextStreamHandler(TRANSCRIPTS, (reader, { identity }) => this.#read(reader, identity));
  }

  #enter() {
    this.#hasEntered = true;
    this.#log("log_entered");
  }

  #play(track) {
    track.attach();
    this.#voice = track;
    this.#change({ voice: track.mediaStreamTrack });
    this.#log("log_voice");
  }

  #silence(track) {
    track.detach();
    if (track === this.#voice) this.#change({ voice: null });
  }

  #write(segments, identity) {
    const speaker = this.#speaker(identity);
    for (const segment of segments) this.#tell({ type: "said", line: segmentLine(segment, speaker) });
  }

  async #read(reader, identity) {
    const speaker = this.#speaker(identity);
    let text = "";
    const show = (isOver) => this.#tell({ type: "said", line: streamLine(reader.info, text, { speaker, isOver }) });
    try {
      for await (const part of reader) {
        text += part;
        show(false);
      }
    } catch (error) {
      this.#log("log_torn", { message: error.message }); // what has been read stays
    }
    show(true);
  }

  #speaker(identity) {
    return identity === this.#room.localParticipant.identity ? "you" : "grok";
  }

  #become(state) {
    this.#goOn();
    this.#change({ state });
  }

  #becomeAgain(state) {
    this.#change({ state });
    this.#log(`log_${state}`);
  }

  #goOn() {
    if (!this.#ending.signal.aborted) return;
    this.#release(); // this came after the end
    throw new VoiceError("ended");
  }

  #end(failure) {
    if (this.#ending.signal.aborted) return;
    if (failure) this.#log(failure.label, failure.values);
    this.#tell({ type: "ended", failure: failure && { label: failure.label, values: this.#withoutToken(failure.values) } });
    this.#ending.abort();
    this.#release();
  }

  #release() {
    for (const track of this.#microphone?.getTracks() ?? []) track.stop();
    this.#room?.disconnect().catch(() => undefined); // it is over either way
  }

  #change(values) {
    this.#tell({ type: "changed", ...values });
  }

  #log(label, values = {}) {
    this.#tell({ type: "logged", at: Date.now(), label, values: this.#withoutToken(values) });
  }

  // Whoever's words they are: the token is in none that are shown.
  #withoutToken(values) {
    const { token } = this.#pass;
    const hide = (value) => (token ? String(value).replaceAll(token, HIDDEN) : value);
    return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, hide(value)]));
  }

  // After the end there is nothing to tell: a new session may have begun.
  #tell(event) {
    if (!this.#ending.signal.aborted) this.#onEvent(event);
  }

  get #server() {
    return new URL(this.#pass.url).host;
  }
}

function rethrow(asFailure) {
  return (error) => {
    throw asFailure(error);
  };
}
