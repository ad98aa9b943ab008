import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isAbsent } from "@touchmark/store";
import { upstreamErrors } from "./errors.ts";

/** The newest that was seen of something that only ever grows: a log's tree head, a suite's Release. */
export interface SeenState {
  read(name: string): string | undefined;
  write(name: string, text: string): void;
}

const maxBytes = 64 * 1024;

/** State in a directory of the home, a file by name. A file is replaced whole; one that cannot be read refuses. */
export function seenStateIn(directory: string): SeenState {
  // Names hold addresses; their hash is a file name everywhere, and the first line says whose it is.
  const file = (name: string): string => join(directory, `${createHash("sha256").update(name).digest("hex")}.seen`);
  return {
    read(name) {
      let text: string;
      try {
        text = readFileSync(file(name), "utf8");
      } catch (cause) {
        if (isAbsent(cause)) return undefined;
        throw upstreamErrors.make("UPSTREAM_STATE_DAMAGED", `what was seen of ${name} cannot be read`, { cause });
      }
      const head = `${name}\n`;
      if (text.length > maxBytes || !text.startsWith(head)) {
        throw upstreamErrors.make("UPSTREAM_STATE_DAMAGED", `expected what was seen of ${name}, found something else`);
      }
      return text.slice(head.length);
    },
    write(name, text) {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      const aside = join(directory, `.${randomBytes(8).toString("hex")}`);
      writeFileSync(aside, `${name}\n${text}`, { flag: "wx", mode: 0o600, flush: true });
      renameSync(aside, file(name));
    },
  };
}

/** State that lasts as long as the process. */
export function seenInMemory(): SeenState {
  const seen = new Map<string, string>();
  return { read: (name) => seen.get(name), write: (name, text) => void seen.set(name, text) };
}
