import { type Digest, decodeBase64, isDigest, parseJson } from "@touchmark/core";
import { digestsIn } from "./run-record.ts";

/** What the index and the prune need to know of a bundle. Read without verifying: never evidence. */
export interface BundleContent {
  readonly predicateType: string;
  readonly subjects: readonly { readonly name: string; readonly digest: Digest }[];
  readonly logIndex: number | null;
  /** Every digest that the statement mentions, as `sha256:…` or in a digest set. */
  readonly mentions: ReadonlySet<Digest>;
}

const digestSetMember = /"sha256"\s*:\s*"([0-9a-f]{64})"/g;

/** Reads a Sigstore bundle that holds a DSSE envelope with an in-toto statement; undefined for anything else. */
export function readBundle(bytes: Uint8Array): BundleContent | undefined {
  try {
    const bundle = parseJson(bytes) as {
      mediaType?: unknown;
      dsseEnvelope?: { payload?: unknown };
      verificationMaterial?: { tlogEntries?: readonly { logIndex?: unknown }[] };
    };
    if (typeof bundle.mediaType !== "string" || !bundle.mediaType.startsWith("application/vnd.dev.sigstore.bundle")) {
      return undefined;
    }
    const payload = Buffer.from(decodeBase64(String(bundle.dsseEnvelope?.payload))).toString();
    const statement = parseJson(payload) as {
      predicateType?: unknown;
      subject?: readonly { name?: unknown; digest?: { sha256?: unknown } }[];
    };
    if (typeof statement.predicateType !== "string" || !Array.isArray(statement.subject)) return undefined;
    const subjects: { name: string; digest: Digest }[] = [];
    for (const subject of statement.subject) {
      const digest = `sha256:${String(subject?.digest?.sha256)}`;
      if (isDigest(digest)) subjects.push({ name: String(subject.name ?? ""), digest });
    }
    const mentions = digestsIn(payload);
    for (const match of payload.matchAll(digestSetMember)) mentions.add(`sha256:${match[1]}`);
    const logIndex = Number(bundle.verificationMaterial?.tlogEntries?.[0]?.logIndex);
    return {
      predicateType: statement.predicateType,
      subjects,
      logIndex: Number.isSafeInteger(logIndex) ? logIndex : null,
      mentions,
    };
  } catch {
    return undefined;
  }
}
