import { canonicalJson, type Json } from "@touchmark/core";
import { type Cause, textCauses } from "./cause.ts";

/** One member of a document that differs. Undefined: it is not there. */
export interface MemberDifference {
  /** Names and positions, joined by dots. */
  readonly path: string;
  readonly a: Json | undefined;
  readonly b: Json | undefined;
  readonly causes: readonly Cause[];
}

/** Members in which two JSON values differ, depth first, at most `limit`. */
export function memberDifferences(a: Json | undefined, b: Json | undefined, limit = 200): MemberDifference[] {
  const found: MemberDifference[] = [];
  walk("", a, b, found, limit);
  return found;
}

function walk(path: string, a: Json | undefined, b: Json | undefined, found: MemberDifference[], limit: number): void {
  if (found.length >= limit) return;
  if (isObject(a) && isObject(b)) {
    for (const name of [...new Set([...Object.keys(a), ...Object.keys(b)])].sort()) {
      walk(joined(path, name), own(a, name), own(b, name), found, limit);
    }
  } else if (Array.isArray(a) && Array.isArray(b) && !isReordered(a, b)) {
    for (let i = 0; i < Math.max(a.length, b.length); i++) walk(joined(path, String(i)), a[i], b[i], found, limit);
  } else if (text(a) !== text(b)) {
    const isOrder = Array.isArray(a) && Array.isArray(b);
    const causes = isOrder
      ? (["order"] as const)
      : a === undefined || b === undefined
        ? (["content"] as const)
        : textCauses(text(a), text(b));
    found.push({ path, a, b, causes });
  }
}

function isReordered(a: readonly Json[], b: readonly Json[]): boolean {
  if (a.length !== b.length || text(a) === text(b)) return false;
  return a.map(canonicalJson).sort().join() === b.map(canonicalJson).sort().join();
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function own(value: { readonly [key: string]: Json }, name: string): Json | undefined {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

function joined(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

function text(value: Json | undefined): string {
  return value === undefined ? "" : typeof value === "string" ? value : canonicalJson(value);
}
