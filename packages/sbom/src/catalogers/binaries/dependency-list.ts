import { inflateSync } from "node:zlib";
import { type Json, parseJson } from "@touchmark/core";
import { binaryErrors } from "./errors.ts";
import type { Program } from "./programs.ts";

/** A crate that a Rust program was built of (cargo-auditable's format, PARSING.md). */
export interface AuditableCrate {
  readonly name: string;
  readonly version: string;
  /** `crates.io`, `git`, `local`, `registry`, or another word. */
  readonly source: string;
  /** Needed by build scripts only. */
  readonly build: boolean;
  /** Places in the list. */
  readonly dependencies: readonly number[];
  readonly root: boolean;
}

const sectionName = ".dep-v0";
const largestSection = 8 * 1024 * 1024;
const largestList = 64 * 1024 * 1024;
const mostCrates = 100_000;
const longestWord = 1024;

/**
 * The crates that cargo-auditable wrote into a program, undefined where it wrote none.
 * @throws SBOM_BINARY_DEPENDENCY_LIST_MALFORMED
 */
export function readDependencyList({ source, executable }: Program): readonly AuditableCrate[] | undefined {
  const section = executable.sections?.find(({ name, size }) => name === sectionName && size > 0);
  if (section === undefined) return undefined;
  if (section.size > largestSection) throw malformed(`expected at most ${largestSection} bytes, found ${section.size}`);
  let json: Json;
  try {
    const text = inflateSync(source.read(section.offset, section.size), { maxOutputLength: largestList });
    json = parseJson(text, { maxBytes: largestList, maxDepth: 16 });
  } catch (cause) {
    throw binaryErrors.make("SBOM_BINARY_DEPENDENCY_LIST_MALFORMED", "expected JSON, deflated", { cause });
  }
  const packages = isObject(json) ? json["packages"] : undefined;
  if (!Array.isArray(packages) || packages.length > mostCrates) {
    throw malformed(`expected a list of at most ${mostCrates} packages`);
  }
  return packages.map((value: Json, index) => crateOf(value, index, packages.length));
}

function crateOf(value: Json, index: number, count: number): AuditableCrate {
  if (!isObject(value)) throw malformed(`package ${index}: expected an object`);
  const word = (name: string) => {
    const text = value[name];
    if (typeof text !== "string" || text === "" || text.length > longestWord) {
      throw malformed(`package ${index}: expected ${name} as text`);
    }
    return text;
  };
  const dependencies = value["dependencies"] ?? [];
  if (!Array.isArray(dependencies) || dependencies.length > count || !dependencies.every(isPlace)) {
    throw malformed(`package ${index}: expected dependencies as places in the list`);
  }
  return {
    name: word("name"),
    version: word("version"),
    source: word("source"),
    build: value["kind"] === "build",
    dependencies,
    root: value["root"] === true,
  };

  function isPlace(place: Json): place is number {
    return typeof place === "number" && Number.isInteger(place) && place >= 0 && place < count;
  }
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function malformed(message: string) {
  return binaryErrors.make("SBOM_BINARY_DEPENDENCY_LIST_MALFORMED", message);
}
