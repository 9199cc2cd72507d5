// Pictures on the visitor's disk: as downloads, in an archive, in a folder.
import { downloadZip } from "client-zip";
import { download } from "./downloading.js";
import { archiveName, fileName } from "./imagine_files.js";

const openedAt = new Date();

export function savePicture(picture) {
  download(picture.blob, nameOf(picture));
}

// As one archive, whose name is the answer; "" where that isn't possible: then each is downloaded.
export async function saveTogether(pictures) {
  const files = pictures.map((picture) => ({ name: nameOf(picture), input: picture.blob, lastModified: new Date() }));
  const name = `${archiveName(new Date())}.zip`;
  try {
    download(await downloadZip(files).blob(), name);
    return name;
  } catch {
    pictures.forEach(savePicture);
    return "";
  }
}

export function canChooseFolder() {
  return "showDirectoryPicker" in globalThis;
}

// Null when the visitor has thought better of it.
export async function chooseFolder() {
  try {
    return await showDirectoryPicker({ id: "grok", mode: "readwrite" });
  } catch (error) {
    if (error.name === "AbortError") return null;
    throw error;
  }
}

export async function writeInto(folder, picture) {
  const file = await folder.getFileHandle(nameOf(picture), { create: true });
  const writer = await file.createWritable();
  await writer.write(picture.blob);
  await writer.close();
}

function nameOf({ number, blob }) {
  return fileName(openedAt, number, blob.type);
}
