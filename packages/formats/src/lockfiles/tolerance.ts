import { type FactoryError, isFactoryError } from "@touchmark/core";
import { npmPackageUrl, pypiPackageUrl } from "../package-url-ecosystems.ts";
import { packageUrlErrors } from "../package-url-errors.ts";
import { webAddress } from "./addresses.ts";
import { integrityDigests } from "./digests.ts";
import { lockfileErrors } from "./errors.ts";
import type { AnnouncedDigest, LockedFrom, LockedPackage } from "./locked.ts";
import { checkName } from "./names.ts";
import type { LockfileOptions } from "./options.ts";
import type { Members } from "./shape.ts";

/**
 * Reads one piece of a lockfile. Where the caller tolerates losses (an SBOM, never the door), a refusal is told to it,
 * and `otherwise` answers in its place. What breaks the bounds is refused whole, always.
 */
export function orElse<T>({ tolerate }: LockfileOptions, read: () => T, otherwise: () => T): T {
  if (tolerate === undefined) return read();
  try {
    return read();
  } catch (cause) {
    if (!isFactoryError(cause) || cause.code === "LOCKFILE_TOO_LARGE") throw cause;
    tolerate(asRefusal(cause));
    return otherwise();
  }
}

/** Throws a refusal, or tells it to the caller who goes on without what it asks for. */
export function refuse({ tolerate }: LockfileOptions, refusal: FactoryError): void {
  if (tolerate === undefined) throw refusal;
  tolerate(refusal);
}

/** What a package URL cannot hold is a wrong name here; other errors are themselves. */
export function asRefusal(cause: FactoryError): FactoryError {
  if (!Object.hasOwn(packageUrlErrors.rows, cause.code)) return cause;
  return lockfileErrors.make("LOCKFILE_NAME", `expected a name that a package URL can hold: ${cause.message}`, {
    cause,
  });
}

type Described = Pick<LockedPackage, "name" | "version" | "purl" | "alias" | "from" | "digests">;

/** What an entry of npm, pnpm or yarn says, member by member. */
export interface StatedPackage {
  readonly ecosystem: "npm" | "pypi";
  readonly name: string;
  readonly version?: unknown;
  /** Name in the project, where it is another. */
  readonly alias?: string | undefined;
  readonly address?: unknown;
  readonly integrity?: unknown;
}

/**
 * A package of which a member is wrong: its name and version, and of the others those that can be read.
 * Undefined when its name is none of the ecosystem.
 */
export function describeLoosely(stated: StatedPackage): Described | undefined {
  const { ecosystem, name, alias, address, integrity } = stated;
  const version = stated.version === undefined ? "" : printable(stated.version);
  if (version === undefined || attempt(() => checkName(ecosystem, name, "")) === undefined) return undefined;
  const url = typeof address === "string" ? attempt(() => webAddress(address, "").url) : undefined;
  const from: LockedFrom = { kind: "registry", ...(url !== undefined && { url }) };
  const purlOf = ecosystem === "npm" ? npmPackageUrl : pypiPackageUrl;
  const purl = attempt(() => purlOf(name, version === "" ? undefined : version));
  const digests: readonly AnnouncedDigest[] =
    (typeof integrity === "string" ? attempt(() => integrityDigests(integrity, "")) : undefined) ?? [];
  return {
    name,
    version,
    ...(purl !== undefined && { purl }),
    ...(alias !== undefined && alias !== name && { alias }),
    from,
    digests,
  };
}

/** Text that is short and harmless enough to be shown. */
function printable(value: unknown): string | undefined {
  const isHarmless = typeof value === "string" && value.length <= 255 && /^[\x21-\x7e]*$/.test(value);
  return isHarmless ? value : undefined;
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (cause) {
    if (!isFactoryError(cause)) throw cause;
    return undefined;
  }
}

/** A mapping, empty where something else stands. */
export function looseMembers(value: unknown): Members {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Members) : {};
}
