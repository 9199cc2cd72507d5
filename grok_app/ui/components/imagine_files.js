// Pictures as files: from base64 to bytes, what they are, and what they are called.

const EXTENSIONS = { "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp" };

// Native where the browser can: ten times as fast, and pictures come by the dozen.
export function decodeBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i += 1) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

// By its first bytes: the server says only that it is a picture.
export function mediaType(bytes) {
  if (bytes[0] === 0x89 && bytes[1] === 0x50) return "image/png";
  if (bytes[0] === 0x52 && bytes[8] === 0x57) return "image/webp";
  return "image/jpeg";
}

// "grok-20260214-093005-0012.jpg". The moment is that of the page's opening, so that a folder keeps the pictures of
// another day under their own names.
export function fileName(openedAt, number, type) {
  return `${archiveName(openedAt)}-${String(number).padStart(4, "0")}.${EXTENSIONS[type]}`;
}

export function archiveName(at) {
  const digits = (count, ...numbers) => numbers.map((number) => String(number).padStart(count, "0")).join("");
  const day = digits(2, at.getFullYear(), at.getMonth() + 1, at.getDate());
  return `grok-${day}-${digits(2, at.getHours(), at.getMinutes(), at.getSeconds())}`;
}
