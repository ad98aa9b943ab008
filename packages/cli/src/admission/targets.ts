import { readFileSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import type { InventoryItem } from "@touchmark/admission";
import { type Digest, isDigest, isFactoryError } from "@touchmark/core";
import type { Invocation } from "../command.ts";
import { cliErrors } from "../errors.ts";
import { isRegistryText, openImageSource } from "../image-source.ts";
import type { Terminal } from "../terminal.ts";
import { artifactsOf } from "../verify-registry.ts";

/** What a command line wants admitted. */
export interface Targets {
  readonly items: readonly InventoryItem[];
  /** What manifests list and nobody looked into. */
  readonly passedOver: readonly string[];
  /** Files that lie in an artifact of a registry, with the manifest that their evidence stands beside. */
  readonly manifests: ReadonlyMap<Digest, Digest>;
}

const MAX_MANIFEST_FILE = 16 * 1024 * 1024;

/** Digests, files, images and manifests of Kubernetes, by what each word is. @throws CLI_USAGE | ARTIFACT_UNKNOWN | INVENTORY_* */
export async function readTargets(invocation: Invocation, terminal: Terminal): Promise<Targets> {
  const items: InventoryItem[] = [];
  const passedOver: string[] = [];
  const manifests = new Map<Digest, Digest>();
  for (const word of invocation.arguments) {
    if (isDigest(word)) items.push({ reference: word, where: word });
    else if (isFile(terminal, word)) {
      const found = await itemsOfFile(resolve(terminal.directory, word), word);
      items.push(...found.items);
      passedOver.push(...found.passedOver);
    } else if (word.startsWith("factory:") || isRegistryText(word)) {
      items.push(...(await itemsOfImage(word, invocation, terminal, manifests)));
    } else {
      throw cliErrors.make(
        "CLI_USAGE",
        `expected a file, sha256:<digest>, HOST/NAME:TAG or HOST/NAME@DIGEST, found ${JSON.stringify(word.slice(0, 120))}`,
      );
    }
  }
  return { items, passedOver, manifests };
}

function isFile(terminal: Terminal, word: string): boolean {
  return statSync(resolve(terminal.directory, word), { throwIfNoEntry: false })?.isFile() === true;
}

/** Manifests of Kubernetes by what stands in them; any other file is an artifact. */
async function itemsOfFile(path: string, word: string): Promise<Pick<Targets, "items" | "passedOver">> {
  if (/\.(?:ya?ml|json)$/.test(path) && statSync(path).size <= MAX_MANIFEST_FILE) {
    const { looksLikeManifests, manifestItems } = await import("@touchmark/admission");
    const bytes = readFileSync(path);
    if (looksLikeManifests(bytes)) return manifestItems(bytes, word);
  }
  const { namedArtifact } = await import("@touchmark/pipeline");
  const { digest } = await namedArtifact(path);
  return { items: [{ reference: digest, where: basename(word) }], passedOver: [] };
}

/** An image by its reference; the files of an artifact that is no image each by digest, for all must be admitted. */
async function itemsOfImage(
  word: string,
  invocation: Invocation,
  terminal: Terminal,
  manifests: Map<Digest, Digest>,
): Promise<readonly InventoryItem[]> {
  const reference = word.replace(/^registry:/, "");
  const image = [{ reference, where: reference }];
  if (word.startsWith("factory:")) return image;
  try {
    const source = await openImageSource(word, invocation, terminal);
    try {
      const files = await artifactsOf(source);
      if (files.length === 1 && files[0] === source.digest) return image;
      for (const file of files) manifests.set(file, source.digest);
      const place = reference.replace(/@.*$/, "").replace(/:[^:/]*$/, "");
      return files.map((file) => ({ reference: `${place}@${file}`, where: `${reference} file ${file}` }));
    } finally {
      source.close();
    }
  } catch (error) {
    // Why it cannot be looked at is the gate's to say, as a denial.
    if (!isFactoryError(error)) throw error;
    return image;
  }
}
