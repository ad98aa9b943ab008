import { createHmac, randomBytes } from "node:crypto";
import type { Clock } from "@touchmark/core";
import type { RegistryUser } from "../configuration/configuration.ts";
import { registryAuthorityErrors } from "./errors.ts";
import type { FailureLedger } from "./failures.ts";
import { hasPassword, type PasswordHash, unmatchedHash } from "./password.ts";

/** Checks passwords, and remembers those that were right for a while. */
export interface Passwords {
  /**
   * The user whose password it is.
   * @throws REGISTRY_AUTH_CREDENTIALS_WRONG | REGISTRY_AUTH_LOCKED | REGISTRY_AUTH_BUSY
   */
  check(
    users: ReadonlyMap<string, RegistryUser>,
    name: string,
    password: string,
    remote: string,
  ): Promise<RegistryUser>;
}

/** Seconds for which a right password is remembered; how many are. */
const REMEMBER_SECONDS = 300;
const MOST_REMEMBERED = 1000;
/** Hashes computed at once, each in 16 MiB and one of four threads that files need too; and how many may wait. */
const AT_ONCE = 2;
const MOST_WAITING = 64;

/** Passwords checked by `compare`, which is scrypt but in tests of what is around it. */
export function passwords(
  clock: Clock,
  failures: FailureLedger,
  compare: (known: PasswordHash, password: string) => Promise<boolean> = hasPassword,
): Passwords {
  // Keyed by this process alone: what is remembered tells nobody who reads memory or a core a password's plain hash.
  const secret = randomBytes(32);
  const nobody = unmatchedHash();
  const right = new Map<string, number>();
  const running = new Map<string, Promise<boolean>>();
  const waiting: (() => void)[] = [];
  let active = 0;

  const inTurn = async (work: () => Promise<boolean>): Promise<boolean> => {
    if (active >= AT_ONCE) {
      if (waiting.length >= MOST_WAITING) {
        throw registryAuthorityErrors.make(
          "REGISTRY_AUTH_BUSY",
          `expected at most ${MOST_WAITING} passwords to wait, found more`,
        );
      }
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else active++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) active--;
      else next();
    }
  };

  return {
    async check(users, name, password, remote) {
      const user = users.get(name);
      const known = user?.password ?? nobody;
      // The hash is part of the key: a password that was changed is no longer remembered.
      const key = createHmac("sha256", secret)
        .update(JSON.stringify([name, known.text, password]))
        .digest("base64");
      if (user !== undefined && (right.get(key) ?? 0) > clock.now().getTime()) return user;
      failures.check(remote, name);
      // A client that opens many connections at once is checked once, and counts once.
      let outcome = running.get(key);
      if (outcome === undefined) {
        outcome = inTurn(async () => {
          // Guesses that waited while others failed are not tried.
          failures.check(remote, name);
          const isRight = (await compare(known, password)) && user !== undefined;
          if (!isRight) failures.failed(remote, name);
          return isRight;
        }).finally(() => running.delete(key));
        running.set(key, outcome);
      }
      if (!(await outcome) || user === undefined) {
        throw registryAuthorityErrors.make("REGISTRY_AUTH_CREDENTIALS_WRONG", "expected a user and its password");
      }
      failures.succeeded(remote, name);
      right.delete(key);
      right.set(key, clock.now().getTime() + REMEMBER_SECONDS * 1000);
      if (right.size > MOST_REMEMBERED) right.delete(right.keys().next().value as string);
      return user;
    },
  };
}
