import type { SourcePackage } from "@touchmark/formats/sbom";
import type { ControlParagraph } from "./paragraphs.ts";

/** An installed package as dpkg's records say. */
export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly source: SourcePackage;
  /** Groups of alternatives, each a package's name: what `Pre-Depends` and `Depends` ask for. */
  readonly dependencies: readonly (readonly string[])[];
  readonly provides: readonly string[];
  readonly maintainer?: string;
  readonly homepage?: string;
  readonly description?: string;
  /** `Built-Using` and `Static-Built-Using`: sources whose code is in it. */
  readonly builtUsing: readonly string[];
}

/** Which packages of a status file are on the disk; the third word of `Status` (dpkg(1), "Package states"). */
const present = new Set(["installed", "unpacked", "half-configured", "triggers-awaited", "triggers-pending"]);

/**
 * Reads a paragraph. Undefined for a package that is not there (removed, its configuration left); a text for one that
 * cannot be read.
 */
export function debianPackage(fields: ControlParagraph): DebianPackage | undefined | string {
  const status = fields.get("status");
  if (status !== undefined && !present.has(status.split(/\s+/)[2] ?? "")) return undefined;
  const name = fields.get("package") ?? "";
  const version = fields.get("version") ?? "";
  if (!/^[a-z0-9][a-z0-9+._-]{0,200}$/i.test(name)) return `expected the name of a package, found ${shown(name)}`;
  if (!/^[0-9A-Za-z.+:~-]{1,200}$/.test(version)) return `expected the version of ${name}, found ${shown(version)}`;
  const text = (field: string, member: string) => {
    const value = fields.get(field)?.split("\n", 1)[0]?.trim() ?? "";
    return value === "" ? {} : { [member]: value.slice(0, 1000) };
  };
  return {
    name,
    version,
    architecture: /^[a-z0-9-]{1,40}$/.exec(fields.get("architecture") ?? "")?.[0] ?? "",
    source: sourceOf(fields.get("source"), name, version),
    dependencies: [...relations(fields.get("pre-depends")), ...relations(fields.get("depends"))],
    provides: relations(fields.get("provides")).flat(),
    builtUsing: [fields.get("built-using"), fields.get("static-built-using")].flatMap(sources),
    ...text("maintainer", "maintainer"),
    ...text("homepage", "homepage"),
    ...text("description", "description"),
  };
}

/** `Source: NAME (VERSION)`: either part is the binary package's own when it is not written (Debian Policy 5.6.1). */
function sourceOf(written: string | undefined, name: string, version: string): SourcePackage {
  const parts = /^([a-zA-Z0-9][a-zA-Z0-9+._-]*)(?:\s*\(([0-9A-Za-z.+:~-]+)\))?$/.exec(written?.trim() ?? "");
  return { name: parts?.[1] ?? name, version: parts?.[2] ?? version };
}

/** `a (>= 1) | b:any, c [amd64]`: names alone. */
function relations(written: string | undefined): string[][] {
  if (written === undefined) return [];
  return written
    .split(",")
    .map((group) => group.split("|").flatMap((one) => /^\s*([a-zA-Z0-9][a-zA-Z0-9+._-]*)/.exec(one)?.[1] ?? []))
    .filter((group) => group.length > 0);
}

/** `a (= 1), b (= 2)` as `a@1`, `b@2`. */
function sources(written: string | undefined): string[] {
  if (written === undefined) return [];
  return written.split(",").flatMap((one) => {
    const parts = /^\s*([a-zA-Z0-9][a-zA-Z0-9+._-]*)\s*(?:\(\s*=\s*([^\s)]+)\s*\))?/.exec(one);
    return parts?.[1] === undefined ? [] : [parts[2] === undefined ? parts[1] : `${parts[1]}@${parts[2]}`];
  });
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
