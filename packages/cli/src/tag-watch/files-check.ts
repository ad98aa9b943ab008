import { createHash } from "node:crypto";
import { type Digest, isFactoryError } from "@touchmark/core";
import { choosePlatform, type OciReader, parseManifest, parsePlatform } from "@touchmark/formats/oci";
import { streamLayer } from "@touchmark/image";
import type { TagCheck } from "./checks.ts";

/** What is compared. */
interface FilesRequest {
  readonly reader: OciReader;
  readonly digest: Digest;
  readonly files: boolean;
  readonly demands: { readonly platforms: readonly string[] };
}

/** A file as far as it is compared: what it is, who owns it, what it may, its content. */
type FileMap = Map<string, { readonly text: string; readonly privileged: boolean }>;

/** Compares the files of the first wanted platform with those of the image accepted before. Programs that give rights of others and were not there fail. */
export async function filesCheck(request: FilesRequest, previous: Digest | undefined): Promise<TagCheck> {
  const check = "files" as const;
  if (!request.files) return { check, outcome: "not-evaluated", message: "not asked for" };
  if (previous === undefined) return { check, outcome: "not-evaluated", message: "nothing was accepted before" };
  let old: FileMap;
  try {
    old = await filesOf(request, previous);
  } catch (error) {
    if (!isFactoryError(error) || error.nature === "bug") throw error;
    return { check, outcome: "not-evaluated", message: `the image accepted before is not readable: ${error.code}` };
  }
  const now = await filesOf(request, request.digest);
  const added = [...now.keys()].filter((path) => !old.has(path));
  const removed = [...old.keys()].filter((path) => !now.has(path));
  const changed = [...now].filter(([path, { text }]) => old.has(path) && old.get(path)?.text !== text);
  const privileged = [...now]
    .filter(([path, file]) => file.privileged && old.get(path)?.privileged !== true)
    .map(([path]) => path);
  const counts = `${added.length} files are new, ${removed.length} are gone, ${changed.length} differ`;
  return privileged.length === 0
    ? { check, outcome: "passed", message: counts }
    : {
        check,
        outcome: "failed",
        message: `${counts}; new with rights of others: ${privileged.slice(0, 50).join(", ")}`.slice(0, 4000),
      };
}

async function filesOf({ reader, demands }: FilesRequest, digest: Digest): Promise<FileMap> {
  const found = await reader.manifest(digest);
  let manifest = parseManifest(found.bytes, { mediaType: found.descriptor.mediaType });
  if (manifest.kind === "index") {
    const [wanted = "linux/amd64"] = demands.platforms;
    const one = await reader.manifest(choosePlatform(manifest, parsePlatform(wanted)).digest);
    manifest = parseManifest(one.bytes, { mediaType: one.descriptor.mediaType });
  }
  const files: FileMap = new Map();
  if (manifest.kind === "index") return files;
  for (const layer of manifest.layers) {
    const own: FileMap = new Map();
    for await (const entry of streamLayer(reader, layer)) {
      if (entry.whiteout !== undefined) {
        const { path, kind } = entry.whiteout;
        if (kind === "entry") files.delete(path);
        const below = path === "" ? "" : `${path}/`;
        for (const name of files.keys()) if (name.startsWith(below)) files.delete(name);
        continue;
      }
      if (entry.kind === "directory") continue;
      const hash = createHash("sha256");
      for await (const chunk of entry.content()) hash.update(chunk);
      const text = [entry.kind, entry.mode, entry.uid, entry.gid, entry.target ?? "", hash.digest("hex")].join(" ");
      const privileged =
        entry.kind === "file" && ((entry.mode & 0o6000) !== 0 || entry.xattrs.has("security.capability"));
      own.set(entry.path, { text, privileged });
    }
    for (const [path, file] of own) files.set(path, file);
  }
  return files;
}
