// How loud a sound is, for the eye.

const QUIETEST_DB = -60;
const WINDOW_SAMPLES = 1024;

// From 0, as good as silent, to 1, as loud as can be; by decibels, as ears have it.
export function loudness(samples) {
  const meanSquare = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  const db = 10 * Math.log10(meanSquare);
  return Math.min(1, Math.max(0, 1 - db / QUIETEST_DB));
}

// Calls `onLevel` with how loud a track is, once a frame, until the function that this returns is called.
export function followLevel(track, onLevel) {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: WINDOW_SAMPLES });
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(WINDOW_SAMPLES);
  let frame = 0;
  const look = () => {
    analyser.getFloatTimeDomainData(samples);
    onLevel(loudness(samples));
    frame = requestAnimationFrame(look);
  };
  look();
  return () => {
    cancelAnimationFrame(frame);
    context.close();
    onLevel(0);
  };
}
