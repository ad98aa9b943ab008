import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { type Clock, digestHex, type Json, parseJson, rfc3339, sha256 } from "@touchmark/core";
import { makePrivateDirectory, readPrivateFile, writeDurably } from "./durable-file.ts";
import { identityErrors } from "./errors.ts";

/** Longest life of a join token, seconds. */
export const MAX_JOIN_TOKEN_SECONDS = 86_400;

/** Join tokens: single use, expiring, kept as digests only. */
export interface JoinTokens {
  /** Makes a token, answered once and never stored. Default life 600 seconds. @throws JOIN_TOKEN_LIFETIME */
  create(options?: { readonly lifetimeSeconds?: number }): string;
  /**
   * Uses a token up. `id` names it in evidence: the digest of its digest. Durable before it answers, and at most one of
   * several processes that try together succeeds.
   * @throws JOIN_TOKEN_UNKNOWN | JOIN_TOKEN_USED | JOIN_TOKEN_EXPIRED
   */
  redeem(token: string): { readonly id: string };
}

/** Opens the token directory, making it when there is none. @throws DIRECTORY_EXPOSED */
export function joinTokens(options: { readonly directory: string; readonly clock: Clock }): JoinTokens {
  const { directory, clock } = options;
  makePrivateDirectory(directory);
  return {
    create(request = {}) {
      const lifetime = request.lifetimeSeconds ?? 600;
      if (!Number.isInteger(lifetime) || lifetime < 1 || lifetime > MAX_JOIN_TOKEN_SECONDS) {
        throw identityErrors.make(
          "JOIN_TOKEN_LIFETIME",
          `expected 1 to ${MAX_JOIN_TOKEN_SECONDS} seconds, found ${lifetime}`,
        );
      }
      const token = randomBytes(32).toString("base64url");
      const expires = rfc3339(new Date(clock.now().getTime() + lifetime * 1000));
      writeDurably(join(directory, `${digestHex(sha256(token))}.json`), JSON.stringify({ expires }), "exclusive");
      return token;
    },
    redeem(token) {
      const hex = digestHex(sha256(token));
      const text = readPrivateFile(join(directory, `${hex}.json`));
      if (text === undefined) throw identityErrors.make("JOIN_TOKEN_UNKNOWN", "no such join token was made here");
      const expires = expiryOf(text);
      // The mark is made before the expiry is looked at: a token that was shown is a token that is spent.
      const first = writeDurably(join(directory, `${hex}.used`), `${rfc3339(clock.now())}\n`, "exclusive");
      if (!first) throw identityErrors.make("JOIN_TOKEN_USED", "the join token was used before");
      if (!(clock.now() < expires)) {
        throw identityErrors.make("JOIN_TOKEN_EXPIRED", `the join token was valid until ${rfc3339(expires)}`);
      }
      return { id: sha256(hex) };
    },
  };
}

function expiryOf(text: string): Date {
  let value: Json = null;
  try {
    value = parseJson(text);
  } catch {
    // Falls through to the same refusal as any other content.
  }
  const expires = new Date((value as { readonly expires?: string } | null)?.expires ?? Number.NaN);
  if (Number.isNaN(expires.getTime())) {
    throw identityErrors.make("KEY_FILE_DAMAGED", "expected a join token's record with its expiry");
  }
  return expires;
}
