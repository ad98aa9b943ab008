import { readlinkSync } from "node:fs";
import type { TreeEntry } from "@touchmark/core";
import type { ObservedFile, ObservedStep } from "./observation.ts";
import { fileName, toBytes } from "./trace-text.ts";

/** Where a path inside the sandbox comes from. */
export interface Location {
  readonly origin: ObservedFile["origin"];
  /** Path on the host, one character per byte; undefined for what exists inside only. */
  readonly host: string | undefined;
  /** Entries of an immutable tree by relative path, and the path within it. */
  readonly entries?: ReadonlyMap<string, TreeEntry>;
  readonly relative?: string;
}

interface Row {
  readonly at: string;
  /** Null: memory of the step's own. */
  readonly host: string | null;
  readonly origin: "input" | "toolchain" | "output";
  readonly entries: ReadonlyMap<string, TreeEntry> | undefined;
}

/** Maps paths inside the sandbox to the host's files, by the longest mount that holds them. */
export class MountMap {
  readonly #rows: readonly Row[];
  readonly #links = new Map<string, string | undefined>();

  constructor(step: Pick<ObservedStep, "mounts" | "output" | "view" | "inputDigests">) {
    const rows: Row[] = step.view.map((shown) =>
      typeof shown === "string"
        ? row(shown, shown, "toolchain", undefined)
        : row(shown.at, shown.host, "toolchain", undefined),
    );
    for (const mount of step.mounts)
      rows.push(row(mount.at, mount.host, "input", byPath(step.inputDigests?.get(mount.at))));
    rows.push(row(step.output.at, step.output.host, "output", undefined));
    // Of two rows at one place the later one covers the earlier; of two around one path, the longer one.
    this.#rows = rows.reverse().sort((a, b) => b.at.length - a.at.length);
  }

  locate(path: string): Location {
    for (const found of this.#rows) {
      if (
        path !== found.at &&
        !(path.startsWith(found.at) && (path.charCodeAt(found.at.length) === 47 || found.at === ""))
      )
        continue;
      if (found.host === null) return { origin: "private", host: undefined };
      const relative = path.slice(found.at.length + 1);
      return {
        origin: found.origin,
        host: relative === "" ? found.host : `${found.host}/${relative}`,
        ...(found.entries === undefined ? {} : { entries: found.entries, relative }),
      };
    }
    return { origin: "private", host: undefined };
  }

  /** Target of the symbolic link that lay at a path before the step. */
  linkBefore = (path: string): string | undefined => {
    if (this.#links.has(path)) return this.#links.get(path);
    const target = this.#readLink(path);
    this.#links.set(path, target);
    return target;
  };

  #readLink(path: string): string | undefined {
    const { origin, host } = this.locate(path);
    if (origin === "output") return undefined;
    // A merged /usr is shown as links at the top, which are in no mount: they are the host's.
    const real = host ?? (/^\/(?:bin|sbin|lib[0-9a-z]*)$/.test(path) ? path : undefined);
    if (real === undefined) return undefined;
    try {
      return readlinkSync(fileName(real), "buffer").toString("latin1");
    } catch {
      return undefined;
    }
  }
}

function row(at: string, host: string | null, origin: Row["origin"], entries: Row["entries"]): Row {
  const trimmed = (path: string) => toBytes(path).replace(/\/+$/, "");
  return { at: trimmed(at), host: host === null ? null : trimmed(host), origin, entries };
}

const indexed = new WeakMap<readonly TreeEntry[], ReadonlyMap<string, TreeEntry>>();

function byPath(entries: readonly TreeEntry[] | undefined): ReadonlyMap<string, TreeEntry> | undefined {
  if (entries === undefined) return undefined;
  let index = indexed.get(entries);
  if (index === undefined) {
    index = new Map(entries.map((entry) => [toBytes(entry.path), entry]));
    indexed.set(entries, index);
  }
  return index;
}
