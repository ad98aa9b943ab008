import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Digest, decodeBase64, encodeBase64, isFactoryError, sha256 } from "@touchmark/core";
import {
  predicateType,
  readPredicate,
  statementOf,
  subjectOf,
  type UserEnrolment,
} from "@touchmark/formats/predicates";
import { attestId, userId } from "@touchmark/identity";
import { makeDirectory, writeFileAtomically } from "@touchmark/store";
import { readTrustRoot, type TrustRoot, verifyBundle } from "@touchmark/verify";
import { type AttestReport, signAttestation } from "../attest.ts";
import { timeOf } from "../evidence/run-facts.ts";
import type { Factory } from "../factory.ts";
import { peopleErrors } from "./errors.ts";

/** A person as this factory knows one. */
export interface User {
  readonly name: string;
  /** `spiffe://TD/user/NAME` */
  readonly identity: string;
  readonly roles: readonly string[];
  /** SHA-256 of the public key (DER SubjectPublicKeyInfo), as policies name keys. */
  readonly publicKey: Digest;
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  readonly state: "enrolled" | "removed";
  /** When the state was signed, by a time-stamp that was verified. */
  readonly since: Date;
}

const nameShape = /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/;
const roleShape = /^(?=.{1,64}$)[a-z][a-z0-9]*([-_./][a-z0-9]+)*$/;
const ending = ".sigstore.json";

/**
 * Enrols a person's public key, signed and logged; the home never sees the private one. The same again is no change,
 * other roles replace the former ones.
 * @throws USER_NAME_INVALID | USER_EXISTS
 */
export async function enrolUser(
  factory: Factory,
  request: { readonly name: string; readonly roles: readonly string[]; readonly spki: Uint8Array },
): Promise<User> {
  const { name, roles, spki } = request;
  checkName(name);
  const wrong = roles.find((role) => !roleShape.test(role));
  if (wrong !== undefined || roles.length === 0 || roles.length > 100) {
    const found = wrong === undefined ? `${roles.length} roles` : JSON.stringify(wrong.slice(0, 80));
    throw peopleErrors.make("USER_NAME_INVALID", `expected 1 to 100 roles in lower case, found ${found}`);
  }
  const lock = await factory.home.lock("people");
  try {
    const known = (await users(factory)).find((user) => user.name === name && user.state === "enrolled");
    if (known !== undefined && known.publicKey !== sha256(spki)) {
      throw peopleErrors.make("USER_EXISTS", `${name} is enrolled with the key ${known.publicKey}`);
    }
    return await record(factory, name, "enrolled", [...new Set(roles)].sort(), spki);
  } finally {
    lock.release();
  }
}

/** Lets a person's key stand for nobody from now on; what was signed before stays. @throws as `userNamed` */
export async function removeUser(factory: Factory, name: string): Promise<User> {
  const lock = await factory.home.lock("people");
  try {
    const user = await userNamed(factory, name);
    return await record(factory, name, "removed", user.roles, user.spki);
  } finally {
    lock.release();
  }
}

/** Everybody who was ever enrolled, by name. @throws USER_ENROLMENT_DAMAGED */
export async function users(factory: Factory): Promise<readonly User[]> {
  const names = namesIn(placeOf(factory)).filter((file) => file.endsWith(ending));
  if (names.length === 0) return [];
  const trustRoot = readTrustRoot(await factory.trustRoot());
  return names.sort().map((file) => readUser(factory, trustRoot, file.slice(0, -ending.length)));
}

/** A person who is enrolled now. @throws USER_UNKNOWN | USER_REMOVED | USER_ENROLMENT_DAMAGED */
export async function userNamed(factory: Factory, name: string): Promise<User> {
  if (!nameShape.test(name) || !namesIn(placeOf(factory)).includes(`${name}${ending}`)) {
    throw peopleErrors.make("USER_UNKNOWN", `expected the name of a user, found ${JSON.stringify(name.slice(0, 80))}`);
  }
  const user = readUser(factory, readTrustRoot(await factory.trustRoot()), name);
  if (user.state === "removed") {
    throw peopleErrors.make("USER_REMOVED", `${name} was removed on ${user.since.toISOString()}`);
  }
  return user;
}

async function record(
  factory: Factory,
  name: string,
  event: UserEnrolment["event"],
  roles: readonly string[],
  spki: Uint8Array,
): Promise<User> {
  const publicKey = sha256(spki);
  const identity = userId(factory.names().trustDomain, name);
  const at = timeOf(factory.clock.now());
  const enrolment: UserEnrolment = {
    ...{ run: "people", createdAt: at, predecessors: [] },
    ...{ user: name, identity, event, publicKey, spki: encodeBase64(spki), roles },
  };
  const statement = statementOf("user-enrolment", [subjectOf(`user/${name}`, publicKey)], enrolment);
  const report: AttestReport = await signAttestation(factory, statement);
  makeDirectory(placeOf(factory));
  writeFileAtomically(join(placeOf(factory), `${name}${ending}`), report.bytes);
  return readUser(factory, readTrustRoot(await factory.trustRoot()), name);
}

function readUser(factory: Factory, trustRoot: TrustRoot, name: string): User {
  const damaged = (why: string, cause?: unknown) =>
    peopleErrors.make(
      "USER_ENROLMENT_DAMAGED",
      `the enrolment of ${name}: ${why}`,
      cause === undefined ? {} : { cause },
    );
  const { trustDomain, issuer } = factory.names();
  const bytes = readFileSync(join(placeOf(factory), `${name}${ending}`));
  try {
    const predicate = predicateType("user-enrolment");
    const expected = {
      artifact: "unbound",
      identity: attestId(trustDomain),
      issuer,
      predicateType: predicate,
    } as const;
    const verified = verifyBundle(bytes, trustRoot, expected);
    if (verified.kind !== "statement") throw damaged("it is no statement");
    const enrolment = readPredicate("user-enrolment", verified.statement.predicate);
    const spki = decodeBase64(enrolment.spki);
    if (
      enrolment.user !== name ||
      enrolment.publicKey !== sha256(spki) ||
      enrolment.identity !== userId(trustDomain, name)
    ) {
      throw damaged(`it is about ${enrolment.identity}`);
    }
    const { identity, roles, publicKey, event, createdAt } = enrolment;
    return { name, identity, roles, publicKey, spki, state: event, since: new Date(createdAt) };
  } catch (cause) {
    if (isFactoryError(cause) && cause.code === "USER_ENROLMENT_DAMAGED") throw cause;
    throw damaged(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function checkName(name: string): void {
  if (nameShape.test(name)) return;
  throw peopleErrors.make("USER_NAME_INVALID", `expected a user's name, found ${JSON.stringify(name.slice(0, 80))}`);
}

const placeOf = (factory: Factory): string => join(factory.home.paths.trust, "people");

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw cause;
  }
}
