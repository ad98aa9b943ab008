import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type Digest, sha256 } from "@touchmark/core";
import { imagesDocument, PipelineFileError, Problems, readYaml } from "@touchmark/formats/pipeline";
import type { Factory } from "../factory.ts";
import { runImageErrors } from "./errors.ts";

/** Whose signature lets images of a repository in, with the files read. */
export interface ImageTrustRule {
  /** `HOST/NAME`, or `HOST/PREFIX/**`. */
  readonly match: string;
  readonly format: "sigstore" | "cosign" | "notation";
  /** PEM texts. */
  readonly keys: readonly string[];
  readonly trustRoot?: Uint8Array;
  readonly identity?: string;
  readonly issuer?: string;
  /** Predicate types that must be signed too. */
  readonly attestations: readonly string[];
}

/** The user's own configuration of images. */
export interface ImagesConfiguration {
  /** Of the file's text; undefined when there is none. */
  readonly digest?: Digest;
  readonly trust: readonly ImageTrustRule[];
  readonly mirrors: Readonly<Record<string, readonly string[]>>;
}

/** Reads `images.yaml` of the home; without one, nobody is trusted and nothing is mirrored. @throws IMAGES_CONFIG_INVALID */
export function readImagesConfiguration(factory: Factory): ImagesConfiguration {
  const path = join(dirname(factory.home.paths.version), "images.yaml");
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return { trust: [], mirrors: {} };
    throw runImageErrors.make("IMAGES_CONFIG_INVALID", `expected a readable file of UTF-8 text at ${path}`, { cause });
  }
  return parseImagesConfiguration(text, path);
}

/** Reads the text of `images.yaml`; files are relative to it. @throws IMAGES_CONFIG_INVALID */
export function parseImagesConfiguration(text: string, path: string): ImagesConfiguration {
  try {
    const reading = readYaml(text, path);
    const problems = new Problems(path, reading);
    const checked = imagesDocument.safeParse(reading.value);
    if (!checked.success) {
      problems.addIssues(checked.error.issues);
      problems.throwIfAny();
      throw checked.error;
    }
    const at = (file: string): string => resolve(dirname(path), file);
    const trust = (checked.data.trust ?? []).map((rule): ImageTrustRule => {
      const root = rule["trust-root"];
      const byKey = (rule.keys ?? []).length > 0;
      const byIdentity = rule.identity !== undefined && rule.issuer !== undefined;
      if (rule.format === "sigstore" ? root === undefined || byKey === byIdentity : !byKey || byIdentity) {
        const wanted =
          rule.format === "sigstore" ? "trust-root with either keys, or identity and issuer" : "keys and no identity";
        throw runImageErrors.make(
          "IMAGES_CONFIG_INVALID",
          `${path}: ${rule.match}: a ${rule.format} rule has ${wanted}`,
        );
      }
      return {
        match: rule.match,
        format: rule.format,
        keys: (rule.keys ?? []).map((file) => readFileSync(at(file), "utf8")),
        attestations: rule.attestations ?? [],
        ...(root === undefined ? {} : { trustRoot: readFileSync(at(root)) }),
        ...(rule.identity === undefined ? {} : { identity: rule.identity }),
        ...(rule.issuer === undefined ? {} : { issuer: rule.issuer }),
      };
    });
    return { digest: sha256(text), trust, mirrors: checked.data.mirrors ?? {} };
  } catch (cause) {
    if (cause instanceof PipelineFileError) {
      throw runImageErrors.make("IMAGES_CONFIG_INVALID", cause.message, { cause });
    }
    if ((cause as NodeJS.ErrnoException).syscall !== undefined) {
      throw runImageErrors.make("IMAGES_CONFIG_INVALID", `${path}: ${(cause as Error).message}`, { cause });
    }
    throw cause;
  }
}

/** The rules that speak of a repository. */
export function rulesFor(
  configuration: ImagesConfiguration,
  registry: string,
  repository: string,
): readonly ImageTrustRule[] {
  const place = `${registry}/${repository}`;
  return configuration.trust.filter(({ match }) =>
    match.endsWith("/**") ? place.startsWith(match.slice(0, -2)) : place === match,
  );
}
