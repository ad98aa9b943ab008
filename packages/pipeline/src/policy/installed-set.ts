import { readFileSync } from "node:fs";
import { join } from "node:path";
import { canonicalJson, isFactoryError, parseJson } from "@touchmark/core";
import type { PolicySet } from "@touchmark/formats/policy";
import type { Pinned } from "@touchmark/policy";
import type { Factory } from "../factory.ts";
import { homePolicyErrors } from "./errors.ts";
import { policyPlaces } from "./policy-place.ts";
import { readSigned, type SignedDocument } from "./signed-documents.ts";

/** The file that says which set is in force: its bundles, written at once or not at all. */
export interface InstalledFile {
  readonly touchmark: "installed-set/v1";
  /** Base64 of each signature's bundle. */
  readonly bundles: readonly string[];
}

const MAX_FILE_BYTES = 32 * 1024 * 1024;

/** Place of that file. */
export const installedPath = (factory: Factory): string => join(policyPlaces(factory).set, "installed.json");

/** The set in force, its signatures verified again; undefined when none was installed. @throws POLICY_SET_CHANGED */
export async function installedSet(factory: Factory): Promise<Pinned<PolicySet> | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(installedPath(factory));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw cause;
  }
  try {
    const { touchmark, bundles } = parseJson(bytes, { maxBytes: MAX_FILE_BYTES }) as unknown as InstalledFile;
    if (touchmark !== "installed-set/v1") throw new TypeError("another kind of file");
    const signed = await Promise.all(
      bundles.map((bundle) => readSigned(factory, Buffer.from(bundle, "base64"), "policy-set")),
    );
    return oneSet(signed);
  } catch (cause) {
    if (!isFactoryError(cause) && !(cause instanceof TypeError)) throw cause;
    throw homePolicyErrors.make(
      "POLICY_SET_CHANGED",
      `the installed policy set cannot be relied on: ${cause.message}`,
      {
        cause,
      },
    );
  }
}

/** The set that all signatures are about. @throws POLICY_SET_CHANGED */
export function oneSet(signed: readonly SignedDocument<"policy-set">[]): Pinned<PolicySet> {
  const [first] = signed;
  const content = first === undefined ? "" : canonicalJson(first.predicate.content);
  const isOne = signed.every(
    ({ predicate }) => canonicalJson(predicate.content) === content && predicate.document === first?.predicate.document,
  );
  if (first === undefined || !isOne) {
    throw homePolicyErrors.make("POLICY_SET_CHANGED", "expected signatures under one and the same policy set");
  }
  return { digest: first.predicate.document, document: first.predicate.content };
}
