import { appendFileSync, closeSync, fstatSync, mkdirSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { canonicalJson, type Json, parseJson } from "@touchmark/core";
import { timeOf } from "../evidence/run-facts.ts";
import type { Factory } from "../factory.ts";

/** A break-glass permission let something pass that the policies deny. */
export interface BreakGlassUse {
  /** RFC 3339. */
  readonly at: string;
  /** Of the permission. */
  readonly id: string;
  readonly by: string;
  /** As it was asked, and what it stood for. */
  readonly reference: string;
  readonly digest: string;
  /** Empty where there are no namespaces. */
  readonly namespace: string;
  /** Who asked; empty where nobody knows. */
  readonly user: string;
}

/** What is known of uses. */
export interface KeptUses {
  /** Oldest first. */
  readonly uses: readonly BreakGlassUse[];
  /** Lines that say nothing of the kind. */
  readonly unreadable: number;
  /** True: there are older ones that were not read. */
  readonly isCut: boolean;
}

/** What is read of the file: its end. */
const MAX_BYTES = 4 * 1024 * 1024;

const members = ["at", "id", "by", "reference", "digest", "namespace", "user"] as const;

const pathOf = (factory: Factory): string => join(factory.home.paths.policy, "break-glass-uses.jsonl");

/** Appends a line: one write, which the kernel appends whole. */
export function keepBreakGlassUse(factory: Factory, use: Omit<BreakGlassUse, "at">): void {
  mkdirSync(factory.home.paths.policy, { recursive: true, mode: 0o700 });
  const line = canonicalJson({ at: timeOf(factory.clock.now()), ...use });
  appendFileSync(pathOf(factory), `${line}\n`, { mode: 0o600 });
}

/** Uses of permissions of this home, those that ended or expired as well. */
export function breakGlassUses(factory: Factory, mostBytes = MAX_BYTES): KeptUses {
  const { text, isCut } = endOf(pathOf(factory), mostBytes);
  const lines = text.split("\n").filter((line) => line !== "");
  // The first one of a part begins somewhere in its middle.
  const uses = (isCut ? lines.slice(1) : lines).map(useOf);
  const known = uses.filter((use) => use !== undefined);
  return { uses: known, unreadable: uses.length - known.length, isCut };
}

function endOf(path: string, mostBytes: number): { readonly text: string; readonly isCut: boolean } {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return { text: "", isCut: false };
    throw cause;
  }
  try {
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, mostBytes));
    const read = readSync(file, bytes, 0, bytes.length, size - bytes.length);
    return { text: bytes.toString("utf8", 0, read), isCut: size > mostBytes };
  } finally {
    closeSync(file);
  }
}

function useOf(line: string): BreakGlassUse | undefined {
  let value: Json;
  try {
    value = parseJson(Buffer.from(line), { maxDepth: 2 });
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const found = value as { readonly [name: string]: Json };
  const isWhole = members.every((name) => typeof found[name] === "string");
  return isWhole ? (found as unknown as BreakGlassUse) : undefined;
}
