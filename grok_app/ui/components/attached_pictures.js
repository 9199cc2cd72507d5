// Which pictures can be given to Grok, with a question or for a video, and how they get there.

export const PICTURE_TYPES = ["image/png", "image/jpeg", "image/webp", "image/gif"]; // as the server takes them
const BEGINNINGS = [
  [0x89, 0x50, 0x4e, 0x47], // PNG
  [0xff, 0xd8, 0xff], // JPEG
  [0x52, 0x49, 0x46, 0x46], // RIFF, of WebP
  [0x47, 0x49, 0x46, 0x38], // GIF
];
const SHOWN_DATA = /^data:image\/(?:png|jpeg|webp|gif);base64,/;

// What is wrong with a file: `not_a_picture`, `too_large`, or nothing. Its name says what it should be, its first bytes
// what it is.
export async function faultOf(file, limitBytes) {
  if (!PICTURE_TYPES.includes(file.type)) return "not_a_picture";
  if (file.size > limitBytes) return "too_large";
  const head = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  return BEGINNINGS.some((bytes) => bytes.every((byte, place) => head[place] === byte)) ? "" : "not_a_picture";
}

// The data URI of a picture; fails when it was moved or changed since it was chosen.
export function dataUriOf(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

// What to show for an address; null for all but our own pictures: the page loads nothing from other sites, and asks
// this one for nothing else because an address says so.
export function previewOf(address, origin) {
  if (SHOWN_DATA.test(address)) return address;
  if (!URL.canParse(address, origin)) return null;
  const { origin: from, pathname } = new URL(address, origin);
  return from === origin && pathname.startsWith("/v1/files/image/") ? address : null;
}

// The files of a paste. Office programs put a picture of a text beside the text: then the text is meant.
export function pastedFiles({ clipboardData }) {
  return clipboardData.types.includes("text/plain") ? [] : [...clipboardData.files];
}
