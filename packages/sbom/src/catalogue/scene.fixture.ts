import { chmodSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Digest, sha256 } from "@touchmark/core";
import type { Sbom } from "@touchmark/formats/sbom";
import { type ForgedTarEntry, forgeTar } from "@touchmark/test-kit/archives";
import { afterAll } from "vitest";
import type { LayerEntryLike, TreeLayer } from "../sources/entry.ts";
import type { ScannedTree } from "../sources/scanned-tree.ts";
import type { Cataloger, FoundComponent } from "./cataloger.ts";
import { type CatalogueOptions, catalogue } from "./catalogue.ts";

/** One entry of a scene: content of a file, or what else it is; null for a directory. */
export type SceneEntry =
  | string
  | Uint8Array
  | { readonly content: string | Uint8Array; readonly mode: number }
  | { readonly link: string }
  | { readonly hard: string }
  | { readonly whiteout: "entry" | "opaque" }
  | null;

/** A tree by paths. */
export type Scene = Readonly<Record<string, SceneEntry>>;

const places: string[] = [];
afterAll(() => {
  for (const place of places) rmSync(place, { recursive: true, force: true });
});

/** A directory of its own, gone after the tests of this file. */
export function freshPlace(): string {
  const place = mkdtempSync(join(tmpdir(), "touchmark-sbom-"));
  places.push(place);
  return place;
}

/** Writes a scene into a directory; answers it. */
export function sceneDirectory(scene: Scene, root: string = freshPlace()): string {
  for (const [path, entry] of Object.entries(scene)) {
    const host = join(root, path);
    mkdirSync(dirname(host), { recursive: true });
    if (entry === null) mkdirSync(host, { recursive: true });
    else if (typeof entry === "string" || entry instanceof Uint8Array) writeFileSync(host, entry);
    else if ("link" in entry) symlinkSync(entry.link, host);
    else if ("hard" in entry) linkSync(join(root, entry.hard), host);
    else if ("content" in entry) {
      writeFileSync(host, entry.content);
      chmodSync(host, entry.mode);
    }
  }
  return root;
}

/** Layers of scenes, bottom first. */
export function sceneLayers(...scenes: readonly Scene[]): TreeLayer[] {
  return scenes.map((scene, index) => ({
    diffId: layerId(index),
    async *entries() {
      for (const [path, entry] of Object.entries(scene)) yield layerEntry(path, entry);
    },
  }));
}

/** DiffID of a layer of `sceneLayers`. */
export function layerId(index: number): Digest {
  return sha256(`layer ${index}`);
}

function layerEntry(path: string, entry: SceneEntry): LayerEntryLike {
  const plain = { path, mode: 0o644, size: 0, async *content() {} };
  if (entry === null) return { ...plain, kind: "directory", mode: 0o755 };
  if (typeof entry === "string" || entry instanceof Uint8Array) return { ...plain, ...contentOf(entry), kind: "file" };
  if ("link" in entry) return { ...plain, kind: "symlink", target: entry.link };
  if ("hard" in entry) return { ...plain, kind: "hardlink", target: entry.hard };
  if ("whiteout" in entry) return { ...plain, kind: "file", whiteout: { kind: entry.whiteout, path } };
  return { ...plain, ...contentOf(entry.content), kind: "file", mode: entry.mode };
}

function contentOf(content: string | Uint8Array) {
  const bytes = Buffer.from(content as string);
  async function* pieces() {
    // In two pieces, so that nothing relies on one.
    yield bytes.subarray(0, bytes.length >> 1);
    yield bytes.subarray(bytes.length >> 1);
  }
  return { size: bytes.length, content: pieces };
}

/** The scene as a tar archive. */
export function sceneTar(scene: Scene): Buffer {
  return forgeTar(
    Object.entries(scene).map(([path, entry]): ForgedTarEntry => {
      if (entry === null) return { name: `${path}/`, type: "5", mode: 0o755 };
      if (typeof entry === "string" || entry instanceof Uint8Array) return { name: path, content: entry };
      if ("link" in entry) return { name: path, type: "2", target: entry.link };
      if ("hard" in entry) return { name: path, type: "1", target: entry.hard };
      if ("whiteout" in entry) throw new TypeError("a tar archive has no whiteouts");
      return { name: path, content: entry.content, mode: entry.mode };
    }),
  );
}

/** Finds `NAME VERSION` in files `*.pkg`, further words `KEY=VALUE` being members. */
export const pkgFiles: Cataloger = {
  name: "pkg-files",
  wants: ({ name }) => name.endsWith(".pkg"),
  catalogue(files) {
    const components = files.map((file): FoundComponent => {
      const [name = "", version = "", ...words] = Buffer.from(file.bytes()).toString("utf8").trim().split(" ");
      const said = new Map(words.map((word) => word.split("=", 2) as [string, string]));
      const hash = said.get("sha1");
      return {
        key: file.path,
        kind: "library",
        name,
        version,
        purl: `pkg:generic/${name}@${version}`,
        type: "generic",
        scope: (said.get("scope") ?? "unknown") as FoundComponent["scope"],
        ...(hash !== undefined && { hashes: [{ algorithm: "sha1", value: hash }] }),
        ...(said.has("below") && { ownsBelow: [said.get("below") ?? ""] }),
        occurrences: [{ path: file.path, rule: "pkg-file" }],
      };
    });
    return { components, edges: [], roots: [], losses: [] };
  },
};

/** Catalogues with these catalogers, `pkgFiles` alone by default. */
export function catalogued(
  tree: ScannedTree,
  catalogers: readonly Cataloger[] = [pkgFiles],
  options: Partial<CatalogueOptions> = {},
): Promise<Sbom> {
  return catalogue(tree, { catalogers, subject: { kind: "directory", name: "scene" }, ...options });
}

/** `NAME VERSION PATHS` of each component but the root. */
export function listed(sbom: Sbom): string[] {
  return sbom.components
    .filter(({ ref }) => ref !== sbom.root)
    .map(({ name, version, occurrences }) => `${name} ${version} ${occurrences.map(({ path }) => path).join(" ")}`);
}

/** Codes and paths of what was not read. */
export function lost(sbom: Sbom): string[] {
  return sbom.losses.map(({ code, path }) => `${code} ${path}`);
}
