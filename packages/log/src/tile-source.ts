import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { logErrors } from "./errors.ts";

/** Where a log is read from: a directory, an address, or anything that gives bytes for a path. */
export interface TileSource {
  /** Bytes at `checkpoint` or the path of a tile, or undefined when there is nothing. */
  read(path: string): Promise<Uint8Array | undefined>;
}

/** A log in a directory. */
export function directorySource(directory: string): TileSource {
  return {
    async read(path) {
      try {
        return await readFile(join(directory, path));
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === "ENOENT" || code === "ENOTDIR") return undefined;
        throw error;
      }
    },
  };
}

/** Longest answer that a log may give, in bytes: a full bundle of the longest entries. */
const maximumBytes = 256 * (65_535 + 2);

/** A log at an address, as C2SP tlog-tiles serves it. @throws LOG_UNREACHABLE on reading */
export function httpSource(prefix: string, options: { readonly timeoutMs?: number } = {}): TileSource {
  const base = prefix.endsWith("/") ? prefix : `${prefix}/`;
  return {
    async read(path) {
      try {
        const signal = AbortSignal.timeout(options.timeoutMs ?? 30_000);
        const response = await fetch(new URL(path, base), { signal, redirect: "error" });
        if (response.status === 404 || response.status === 410) return undefined;
        if (!response.ok) throw new Error(`status ${response.status}`);
        const parts: Uint8Array[] = [];
        let length = 0;
        for await (const part of response.body ?? []) {
          length += part.length;
          if (length > maximumBytes) throw new Error(`more than ${maximumBytes} bytes`);
          parts.push(part);
        }
        return Buffer.concat(parts);
      } catch (cause) {
        throw logErrors.make("LOG_UNREACHABLE", `expected ${path} from ${prefix}, found ${String(cause)}`, { cause });
      }
    },
  };
}
