// Why there is no voice session: `{label, values}`, where the text of that label says what to do about it.

const OF_MICROPHONE = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "no_microphone",
  OverconstrainedError: "no_microphone",
  NotReadableError: "microphone_busy",
  AbortError: "microphone_busy",
};

// By the reason of livekit-client's ConnectionError, before the server has let us in.
const OF_CONNECTION = { 0: "token_refused", 4: "ended" };

// By LiveKit's DisconnectReason; where none is given, or another, the connection was lost.
const OF_END = { 2: "taken_over", 3: "ended", 4: "ended", 5: "ended", 10: "ended", 15: "no_path" };

const TOO_MANY = 429;

export class VoiceError extends Error {
  constructor(name, values = {}) {
    super(name);
    this.label = `failure_${name}`;
    this.values = values;
    if (values.message) this.values = { ...values, message: values.message.replace(/\.$/, "") }; // it is amid a text
  }
}

// What is missing before a microphone can be asked for at all; null when nothing is.
export function missingForMicrophone({ isSecureContext, navigator, RTCPeerConnection }) {
  if (!isSecureContext) return new VoiceError("insecure");
  if (!navigator.mediaDevices?.getUserMedia || !RTCPeerConnection) return new VoiceError("unsupported");
  return null;
}

export function microphoneFailure(error) {
  return known(OF_MICROPHONE[error.name], error);
}

// The gateway gave no token. `error` is the public API's refusal, with the server's own sentence.
export function tokenFailure(error) {
  if (error.status === undefined) return known(undefined, error);
  if (error.status === 0) return new VoiceError("unreachable");
  if (error.status === TOO_MANY) return new VoiceError("too_many", { message: error.message });
  return new VoiceError(error.code === "no_token" ? "no_account" : "refused", { message: error.message });
}

// The voice server let nobody in; or it did, and no way was found for the sound.
export function connectionFailure(error, { server, hasEntered }) {
  const name = hasEntered ? "no_path" : (OF_CONNECTION[error.reason] ?? "voice_unreachable");
  return new VoiceError(name, { server, message: error.message });
}

export function endFailure(reason, server) {
  return new VoiceError(OF_END[reason] ?? "lost", { server });
}

export function known(name, error) {
  if (error instanceof VoiceError) return error;
  return name ? new VoiceError(name) : new VoiceError("unexpected", { message: `${error.name}: ${error.message}` });
}
