import { closeSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { type Digest, isDigest, isFactoryError } from "@touchmark/core";
import type { Sbom, SbomSubject } from "@touchmark/formats/sbom";
import type { ScannedTree } from "@touchmark/sbom";
import { type Invocation, text } from "./command.ts";
import { cliErrors } from "./errors.ts";
import { openImageSource } from "./image-source.ts";
import type { Terminal } from "./terminal.ts";

/** Prefixes that say what a source is; without one it is guessed from what is there. */
const prefixes = ["dir", "file", "oci-dir", "docker-archive", "registry", "factory", "sbom"] as const;
type Prefix = (typeof prefixes)[number];

/** What the command line names to be catalogued: a tree, or an SBOM that somebody made. */
export type ScanSource =
  | { readonly kind: "tree"; readonly tree: ScannedTree; readonly subject: SbomSubject; close(): void }
  | { readonly kind: "sbom"; readonly sbom: Sbom; readonly losses: readonly string[]; close(): void };

/** Words of `--help` about sources. */
export const sourceDescription =
  "dir:PATH, file:PATH, oci-dir:PATH[:TAG], docker-archive:PATH, registry:HOST/NAME:TAG, factory:NAME:TAG, sbom:FILE, sha256:… of an artifact of this factory; without a prefix it is guessed";

/** Opens what a source names. Who opens it closes it. @throws CLI_USAGE | CLI_FILE_UNREADABLE | SBOM_… | OCI_… */
export async function openScanSource(words: string, invocation: Invocation, terminal: Terminal): Promise<ScanSource> {
  if (isDigest(words)) return ownArtifact(words);
  const [, prefix, rest = ""] = /^([a-z-]+):(.*)$/s.exec(words) ?? [];
  const given = prefixes.find((each) => each === prefix);
  const kind = given ?? (await guess(words, terminal));
  const place = given === undefined ? words : rest;
  switch (kind) {
    case "dir":
      return directory(place, terminal);
    case "file":
      return file(place, terminal);
    case "sbom":
      return document(place, terminal);
    default:
      return image(given === undefined && kind !== "registry" ? `${kind}:${words}` : words, invocation, terminal);
  }
}

/** What an unprefixed source is, by what is there; a reference to a registry when nothing is. */
async function guess(words: string, terminal: Terminal): Promise<Prefix> {
  const path = resolve(terminal.directory, words);
  // A link that was named means what it leads to.
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) {
    const [, place = ""] = /^(.+?)(?:@sha256:[0-9a-f]{64}|:[^/:@]+)$/.exec(words) ?? [];
    if (place !== "" && isLayout(resolve(terminal.directory, place))) return "oci-dir";
    if (/^[^/.\s][^/\s]*\/[^\s]+[:@][^/\s]+$/.test(words)) return "registry";
    throw cliErrors.make(
      "CLI_USAGE",
      `expected something to catalogue, found nothing at ${JSON.stringify(words.slice(0, 200))}`,
      {
        hint: sourceDescription,
      },
    );
  }
  if (found.isDirectory()) return isLayout(path) ? "oci-dir" : "dir";
  // What is no plain file may keep who opens it waiting for ever.
  if (!found.isFile()) return "file";
  if (isSbomDocument(path)) return "sbom";
  return (await isDockerArchive(path)) ? "docker-archive" : "file";
}

/** True for a directory in the layout of an image (OCI image layout 1.1, oci-layout file). */
const isLayout = (path: string): boolean =>
  statSync(join(path, "oci-layout"), { throwIfNoEntry: false })?.isFile() === true;

/** True for an archive with one image in it, as `docker save` writes it. */
async function isDockerArchive(path: string): Promise<boolean> {
  if (!/\.tar$/i.test(path)) return false;
  const { openDockerArchive } = await import("@touchmark/image");
  try {
    await openDockerArchive(path).only();
    return true;
  } catch (error) {
    if (isFactoryError(error)) return false;
    throw error;
  }
}

/** True for a file that begins like a document of CycloneDX or SPDX. */
function isSbomDocument(path: string): boolean {
  const head = Buffer.alloc(4096);
  let length: number;
  try {
    const open = openSync(path, "r");
    try {
      length = readSync(open, head, 0, head.length, 0);
    } finally {
      closeSync(open);
    }
  } catch {
    return false;
  }
  const begin = head.toString("utf8", 0, length);
  return /"bomFormat"\s*:\s*"CycloneDX"|"spdxVersion"\s*:|^SPDXVersion:|cyclonedx\.org\/schema\/bom|spdx\.org\/rdf\/3|"touchmark"\s*:\s*"sbom\//m.test(
    begin,
  );
}

async function directory(place: string, terminal: Terminal): Promise<ScanSource> {
  const { openDirectoryTree } = await import("@touchmark/sbom");
  const path = resolve(terminal.directory, place);
  return {
    kind: "tree",
    tree: openDirectoryTree(path),
    subject: { kind: "directory", name: basename(path) || "root" },
    close: () => {},
  };
}

async function file(place: string, terminal: Terminal): Promise<ScanSource> {
  const path = resolve(terminal.directory, place);
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
    throw cliErrors.make("CLI_FILE_UNREADABLE", `expected a file at ${place}, found nothing, or no file`);
  }
  const { openFileTree } = await import("@touchmark/sbom");
  const { digestOfFile } = await import("@touchmark/pipeline/file-digest");
  return {
    kind: "tree",
    tree: openFileTree(path),
    subject: { kind: "file", name: basename(path), digest: digestOfFile(path) },
    close: () => {},
  };
}

async function document(place: string, terminal: Terminal): Promise<ScanSource> {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(resolve(terminal.directory, place));
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw cliErrors.make("CLI_FILE_UNREADABLE", `expected an SBOM, found ${place}: ${why}`, { cause });
  }
  const { readSbom } = await import("@touchmark/sbom");
  const { sbom, losses } = readSbom(bytes, { name: basename(place) });
  return {
    kind: "sbom",
    sbom,
    losses: losses.map((loss) => (typeof loss === "string" ? loss : JSON.stringify(loss))),
    close: () => {},
  };
}

async function image(words: string, invocation: Invocation, terminal: Terminal): Promise<ScanSource> {
  const source = await openImageSource(words, invocation, terminal);
  try {
    const { imageTree } = await import("@touchmark/pipeline/analysis");
    const { parsePlatform } = await import("@touchmark/formats/oci");
    const platform = text(invocation, "platform");
    const tree = await imageTree(
      source.reader,
      source.digest,
      platform === undefined ? undefined : parsePlatform(platform),
    );
    return {
      kind: "tree",
      tree,
      subject: { kind: "image", name: source.name, digest: source.digest },
      close: () => source.close(),
    };
  } catch (error) {
    source.close();
    throw error;
  }
}

/** An artifact of this factory, by its digest: the SBOM that was signed for it. */
async function ownArtifact(digest: Digest): Promise<ScanSource> {
  const { openFactory } = await import("@touchmark/pipeline");
  const { sbomOfArtifact } = await import("@touchmark/pipeline/analysis");
  const factory = await openFactory();
  try {
    const { sbom } = await sbomOfArtifact(factory, digest);
    return { kind: "sbom", sbom, losses: [], close: () => {} };
  } finally {
    await factory.close();
  }
}
