import { isFactoryError, type Json, parseJson } from "@touchmark/core";
import { parseRegistryReference, registryReferenceText } from "@touchmark/formats/oci";
import type { AdmissionGate, AdmissionVerdict } from "../gate/types.ts";
import { member, textMember } from "../review/object.ts";
import { askGate, pinnedDigest } from "../webhook/ask.ts";
import { providerErrors } from "./errors.ts";

const version = "externaldata.gatekeeper.sh/v1beta1";
const mostKeys = 512;
const longestKey = 2048;

/** A key of Gatekeeper's: a reference, and the namespace where it shall run when one was said. */
interface ProviderKey {
  readonly key: string;
  readonly namespace: string | undefined;
  readonly reference: string;
}

/** What is answered for one key: a reference by digest, or why there is none. */
export interface ProviderItem {
  readonly key: string;
  readonly value?: string;
  readonly error?: string;
}

/** What a provider rests on. */
export interface ProviderParts {
  readonly gate: AdmissionGate;
  readonly environment?: string;
}

/** Reads a ProviderRequest. @throws ADMISSION_PROVIDER_MALFORMED */
export function readProviderRequest(bytes: Uint8Array): readonly string[] {
  const request = readJson(bytes);
  if (textMember(request, "apiVersion") !== version || textMember(request, "kind") !== "ProviderRequest") {
    throw providerErrors.make("ADMISSION_PROVIDER_MALFORMED", `expected a ProviderRequest of ${version}`);
  }
  const keys = member(member(request, "request"), "keys");
  if (!Array.isArray(keys) || keys.length > mostKeys) {
    throw providerErrors.make("ADMISSION_PROVIDER_MALFORMED", `expected a list of at most ${mostKeys} keys`);
  }
  return keys.map((key: Json) => {
    if (typeof key === "string" && key.length <= longestKey) return key;
    throw providerErrors.make("ADMISSION_PROVIDER_MALFORMED", `expected keys of at most ${longestKey} characters`);
  });
}

function readJson(bytes: Uint8Array): Json {
  try {
    return parseJson(bytes, { maxDepth: 8 });
  } catch (cause) {
    if (!isFactoryError(cause)) throw cause;
    throw providerErrors.make("ADMISSION_PROVIDER_MALFORMED", cause.message, { cause });
  }
}

/** Answers every key by itself: one that is denied hides no other. Never throws. */
export async function answerKeys(
  keys: readonly string[],
  { gate, environment }: ProviderParts,
  { withinMs, signal }: { readonly withinMs: number; readonly signal: AbortSignal },
): Promise<readonly ProviderItem[]> {
  const read = keys.map(readKey);
  const namespaces = [...new Set(read.map(({ namespace }) => namespace))];
  const answers = await Promise.all(
    namespaces.map(async (namespace) => {
      const references = read.filter((one) => one.namespace === namespace).map(({ reference }) => reference);
      const facts = { operation: "EXTERNAL_DATA", namespace: namespace ?? null, environment: environment ?? null };
      const context = { ...(namespace === undefined ? {} : { namespace }), withinMs, signal, dryRun: false, facts };
      return [namespace, await askGate(gate, references, context)] as const;
    }),
  );
  const verdicts = new Map(answers);
  return read.map((one) => itemOf(one, verdicts.get(one.namespace)?.get(one.reference)));
}

/** `NAMESPACE|REFERENCE` or `REFERENCE`. */
function readKey(key: string): ProviderKey {
  const bar = key.indexOf("|");
  return bar < 0
    ? { key, namespace: undefined, reference: key }
    : { key, namespace: key.slice(0, bar), reference: key.slice(bar + 1) };
}

function itemOf({ key, reference }: ProviderKey, verdict: AdmissionVerdict | undefined): ProviderItem {
  if (verdict?.result !== "allow" || verdict.digest === undefined) {
    return { key, error: verdict?.message || "denied" };
  }
  if (pinnedDigest(reference) !== undefined) return { key, value: reference };
  try {
    const { registry, repository } = parseRegistryReference(reference);
    return { key, value: registryReferenceText({ registry, repository, digest: verdict.digest }) };
  } catch (error) {
    return { key, error: isFactoryError(error) ? `${error.code}: ${error.message}` : "denied" };
  }
}

/** The bytes of a ProviderResponse. Idempotent, so that Gatekeeper may use values to mutate, too. */
export function providerBytes(items: readonly ProviderItem[], systemError = ""): Buffer {
  const response = { idempotent: true, items, ...(systemError === "" ? {} : { systemError }) };
  return Buffer.from(JSON.stringify({ apiVersion: version, kind: "ProviderResponse", response }));
}
