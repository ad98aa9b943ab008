import { createPublicKey, randomBytes, verify } from "node:crypto";
import type { Clock } from "@touchmark/core";
import { identityErrors } from "./errors.ts";
import type { FactoryIdentity } from "./factory-identity.ts";
import { userId } from "./spiffe.ts";

/** How long a challenge may be answered. */
const CHALLENGE_MS = 60_000;
/** Challenges that wait for an answer at once; the oldest goes first. */
const MAX_WAITING = 1000;

/** Certifies keys of people, each for minutes, when they show that they have them. */
export interface UserCertifier {
  /** Bytes for the person to sign (ECDSA, P-256, SHA-256, DER). Good for one answer within a minute. */
  challenge(name: string): Uint8Array;
  /**
   * A signing certificate `spiffe://TD/user/NAME` of the enrolled key.
   * @throws USER_CHALLENGE_UNKNOWN | USER_PROOF_WRONG and as `issue`
   */
  certify(name: string, challenge: Uint8Array, proof: Uint8Array): Uint8Array;
}

/** Opens a certifier. `keyOf` answers the enrolled key (DER SubjectPublicKeyInfo) of a name, or throws. */
export function userCertifier(options: {
  readonly identity: FactoryIdentity;
  readonly clock: Clock;
  readonly keyOf: (name: string) => Uint8Array;
}): UserCertifier {
  const { identity, clock, keyOf } = options;
  const waiting = new Map<string, { readonly name: string; readonly until: number }>();
  return {
    challenge(name) {
      const nonce = randomBytes(32).toString("hex");
      // No envelope and no certificate begins like this: the answer is good for nothing else.
      const text = `touchmark user certificate v1\n${userId(identity.trustDomain, name)}\n${nonce}\n`;
      const [oldest] = waiting.keys();
      if (waiting.size >= MAX_WAITING && oldest !== undefined) waiting.delete(oldest);
      waiting.set(text, { name, until: clock.now().getTime() + CHALLENGE_MS });
      return Buffer.from(text);
    },
    certify(name, challenge, proof) {
      const text = Buffer.from(challenge).toString("utf8");
      const asked = waiting.get(text);
      waiting.delete(text);
      if (asked === undefined || asked.name !== name || asked.until <= clock.now().getTime()) {
        throw identityErrors.make("USER_CHALLENGE_UNKNOWN", `expected a challenge made for ${name} a moment ago`);
      }
      const publicKey = keyOf(name);
      const key = createPublicKey({ key: Buffer.from(publicKey), format: "der", type: "spki" });
      if (!verify("sha256", challenge, key, proof)) {
        throw identityErrors.make("USER_PROOF_WRONG", `expected a signature by the key that ${name} is enrolled with`);
      }
      return identity.issue({ spiffeId: userId(identity.trustDomain, name), publicKey, profile: "signing" });
    },
  };
}
