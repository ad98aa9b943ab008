import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readKeyring } from "@touchmark/formats/openpgp";
import { isAbsent } from "@touchmark/store";
import type { EvidenceTrust, SourceKeyring } from "./trust.ts";
import { noRules } from "./trust-rules.ts";

/** Where apt of this host keeps its sources. */
const SOURCES = "/etc/apt";

/** A source of apt: its addresses, and the keyrings that speak for them. */
interface AptSource {
  readonly addresses: readonly string[];
  readonly keyrings: readonly string[];
}

/**
 * Keyrings that the sources of apt on this host name (`Signed-By`). Only absolute paths of files that are there count;
 * fingerprints and keys within the sources are left to apt.
 */
export function hostDebianKeyrings(directory: string = SOURCES): string[] {
  return [...new Set(aptSources(directory).flatMap(({ keyrings }) => keyrings))];
}

/**
 * The trust, with what apt of this host trusts where the user names no keyring for Debian. Each keyring speaks for the
 * addresses of its own source alone: a vendor's key vouches for no other archive.
 */
export function withHostDebian(trust: EvidenceTrust, directory: string = SOURCES): EvidenceTrust {
  const sources = aptSources(directory).flatMap(({ addresses, keyrings }): SourceKeyring[] => {
    const keyring = keyrings.length === 0 ? undefined : readKeyring(...keyrings.map((path) => readFileSync(path)));
    return keyring === undefined ? [] : addresses.map((address) => ({ address, keyring }));
  });
  if (trust["debian-chain"] !== undefined || sources.length === 0) return trust;
  const host = { roots: [], registryKeys: [], databases: [], keyring: undefined, rules: noRules, sources };
  return { ...trust, "debian-chain": host };
}

function aptSources(directory: string): AptSource[] {
  const files = [
    join(directory, "sources.list"),
    ...listed(join(directory, "sources.list.d")).map((name) => join(directory, "sources.list.d", name)),
  ];
  return files.flatMap((path) => {
    const text = readText(path).replace(/^\s*#.*\n?/gm, "");
    if (path.endsWith(".list")) return text.split("\n").flatMap(oneLineSource);
    return path.endsWith(".sources") ? text.split(/\n\s*\n/).map(stanzaSource) : [];
  });
}

/** `deb [signed-by=/path] ADDRESS SUITE COMPONENT...`. */
function oneLineSource(line: string): AptSource[] {
  const [, options, address] = /^deb\s+\[([^\]]*)\]\s+(\S+)/.exec(line) ?? [];
  const named = /\bsigned-by=(\S+)/.exec(options ?? "")?.[1];
  return address === undefined || named === undefined
    ? []
    : [{ addresses: addressesOf(address), keyrings: keyringsOf(named) }];
}

/** A stanza of fields, one a line (sources.list(5), "DEB822-STYLE FORMAT"). */
function stanzaSource(stanza: string): AptSource {
  const field = (name: string): string =>
    new RegExp(`^${name}:[ \\t]*(.*(?:\\n[ \\t].*)*)`, "im").exec(stanza)?.[1] ?? "";
  return { addresses: addressesOf(field("URIs")), keyrings: keyringsOf(field("Signed-By")) };
}

function addressesOf(text: string): string[] {
  const words = text.split(/\s+/).filter((word) => /^https?:/.test(word) && URL.canParse(word));
  return words.map((word) => new URL(word).href.replace(/\/*$/, "/"));
}

/** A source whose keyring is gone is one that apt cannot use either; it takes no trust from the others. */
function keyringsOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((path) => path.startsWith("/") && existsSync(path));
}

function listed(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8").slice(0, 1 << 20);
  } catch (error) {
    if (isAbsent(error)) return "";
    throw error;
  }
}
