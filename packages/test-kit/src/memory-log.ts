import { generateKeyPairSync, sign } from "node:crypto";
import { inclusionProof, leafHash, merkleRoot } from "@touchmark/core";
import { type NoteSigner, noteSigner, signCheckpoint, signedEntryTimestampMessage } from "@touchmark/formats/log";
import type { BundleProfile, LogInclusion, LogWitness } from "@touchmark/sign";

/** A transparency log in memory, with keys of its own: what signing needs of a log, and no durability. */
export interface MemoryLog extends LogWitness {
  readonly origin: string;
  readonly signer: NoteSigner;
  readonly compatible: { readonly origin: string; readonly signer: NoteSigner };
  /** Entry bodies, in order. */
  readonly entries: readonly Uint8Array[];
}

/** Opens an empty log. `now` answers the time of signed entry timestamps. */
export function memoryLog(origin = "log.factory.example", now: () => Date = () => new Date()): MemoryLog {
  const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const signer = noteSigner(origin, "ed25519", generateKeyPairSync("ed25519").privateKey);
  const compatible = { origin: `${origin} - 4711`, signer: noteSigner(origin, "ecdsa-p256", p256) };
  const entries: Uint8Array[] = [];
  const leaves: Uint8Array[] = [];
  const subtree = (level: number, index: number) =>
    merkleRoot(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level));
  return {
    origin,
    signer,
    compatible,
    entries,
    async append(body: Uint8Array, options: { readonly profile?: BundleProfile } = {}): Promise<LogInclusion> {
      const index = entries.push(body) - 1;
      leaves.push(leafHash(body));
      const size = entries.length;
      const root = merkleRoot(leaves);
      const shared = { index, treeSize: size, rootHash: root, hashes: inclusionProof(index, size, subtree) };
      if (options.profile !== "v1") {
        const checkpoint = signCheckpoint({ origin, size, root }, [signer]);
        return { ...shared, logId: signer.keyHash, checkpoint };
      }
      const logId = compatible.signer.keyHash;
      const integratedTime = Math.floor(now().getTime() / 1000);
      const message = signedEntryTimestampMessage({ canonicalizedBody: body, integratedTime, logId, logIndex: index });
      return {
        ...shared,
        logId,
        checkpoint: signCheckpoint({ origin: compatible.origin, size, root }, [compatible.signer]),
        integratedTime,
        signedEntryTimestamp: sign("sha256", message, p256),
      };
    },
  };
}
