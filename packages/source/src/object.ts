import { createHash } from "node:crypto";
import { sourceErrors } from "./errors.ts";

/** The digest by which a repository names its objects. */
export type ObjectFormat = "sha1" | "sha256";

export type ObjectType = "commit" | "tree" | "blob" | "tag";

/** Bytes of a raw object id. */
export const idBytes: Readonly<Record<ObjectFormat, number>> = { sha1: 20, sha256: 32 };

/** True for a full object id of the format. */
export function isObjectId(text: string, format: ObjectFormat): boolean {
  return text.length === idBytes[format] * 2 && /^[0-9a-f]+$/.test(text);
}

/** Begins the computation of an object's id. */
export function objectHash(format: ObjectFormat, type: ObjectType, size: number) {
  return createHash(format).update(`${type} ${size}\0`);
}

/** One entry of a tree object. */
export interface GitTreeEntry {
  readonly mode: number;
  readonly name: string;
  readonly id: string;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads a tree object strictly: canonical modes, git's order, no name twice, nothing cut off.
 *
 * @throws SOURCE_TREE_MALFORMED, SOURCE_MODE_REFUSED, SOURCE_PATH_ENCODING
 */
export function parseTree(bytes: Buffer, format: ObjectFormat, where: string): GitTreeEntry[] {
  const malformed = (why: string) =>
    sourceErrors.make("SOURCE_TREE_MALFORMED", `the tree ${JSON.stringify(where)} is malformed: ${why}`);
  const length = idBytes[format];
  const entries: GitTreeEntry[] = [];
  let previous: Buffer | undefined;
  const names = new Set<string>();
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const end = space === -1 ? -1 : bytes.indexOf(0, space);
    if (space === -1 || end === -1 || space - at > 6 || end + 1 + length > bytes.length)
      throw malformed("it is cut off");
    const modeText = bytes.toString("latin1", at, space);
    const mode = modes[modeText];
    if (mode === undefined) {
      throw sourceErrors.make(
        "SOURCE_MODE_REFUSED",
        `expected mode 100644, 100755, 120000, 40000 or 160000 in ${JSON.stringify(where)}, found ${JSON.stringify(modeText)}`,
      );
    }
    let name: string;
    try {
      name = utf8.decode(bytes.subarray(space + 1, end));
    } catch (cause) {
      throw sourceErrors.make("SOURCE_PATH_ENCODING", `expected names in UTF-8 in ${JSON.stringify(where)}`, { cause });
    }
    // git sorts as if the names of directories ended in a slash.
    const key =
      mode === treeMode ? Buffer.concat([bytes.subarray(space + 1, end), slash]) : bytes.subarray(space + 1, end);
    if (previous !== undefined && Buffer.compare(previous, key) >= 0)
      throw malformed(`${JSON.stringify(name)} is out of order`);
    if (names.has(name)) throw malformed(`${JSON.stringify(name)} stands twice`);
    names.add(name);
    previous = key;
    entries.push({ mode, name, id: bytes.toString("hex", end + 1, end + 1 + length) });
    at = end + 1 + length;
  }
  return entries;
}

const slash = Buffer.from("/");

export const fileMode = 0o100644;
export const executableMode = 0o100755;
export const linkMode = 0o120000;
export const treeMode = 0o40000;
export const submoduleMode = 0o160000;

const modes: Readonly<Record<string, number>> = {
  "100644": fileMode,
  "100755": executableMode,
  "120000": linkMode,
  "40000": treeMode,
  "160000": submoduleMode,
};

/** Who, and when, as a commit says. Nobody has checked it. */
export interface CommitPerson {
  readonly name: string;
  readonly email: string;
  readonly at: Date;
}

/** A commit object's claims. */
export interface GitCommit {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: CommitPerson;
  readonly committer: CommitPerson;
  /** The signature block and the bytes that it signs; absent when the commit has none. */
  readonly signature?: { readonly block: string; readonly payload: Buffer };
  readonly message: string;
}

