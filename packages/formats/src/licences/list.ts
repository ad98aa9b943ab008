import list from "./list.json" with { type: "json" };

/** A licence or exception of the SPDX licence list. */
export interface ListedLicence {
  readonly id: string;
  readonly name: string;
  readonly deprecated: boolean;
  /** Approved by the Open Source Initiative. False for exceptions. */
  readonly osiApproved: boolean;
}

/** A row of `list.json`: identifier, name, flags (1: OSI approved, 2: deprecated). */
type Row = readonly [id: string, name: string, flags: number];

/** Where the list comes from, its version, and under which terms it may be passed on. */
export const licenceListFacts: Readonly<Record<"source" | "version" | "licence" | "attribution", string>> = {
  source: list.source,
  version: list.version,
  licence: list.licence,
  attribution: list.attribution,
};

let licences: ReadonlyMap<string, ListedLicence> | undefined;
let exceptions: ReadonlyMap<string, ListedLicence> | undefined;

/** By identifier in lower case. */
function indexed(rows: readonly Row[]): ReadonlyMap<string, ListedLicence> {
  return new Map(
    rows.map(([id, name, flags]) => [
      id.toLowerCase(),
      { id, name, deprecated: (flags & 2) !== 0, osiApproved: (flags & 1) !== 0 },
    ]),
  );
}

/** All licences of the list, by identifier in lower case. */
export function listedLicences(): ReadonlyMap<string, ListedLicence> {
  licences ??= indexed(list.licences as unknown as readonly Row[]);
  return licences;
}

/** All exceptions of the list, by identifier in lower case. */
export function listedExceptions(): ReadonlyMap<string, ListedLicence> {
  exceptions ??= indexed(list.exceptions as unknown as readonly Row[]);
  return exceptions;
}

/** The licence with this identifier, in any case (SPDX 2.3 annex D.2). Undefined when the list has none. */
export function findLicence(id: string): ListedLicence | undefined {
  return listedLicences().get(id.toLowerCase());
}

/** The exception with this identifier, in any case. */
export function findLicenceException(id: string): ListedLicence | undefined {
  return listedExceptions().get(id.toLowerCase());
}
