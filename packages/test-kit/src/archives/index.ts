export { forgeAr } from "./forge-ar.ts";
export { type ForgedTarEntry, forgeTar, paxBody } from "./forge-tar.ts";
export { type ForgedZipEntry, forgeZip, type ZipFields } from "./forge-zip.ts";
