import { isFactoryError } from "@touchmark/core";
import { storeErrors } from "./errors.ts";

/** The `code` of an operating system error (`ENOENT` …), or undefined for anything else. */
export function systemCode(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || !("code" in cause) || isFactoryError(cause)) return undefined;
  return typeof cause.code === "string" ? cause.code : undefined;
}

/** True when the operating system said that a path does not exist. */
export function isAbsent(cause: unknown): boolean {
  const code = systemCode(cause);
  return code === "ENOENT" || code === "ENOTDIR";
}

/**
 * Turns an operating system error into one of ours, so that a full disk is recognised wherever it strikes. Anything
 * else passes unchanged.
 */
export function asStoreError(cause: unknown, doing: string): unknown {
  const code = systemCode(cause);
  const message = cause instanceof Error ? cause.message : String(cause);
  // SQLite reports SQLITE_FULL (13) and SQLITE_IOERR (10) by number.
  const sqlite = code === "ERR_SQLITE_ERROR" ? (cause as { errcode?: number }).errcode : undefined;
  if (code === "ENOSPC" || code === "EDQUOT" || sqlite === 13) {
    return storeErrors.make("STORE_DISK_FULL", `no space left while ${doing}: ${message}`, { cause });
  }
  if (code === undefined || (code.startsWith("ERR_") && sqlite === undefined)) return cause;
  return storeErrors.make("STORE_IO", `failed while ${doing}: ${message}`, { cause });
}

/** Runs a store operation, giving operating system errors their code. @throws STORE_DISK_FULL | STORE_IO */
export async function guarded<T>(doing: string, work: () => Promise<T> | T): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw asStoreError(cause, doing);
  }
}
