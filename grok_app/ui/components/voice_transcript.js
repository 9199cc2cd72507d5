// What was said, line by line: `{id, speaker, text, isFinal, way}`.

// LiveKit's agents send the same words in two ways, under other ids. Once the newer one is in use, the older says nothing.
const NEWER = "stream";
const OLDER = "event";

// The lines with another one, in the place of the one with its id.
export function withLine(lines, line) {
  if (line.way === OLDER && lines.some(({ way }) => way === NEWER)) return lines;
  const kept = line.way === NEWER ? lines.filter(({ way }) => way === NEWER) : lines;
  const at = kept.findIndex(({ id }) => id === line.id);
  if (at < 0) return line.text === "" ? kept : [...kept, line];
  return kept.with(at, line);
}

// A segment of RoomEvent.TranscriptionReceived.
export function segmentLine({ id, text, final }, speaker) {
  return { id, speaker, text, isFinal: final, way: OLDER };
}

// What has come of a text stream of the topic `lk.transcription`.
export function streamLine({ id, attributes = {} }, text, { speaker, isOver }) {
  const isFinal = isOver && attributes["lk.transcription_final"] !== "false";
  return { id: attributes["lk.segment_id"] ?? id, speaker, text, isFinal, way: NEWER };
}
