import { join } from "node:path";
import { parseVerifierKey } from "@touchmark/formats/log";
import { httpWitness, openLog, openLogKeys } from "@touchmark/log";
import type { Factory } from "./factory.ts";

/** The verifier key of this factory's log (C2SP signed-note). */
export async function logVerifierKey(factory: Factory): Promise<string> {
  return (await factory.log()).verifierKey;
}

/** Asks a witness (C2SP tlog-witness) to cosign the published checkpoint, and publishes it with the answer. */
export async function cosignLog(
  factory: Factory,
  witness: { readonly url: string; readonly key: string },
): Promise<string> {
  const log = await openLog({
    directory: factory.home.paths.log,
    keys: openLogKeys(join(factory.home.paths.identity, "log")),
    clock: factory.clock,
    witnesses: { clients: [httpWitness({ url: witness.url, verifier: parseVerifierKey(witness.key) })], quorum: 1 },
  });
  try {
    return await log.cosign();
  } finally {
    await log.close();
  }
}
