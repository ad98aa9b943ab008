import { canonicalJson, isFactoryError, type Json, parseJson } from "@touchmark/core";
import type { Component } from "@touchmark/formats/sbom";
import type { DocumentReport } from "./problems.ts";
import {
  componentFieldNames,
  componentFields,
  frameFieldNames,
  frameFields,
  mayBeAbsent,
  type SbomFrame,
} from "./record.ts";

/** Names of properties and annotations that hold what a format has no member for begin so. */
export const residuePrefix = "touchmark:sbom:";

/**
 * What a format cannot hold of a component or of an SBOM's frame: by member, canonical JSON; `null` for a member that is
 * absent though reading the format's own members would give one.
 */
export type Residue = ReadonlyMap<string, string>;

/** A way to write a component's own members in a format, and to read them again. */
export interface NativeForm<Written> {
  write(component: Component): Written;
  read(written: Written): Component;
}

/** What `written` does not tell of `component`. */
export function componentResidue(component: Component, read: Component): Residue {
  return difference(componentFieldNames, component, read);
}

/** The same of everything beside components and edges. */
export function frameResidue(frame: SbomFrame, read: SbomFrame): Residue {
  const residue = difference(frameFieldNames, frame, read);
  // Said even when it is absent: whoever reads it need not look for an operating system among the components.
  return frame.distribution === undefined ? new Map([...residue, ["distribution", "null"]]) : residue;
}

/** Lists what a residue tells: what the format has no place for, and what it has a place for in part. */
export function reportResidue(
  residue: Residue,
  read: Component | SbomFrame,
  words: { readonly of: "a component" | "the document"; readonly by: string },
  report: DocumentReport,
): void {
  const natives = new Map<string, unknown>(Object.entries(read));
  for (const [name, written] of residue) {
    if (written === "null" && !natives.has(name)) continue;
    const native = natives.get(name);
    const isEmpty = native === undefined || native === "" || (Array.isArray(native) && native.length === 0);
    report.loss(`${name} of ${words.of}: told ${isEmpty ? "" : "in full "}by ${words.by} only`);
  }
}

/**
 * Lays what properties say over what the format's own members say. Nobody may say by properties what the format's
 * members deny: when the component that results, written in this format, does not give the members that stand there,
 * the properties are ignored and named.
 */
export function overlayComponent<Written>(
  native: Component,
  residue: Residue,
  form: NativeForm<Written>,
  where: string,
  report: DocumentReport,
): Component {
  if (residue.size === 0) return native;
  const whole = overlay(componentFields, native, residue, where, report);
  if (whole === undefined) return native;
  const again = form.read(form.write(whole));
  const denied = componentFieldNames.filter((name) => canonicalMember(again[name]) !== canonicalMember(native[name]));
  if (denied.length === 0) return whole;
  report.problem(
    "SBOM_DOCUMENT_CONTRADICTION",
    where,
    `properties named ${residuePrefix}* say something else than the component's own ${denied.join(", ")}; they are ignored`,
  );
  return native;
}

/**
 * Lays what properties say of the SBOM over what the format's own members say. A subject of another digest than its own
 * component has is no subject of this document.
 */
export function overlayFrame(native: SbomFrame, residue: Residue, where: string, report: DocumentReport): SbomFrame {
  if (residue.size === 0) return native;
  const whole = overlay(frameFields, native, residue, where, report) ?? native;
  const { digest } = native.subject;
  if (digest === undefined || whole.subject.digest === undefined || whole.subject.digest === digest) return whole;
  report.problem(
    "SBOM_DOCUMENT_CONTRADICTION",
    where,
    `properties name ${whole.subject.digest} as the subject, its component has the digest ${digest}; the component's counts`,
  );
  return { ...whole, subject: native.subject };
}

/** Text of a member as it stands in a residue. */
export function canonicalMember(value: unknown): string {
  return value === undefined ? "null" : typeof value === "string" ? JSON.stringify(value) : canonicalJson(value);
}

/** A residue as the comment of one annotation: its mark, and an object of JSON. */
export function annotationOf(residue: Residue): string {
  const members = [...residue].map(([name, value]) => `${JSON.stringify(name)}:${value}`);
  return `${residuePrefix}{${members.join(",")}}`;
}

/** What such comments tell; others, and those that are no JSON, tell nothing. */
export function residueOfAnnotations(comments: readonly string[]): Residue {
  const residue = new Map<string, string>();
  for (const comment of comments) {
    if (!comment.startsWith(`${residuePrefix}{`)) continue;
    for (const [name, value] of Object.entries(annotated(comment.slice(residuePrefix.length)))) {
      residue.set(name, canonicalJson(value));
    }
  }
  return residue;
}

function annotated(text: string): { readonly [name: string]: Json } {
  try {
    return parseJson(text) as { readonly [name: string]: Json };
  } catch (error) {
    if (!isFactoryError(error)) throw error;
    return {};
  }
}

function difference<Whole extends object>(
  names: readonly (keyof Whole & string)[],
  whole: Whole,
  read: Whole,
): Residue {
  const residue = new Map<string, string>();
  for (const name of names) {
    const value = whole[name];
    if (value === read[name]) continue;
    const written = canonicalMember(value);
    if (written !== canonicalMember(read[name])) residue.set(name, written);
  }
  return residue;
}

function overlay<Whole extends object>(
  fields: Readonly<Record<string, (value: unknown, where: string) => unknown>>,
  native: Whole,
  residue: Residue,
  where: string,
  report: DocumentReport,
): Whole | undefined {
  const whole = { ...native } as Record<string, unknown>;
  try {
    for (const [name, written] of residue) {
      const read = Object.hasOwn(fields, name) ? fields[name] : undefined;
      if (read === undefined) continue;
      const value: Json = parseJson(written);
      if (value === null && mayBeAbsent(name)) delete whole[name];
      else whole[name] = read(value, name);
    }
  } catch (error) {
    if (!isFactoryError(error)) throw error;
    report.problem("SBOM_DOCUMENT_VALUE_INVALID", where, `properties named ${residuePrefix}*: ${error.message}`);
    return undefined;
  }
  return whole as Whole;
}
