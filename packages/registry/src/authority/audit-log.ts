import { closeSync, fstatSync, openSync, renameSync, rmSync } from "node:fs";
import { rfc3339 } from "@touchmark/core";
import { writeAll } from "@touchmark/store";

/** The audit trail of a registry: one JSON object a line, in a file that only its owner can read. Holds no secret. */
export interface AuditLog {
  /** Notes one line; it is in the file at the end of this turn of the event loop. */
  write(line: Readonly<Record<string, unknown>>): void;
  /** Writes what is noted, and closes the file. */
  close(): void;
}

/** Where and how much. */
export interface AuditOptions {
  readonly path: string;
  /** Size at which the next file begins, bytes. */
  readonly fileBytes: number;
  /** Older files that are kept: PATH.1 is the newest of them. */
  readonly keep: number;
  /** Told when lines cannot be written; the registry goes on, and says so. */
  readonly onProblem: (message: string) => void;
}

/** Characters of one value that are kept. */
const LONGEST = 512;

/** Opens an audit trail; lines are added to what is there. */
export function openAuditLog({ path, fileBytes, keep, onProblem }: AuditOptions): AuditLog {
  let descriptor = openSync(path, "a", 0o600);
  let size = fstatSync(descriptor).size;
  let noted: string[] = [];
  let turn: NodeJS.Immediate | undefined;
  const rotate = (): void => {
    closeSync(descriptor);
    rmSync(`${path}.${keep}`, { force: true });
    for (let number = keep - 1; number >= 0; number--) {
      try {
        renameSync(number === 0 ? path : `${path}.${number}`, `${path}.${number + 1}`);
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
      }
    }
    descriptor = openSync(path, "a", 0o600);
    size = 0;
  };
  const flush = (): void => {
    clearImmediate(turn);
    turn = undefined;
    if (noted.length === 0) return;
    const bytes = Buffer.from(`${noted.join("\n")}\n`);
    const lines = noted.length;
    noted = [];
    try {
      if (size > 0 && size + bytes.length > fileBytes) rotate();
      writeAll(descriptor, bytes);
      size += bytes.length;
    } catch (cause) {
      onProblem(`${lines} audit lines were not written: ${(cause as NodeJS.ErrnoException).code ?? String(cause)}`);
    }
  };
  return {
    write(line) {
      noted.push(JSON.stringify(line, plain).replace(acting, escaped));
      turn ??= setImmediate(flush);
    },
    close() {
      flush();
      closeSync(descriptor);
    },
  };
}

/** What JSON leaves as it is, and what acts on a screen all the same: controls of C1, and those that turn text around. */
const acting = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;
const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** Values as they stand in the file: times to the second, texts bounded. */
function plain(this: unknown, key: string, value: unknown): unknown {
  const own = (this as Record<string, unknown>)[key];
  if (own instanceof Date) return rfc3339(own);
  return typeof value === "string" && value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value;
}
