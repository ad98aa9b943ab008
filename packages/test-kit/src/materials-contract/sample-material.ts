import { createHash } from "node:crypto";
import { sha256 } from "@touchmark/core";
import { type MaterialRecord, type Mirror, recordedUrl, recordKey, variantOf } from "@touchmark/materials";

/** What a test wants to be different. */
export interface SampleMaterial {
  readonly path?: string;
  readonly accept?: string;
  readonly facts?: Partial<MaterialRecord["facts"]>;
  readonly more?: Partial<MaterialRecord>;
}

/** A record of an npm archive with that content; its SHA-512 was announced by a lockfile. */
export function sampleMaterial(content: string | Uint8Array, sample: SampleMaterial = {}): MaterialRecord {
  const bytes = Buffer.from(content as string);
  const url = recordedUrl(new URL(sample.path ?? "/pewter/-/pewter-1.0.0.tgz", "http://127.0.0.1:4873/"));
  const variant = variantOf(sample.accept === undefined ? {} : { accept: sample.accept });
  return {
    key: recordKey("GET", url, variant),
    method: "GET",
    url,
    ...(Object.keys(variant).length === 0 ? {} : { variant }),
    redirects: [],
    status: 200,
    headers: { "content-type": "application/octet-stream" },
    digest: sha256(bytes),
    size: bytes.length,
    facts: {
      ecosystem: "npm",
      kind: "archive",
      upstream: "main",
      name: "pewter",
      version: "1.0.0",
      purl: "pkg:npm/pewter@1.0.0",
      fileName: "pewter-1.0.0.tgz",
      immutable: true,
      ...sample.facts,
    },
    expected: [
      {
        algorithm: "sha512",
        value: createHash("sha512").update(bytes).digest("hex"),
        source: "lockfile",
        from: "package-lock.json",
      },
    ],
    fetchedAt: "2026-11-21T10:00:00Z",
    ...sample.more,
  };
}

/** Commits content with its record, as the proxy and the session do. */
export async function commitMaterial(
  mirror: Mirror,
  content: string | Uint8Array,
  record: MaterialRecord = sampleMaterial(content),
): Promise<MaterialRecord> {
  const incoming = await mirror.incoming();
  const bytes = Buffer.from(content as string);
  // In two parts, as it streams in.
  await incoming.write(bytes.subarray(0, 3));
  await incoming.write(bytes.subarray(3));
  await incoming.close();
  await mirror.commit(incoming, record);
  return record;
}
