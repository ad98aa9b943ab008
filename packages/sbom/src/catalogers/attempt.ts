import { isFactoryError } from "@touchmark/core";

/** What reading answers; undefined where it is refused. */
export function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!isFactoryError(error)) throw error;
    return undefined;
  }
}
