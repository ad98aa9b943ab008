import { type Digest, sha256 } from "@touchmark/core";
import type { LayerHeader } from "../unpack/layer-entry.ts";
import { type Cause, sortedCauses } from "./cause.ts";
import type { ContentDifference } from "./content.ts";

/** What is known of a file of an archive, by field. */
export type FileFacts = Readonly<Record<string, string | number | undefined>>;

/** One field in which two files differ. */
export interface FieldDifference {
  readonly field: string;
  readonly a: string | number | undefined;
  readonly b: string | number | undefined;
}

/** A file that is in one archive alone, or differs. */
export interface FileDifference {
  readonly path: string;
  readonly change: "added" | "removed" | "changed";
  readonly fields: readonly FieldDifference[];
  readonly causes: readonly Cause[];
  /** What differs inside, where both contents could be looked at. */
  readonly content?: ContentDifference;
}

/** Facts of an entry of a layer; the digest is of its content. */
export function factsOf(header: LayerHeader, digest: Digest | undefined): FileFacts {
  const { kind, mode, uid, gid, userName, groupName, mtime, size, target, xattrs, whiteout } = header;
  const named = userName === "" && groupName === "" ? undefined : `${userName}:${groupName}`;
  // One shape for all, since there may be a million of them.
  return {
    kind: whiteout === undefined ? kind : `${whiteout.kind} whiteout`,
    mode: (mode & 0o7777).toString(8).padStart(4, "0"),
    owner: uid === 0 && gid === 0 ? "0:0" : `${uid}:${gid}`,
    "owner names": named,
    time: mtime,
    size: kind === "file" ? size : undefined,
    content: digest,
    target,
    attributes: xattrs.size === 0 ? undefined : attributesOf(xattrs),
  };
}

function attributesOf(xattrs: LayerHeader["xattrs"]): string {
  const sorted = [...xattrs].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([name, value]) => `${name}=${sha256(value)}`).join(" ");
}

const causes: Readonly<Record<string, Cause>> = {
  mode: "mode",
  owner: "owner",
  "owner names": "owner",
  time: "timestamp",
};

/** How one file differs from another; undefined: in nothing. The cause of other content is left to who can look at it. */
export function fileDifference(
  path: string,
  a: FileFacts | undefined,
  b: FileFacts | undefined,
): FileDifference | undefined {
  if (a === undefined || b === undefined) {
    const fields = (["kind", "size"] as const).map((field) => ({ field, a: a?.[field], b: b?.[field] }));
    const change = a === undefined ? "added" : "removed";
    return { path, change, fields: fields.filter((one) => one.a !== one.b), causes: ["content"] };
  }
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  const fields = names.filter((field) => a[field] !== b[field]).map((field) => ({ field, a: a[field], b: b[field] }));
  if (fields.length === 0) return undefined;
  return {
    path,
    change: "changed",
    fields,
    causes: sortedCauses(fields.map(({ field }) => causes[field] ?? "content")),
  };
}

/** The difference, with what a look at both contents found. */
export function explained(difference: FileDifference, content: ContentDifference): FileDifference {
  const others = difference.fields.flatMap(({ field }) =>
    field === "content" || field === "size" ? [] : [causes[field] ?? "content"],
  );
  return { ...difference, causes: sortedCauses([...others, ...content.causes]), content };
}
