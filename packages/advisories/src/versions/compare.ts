import { schemeOf } from "./schemes.ts";

/**
 * Compares two versions by the rules of an ecosystem of the OSV schema; any suffix of it counts for nothing. Negative
 * when `a` is older, 0 when both are the same to the ecosystem, positive when `a` is newer.
 * @throws VERSION_UNREADABLE | VERSION_ECOSYSTEM_UNKNOWN
 */
export function compareVersions(ecosystem: string, a: string, b: string): number {
  const scheme = schemeOf(ecosystem);
  return scheme.compare(scheme.read(a), scheme.read(b));
}
