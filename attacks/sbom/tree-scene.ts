import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { sha256 } from "@touchmark/core";
import type { Sbom } from "@touchmark/formats/sbom";
import {
  allCatalogers,
  type CatalogueOptions,
  catalogue,
  type LayerEntryLike,
  openDirectoryTree,
  openLayersTree,
} from "@touchmark/sbom";
import { afterAll } from "vitest";

/** A file with its mode, or a link. */
export type Planted = string | Uint8Array | { readonly program: string } | { readonly link: string };

const places: string[] = [];
afterAll(() => {
  for (const place of places) rmSync(place, { recursive: true, force: true });
});

/** Writes a tree, with links as they are asked for. */
export function planted(files: Readonly<Record<string, Planted>>): string {
  const root = mkdtempSync(join(tmpdir(), "touchmark-attack-sbom-"));
  places.push(root);
  for (const [path, entry] of Object.entries(files)) {
    const host = join(root, path);
    mkdirSync(dirname(host), { recursive: true });
    if (typeof entry === "string" || entry instanceof Uint8Array) writeFileSync(host, entry);
    else if ("program" in entry) writeFileSync(host, entry.program, { mode: 0o755 });
    else symlinkSync(entry.link, host);
  }
  return root;
}

/** Scans a directory with everything that there is. */
export function scan(root: string, options: Partial<CatalogueOptions> = {}): Promise<Sbom> {
  return catalogue(openDirectoryTree(root), {
    catalogers: allCatalogers(),
    subject: { kind: "directory", name: "victim" },
    ...options,
  });
}

/** Scans layers of an image, bottom first. */
export function scanLayers(...layers: readonly (readonly Partial<LayerEntryLike>[])[]): Promise<Sbom> {
  const tree = openLayersTree(
    layers.map((entries, index) => ({
      diffId: sha256(`layer ${index}`),
      async *entries() {
        for (const entry of entries) {
          yield { path: "", kind: "file" as const, mode: 0o644, size: 0, async *content() {}, ...entry };
        }
      },
    })),
  );
  return catalogue(tree, { catalogers: allCatalogers(), subject: { kind: "image", name: "victim" } });
}

/** A file of a layer. */
export function file(path: string, text: string, mode = 0o644): Partial<LayerEntryLike> {
  const bytes = Buffer.from(text);
  return {
    path,
    mode,
    size: bytes.length,
    async *content() {
      yield bytes;
    },
  };
}

/** An installed npm package that any scanner of vulnerabilities should see. */
export const vulnerable = JSON.stringify({ name: "lodash", version: "4.17.20", license: "MIT" });

/** Package URLs of what was found, but for the system itself. */
export function purls(sbom: Sbom): string[] {
  return sbom.components.flatMap(({ purl }) => purl ?? []);
}

/** Records of a Debian system with one package that owns these paths. */
export function debianSystem(...paths: readonly string[]): Record<string, Planted> {
  return {
    "etc/os-release": "ID=debian\nVERSION_ID=12\n",
    "var/lib/dpkg/status":
      "Package: node-lodash\nStatus: install ok installed\nArchitecture: all\nVersion: 4.17.21+dfsg-1\n",
    "var/lib/dpkg/info/node-lodash.list": `/.\n${paths.map((path) => `/${path}\n`).join("")}`,
  };
}
