import { lstatSync, readlinkSync, type Stats } from "node:fs";
import { posix } from "node:path";
import type { StepJob } from "./job.ts";
import { jobMounts, type RootView, temporaryPlaces } from "./root-view.ts";

/**
 * What lies at a path of the step's, links followed: a file of the host by its place inside; nothing; a directory that
 * only leads to mounts; memory of the step's own, still empty; or the kernel's tables, where a link leads anywhere.
 */
export type Found =
  | { readonly at: string; readonly host: string }
  | "nothing"
  | { readonly place: string }
  | "memory"
  | "kernel";

/** Follows paths as the step's first program will: links lead within what is shown, never to the host. */
export class StepPaths {
  readonly #rows: readonly { readonly at: string; readonly host: string | null; readonly kernel?: boolean }[];

  constructor(job: StepJob, view: RootView) {
    const shown = view.rows.flatMap(({ at, kind, source }) =>
      source === null || kind === "link" || kind === "image" ? [] : [{ at, host: source }],
    );
    this.#rows = [
      ...jobMounts(job),
      ...shown,
      ...temporaryPlaces.filter((at) => at !== "/dev").map((at) => ({ at, host: null })),
      { at: "/run", host: null },
      ...["/proc", "/sys", "/dev"].map((at) => ({ at, host: null, kernel: true })),
      ...(view.image === null ? [] : [{ at: "", host: view.image }]),
    ].sort((a, b) => b.at.length - a.at.length);
  }

  find(path: string): Found {
    let rest = path.split("/").filter((step) => step !== "");
    let at = "";
    let hops = 0;
    while (rest.length > 0) {
      const [step = "", ...more] = rest;
      rest = more;
      if (step === "." || step === "..") {
        if (step === "..") at = posix.dirname(at).replace(/^[/.]$/, "");
        continue;
      }
      const found = this.#look(`${at}/${step}`);
      if (found === "memory" || found === "kernel") return found;
      const entry = typeof found === "object" && "host" in found ? entryAt(found.host) : null;
      if (entry === undefined) return "nothing";
      if (entry === null || !entry.isSymbolicLink()) {
        at = `${at}/${step}`;
        continue;
      }
      hops += 1;
      if (hops > 40 || typeof found !== "object" || !("host" in found)) return "nothing";
      const target = readlinkSync(found.host);
      if (target.startsWith("/")) at = "";
      rest = [...target.split("/").filter((part) => part !== ""), ...rest];
    }
    return this.#look(at);
  }

  #look(path: string): Found {
    // The way to a mount is a directory: links and files there were refused.
    if (path === "" || this.#rows.some(({ at }) => at.startsWith(`${path}/`))) {
      const own = this.#rows.find(({ at }) => at === path && path !== "");
      return own === undefined || own.host === null ? { place: path || "/" } : { at: path, host: own.host };
    }
    const row = this.#rows.find(({ at }) => path === at || path.startsWith(`${at}/`));
    if (row === undefined) return { place: path };
    if (row.host === null) return row.kernel === true ? "kernel" : "memory";
    return { at: path, host: row.host + path.slice(row.at.length) };
  }
}

/** Null where we may not look: the step may not walk there either. */
function entryAt(host: string): Stats | null | undefined {
  try {
    return lstatSync(host, { throwIfNoEntry: false });
  } catch {
    return null;
  }
}
