// Pictures that go with a question: how many, and how large together.
import { dataUriOf, faultOf } from "./attached_pictures.js";

export const LIMITS = { count: 64, mb: 50, togetherMb: 70 }; // the last in base64, within a body of 100 MB

const MB = 1 << 20;

// Those of the files that can go with what goes already, and why others can't: names of labels, each once.
export async function choose(files, already) {
  const taken = [];
  const reasons = new Set();
  for (const file of files) {
    const reason = await refusalOf(file, [...already, ...taken]);
    if (reason) reasons.add(reason);
    else taken.push(file);
  }
  return { taken, reasons: [...reasons] };
}

// The data URI of each picture, by its id.
export async function addressesOf(pictures) {
  return new Map(await Promise.all(pictures.map(async ({ id, blob }) => [id, await dataUriOf(blob)])));
}

async function refusalOf(file, before) {
  const fault = await faultOf(file, LIMITS.mb * MB);
  if (fault) return fault;
  if (before.length >= LIMITS.count) return "pictures_many";
  const together = before.reduce((sum, { size }) => sum + size, file.size);
  return together > LIMITS.togetherMb * MB ? "pictures_heavy" : "";
}