/** Reads a commit object strictly. @throws SOURCE_COMMIT_MALFORMED */
export function parseCommit(bytes: Buffer, format: ObjectFormat): GitCommit {
  const malformed = (why: string) => sourceErrors.make("SOURCE_COMMIT_MALFORMED", `the commit is malformed: ${why}`);
  const split = bytes.indexOf("\n\n");
  const head = split === -1 ? bytes : bytes.subarray(0, split + 1);
  if (head.includes(0)) throw malformed("its header holds a NUL");
  const lines: { name: string; value: string; start: number; end: number }[] = [];
  let at = 0;
  while (at < head.length) {
    const newline = head.indexOf(0x0a, at);
    const end = newline === -1 ? head.length : newline;
    const last = lines.at(-1);
    if (head[at] === 0x20 && last !== undefined) {
      last.value += `\n${head.toString("utf8", at + 1, end)}`;
      last.end = end + 1;
    } else {
      const space = head.indexOf(0x20, at);
      if (space === -1 || space >= end || space === at) throw malformed("a header line has no name");
      lines.push({
        name: head.toString("latin1", at, space),
        value: head.toString("utf8", space + 1, end),
        start: at,
        end: end + 1,
      });
    }
    at = end + 1;
  }
  let next = 0;
  const take = (name: string): string => {
    const line = lines[next++];
    if (line?.name !== name) throw malformed(`expected the header ${name}, found ${line?.name.slice(0, 40) ?? "none"}`);
    return line.value;
  };
  const id = (text: string) => {
    if (!isObjectId(text, format)) throw malformed("an object id is malformed");
    return text;
  };
  const tree = id(take("tree"));
  const parents: string[] = [];
  while (lines[next]?.name === "parent") parents.push(id(take("parent")));
  const author = person(take("author"), malformed);
  const committer = person(take("committer"), malformed);
  const rest = lines.slice(next);
  for (const single of ["tree", "parent", "author", "committer"]) {
    if (rest.some((line) => line.name === single)) throw malformed(`the header ${single} stands again`);
  }
  const own = format === "sha1" ? "gpgsig" : "gpgsig-sha256";
  const signatures = rest.filter((line) => line.name === own);
  const [signature] = signatures;
  if (signatures.length > 1) throw malformed("it has two signatures of one kind");
  // What is signed is the object without any signature header, of either digest.
  const cuts = rest.filter((line) => line.name === "gpgsig" || line.name === "gpgsig-sha256");
  const pieces: Buffer[] = [];
  let from = 0;
  for (const cut of cuts) {
    pieces.push(bytes.subarray(from, cut.start));
    from = cut.end;
  }
  pieces.push(bytes.subarray(from));
  return {
    tree,
    parents,
    author,
    committer,
    ...(signature === undefined ? {} : { signature: { block: signature.value, payload: Buffer.concat(pieces) } }),
    message: split === -1 ? "" : bytes.toString("utf8", split + 2, bytes.length),
  };
}

function person(text: string, malformed: (why: string) => Error): CommitPerson {
  const match = /^([^<>\n]*?) ?<([^<>\n]*)> ([0-9]{1,12}) [-+][0-9]{4,}$/.exec(text);
  const at = Number(match?.[3]);
  if (!match || at > 253402300799) throw malformed("an author or committer line is malformed");
  return { name: match[1] ?? "", email: match[2] ?? "", at: new Date(at * 1000) };
}

/** The object that an annotated tag names. @throws SOURCE_COMMIT_MALFORMED */
export function parseTag(bytes: Buffer, format: ObjectFormat): { readonly object: string; readonly type: string } {
  const match = /^object ([0-9a-f]+)\ntype ([a-z]+)\ntag /.exec(bytes.subarray(0, 256).toString("latin1"));
  if (!match?.[1] || !match[2] || !isObjectId(match[1], format)) {
    throw sourceErrors.make("SOURCE_COMMIT_MALFORMED", "the tag object is malformed");
  }
  return { object: match[1], type: match[2] };
}
