import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Clock, isFactoryError, systemClock } from "@touchmark/core";
import {
  createFactoryIdentity,
  type FactoryIdentity,
  openFactoryIdentity,
  readIdentityNames,
  readTrustedRoot,
} from "@touchmark/identity";
import { createLogKeys, openLog, openLogKeys, type TransparencyLog } from "@touchmark/log";
import {
  type FileContentStore,
  type Home,
  openContentStore,
  openHome,
  openRunStore,
  openTreeStore,
  type RunStore,
  type TreeStore,
} from "@touchmark/store";
import { pipelineErrors } from "./errors.ts";

/** One factory: everything below one TOUCHMARK_HOME, opened for use. */
export interface Factory {
  readonly home: Home;
  readonly content: FileContentStore;
  readonly trees: TreeStore;
  readonly runs: RunStore;
  readonly clock: Clock;
  /** The factory's identity, in the role of the control plane; opened on first use. */
  identity(): Promise<FactoryIdentity>;
  /** The identity that `attest` signs with, which can be no step and no builder. */
  attestIdentity(): Promise<FactoryIdentity>;
  /** The identity that certifies keys of people, or that signs deployments; opened when asked. */
  identityAs(role: "people" | "deploy"): Promise<FactoryIdentity>;
  /** The transparency log, for writing; opened on first use. */
  log(): Promise<TransparencyLog>;
  /** Trust domain and issuer; read without opening any private key. */
  names(): { readonly trustDomain: string; readonly issuer: string };
  /** `trusted_root.json` of this factory; read without opening any private key. */
  trustRoot(): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** How to open a factory. */
export interface FactoryOptions {
  /** Default: TOUCHMARK_HOME, then the user's data directory. */
  readonly home?: string;
  /** Make the factory when there is none: keys, log, trust root. */
  readonly create?: boolean;
  readonly clock?: Clock;
  /** Encrypts the root key. Default: a random one, kept in the home for its owner to move away. */
  readonly rootPassphrase?: string;
}

/** Opens the factory of a home. */
export async function openFactory(options: FactoryOptions = {}): Promise<Factory> {
  const clock = options.clock ?? systemClock;
  const home = await openHome(options.home, { create: options.create ?? false });
  const places = {
    authority: join(home.paths.identity, "authority"),
    logKeys: join(home.paths.identity, "log"),
    passphrase: join(home.paths.trust, "root.passphrase"),
  };
  if (options.create === true && !isCreated(places)) await createIdentity(home, places, clock, options.rootPassphrase);
  const openOnce = once(() => openFactoryIdentity({ directory: places.authority, clock }));
  const attestOnce = once(() => openFactoryIdentity({ directory: places.authority, clock, role: "attest" }));
  let log: Promise<TransparencyLog> | undefined;
  return {
    home,
    clock,
    content: await openContentStore(home),
    trees: await openTreeStore(home),
    runs: openRunStore(home),
    identity: openOnce,
    attestIdentity: attestOnce,
    identityAs: (role) => openFactoryIdentity({ directory: places.authority, clock, role }),
    log: () => {
      log ??= openLog({ directory: home.paths.log, keys: openLogKeys(places.logKeys), clock });
      return log;
    },
    names: () => readIdentityNames(places.authority),
    trustRoot: async () => readTrustedRoot(places.authority),
    close: async () => {
      if (log !== undefined) await (await log).close();
      await home.close();
    },
  };
}

/** The log's origin is a host name below the trust domain, since clients compare it with the log's address. */
const logPrefix = "log.";

interface Places {
  readonly authority: string;
  readonly logKeys: string;
  readonly passphrase: string;
}

/** True when the identity is whole; an interrupted creation is not, and anything else is said by whoever opens it. */
function isCreated(places: Places): boolean {
  try {
    readTrustedRoot(places.authority);
    return true;
  } catch (error) {
    if (isFactoryError(error) && ["IDENTITY_NOT_CREATED", "IDENTITY_INCOMPLETE"].includes(error.code)) return false;
    throw error;
  }
}

/** Makes keys and trust root, once; an interrupted creation is continued. */
async function createIdentity(home: Home, places: Places, clock: Clock, given: string | undefined): Promise<void> {
  const lock = await home.lock("create-identity");
  try {
    // A factory that lost its keys must not go on under others: nobody would notice, and nothing would verify.
    if (!existsSync(join(places.authority, "identity.json")) && readdirSync(home.paths.runs).length > 0) {
      throw pipelineErrors.make(
        "IDENTITY_GONE",
        `expected the authority of this factory, whose runs are there, in ${places.authority}, found none`,
      );
    }
    // The trust domain is a random name of this home alone; two homes never speak for each other.
    const keys = existsSync(join(places.logKeys, "log-keys.json"))
      ? openLogKeys(places.logKeys)
      : createLogKeys(places.logKeys, { origin: `${logPrefix}factory-${randomBytes(6).toString("hex")}.internal` });
    await createFactoryIdentity({
      directory: places.authority,
      trustDomain: keys.origin.slice(logPrefix.length),
      passphrase: passphraseOf(places, given),
      clock,
      log: keys,
    });
  } finally {
    lock.release();
  }
}

/** The passphrase given, or one made at random and kept beside for the owner to move to a safe place. */
function passphraseOf(places: Places, given: string | undefined): string {
  if (given !== undefined) return given;
  if (!existsSync(places.passphrase)) {
    writeFileSync(places.passphrase, `${randomBytes(24).toString("base64url")}\n`, {
      mode: 0o600,
      flag: "wx",
      flush: true,
    });
  }
  return readFileSync(places.passphrase, "utf8").trim();
}

/** Where workers keep private views and pipes; what a killed one left there is reclaimed by the next. */
export function sandboxDirectory(factory: Factory): string {
  return join(factory.home.path, "sandbox");
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
