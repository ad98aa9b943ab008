/** A duration for people: `850 ms`, `12.3 s`, `4m 05s`. */
export function duration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  return `${Math.floor(seconds / 60)}m ${String(seconds % 60).padStart(2, "0")}s`;
}

/** A number of bytes for people, in binary units: `512 B`, `3.4 KiB`, `1.2 GiB`. */
export function size(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** Days or a duration word (`30d`, `12h`, `90m`) to seconds; undefined when it is none. */
export function parseAge(text: string): number | undefined {
  const match = /^(\d{1,6})(d|h|m|s)$/.exec(text);
  if (match === null) return undefined;
  const scale = { d: 86_400, h: 3600, m: 60, s: 1 }[match[2] as "d" | "h" | "m" | "s"];
  return Number(match[1]) * scale;
}

/** A size word (`10GiB`, `500MiB`, `1024`) to bytes; undefined when it is none. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,12})(B|KiB|MiB|GiB|TiB)?$/.exec(text);
  if (match === null) return undefined;
  const power = ["B", "KiB", "MiB", "GiB", "TiB"].indexOf(match[2] ?? "B");
  return Number(match[1]) * 1024 ** power;
}
