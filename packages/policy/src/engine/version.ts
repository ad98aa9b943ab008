/** Version of the engine that policy sets compare with; it grows when documents mean more than before. */
export const ENGINE_VERSION = "0.1.0";

/** True when a version is earlier than another one; what is no version is earlier than any. */
export function isEarlier(version: string, than: string): boolean {
  const left = numbers(version);
  const right = numbers(than);
  if (left === undefined || right === undefined) return true;
  for (const [index, each] of left.entries()) {
    const other = right[index] as bigint;
    if (each !== other) return each < other;
  }
  return false;
}

function numbers(version: string): readonly bigint[] | undefined {
  return /^\d{1,9}\.\d{1,9}\.\d{1,9}$/.test(version) ? version.split(".").map(BigInt) : undefined;
}
