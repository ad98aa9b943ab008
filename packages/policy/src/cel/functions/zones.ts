const remembered = 64;

/** Formats of zones that were asked for of late; null for what is no zone. */
const formats = new Map<string, Intl.DateTimeFormat | null>();

/** Seconds that a zone is ahead of UTC at a time: `Europe/Berlin`, `+05:30`, `-08:00`; undefined: no zone. */
export function offsetSeconds(zone: string, milliseconds: number): number | undefined {
  if (zone === "" || zone === "UTC") return 0;
  const fixed = /^([+-]?)(\d\d):(\d\d)$/.exec(zone);
  if (fixed !== null) {
    const minutes = Number(fixed[2]) * 60 + Number(fixed[3]);
    if (Number(fixed[2]) > 23 || Number(fixed[3]) > 59) return undefined;
    return fixed[1] === "-" ? -minutes * 60 : minutes * 60;
  }
  const format = formatOf(zone);
  return format === null ? undefined : offsetOf(format, milliseconds);
}

function formatOf(zone: string): Intl.DateTimeFormat | null {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  if (formats.size >= remembered) formats.clear();
  const format = makeFormat(zone);
  formats.set(zone, format);
  return format;
}

function makeFormat(zone: string): Intl.DateTimeFormat | null {
  if (zone.length > 60 || !/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(zone)) return null;
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset", year: "numeric" });
  } catch {
    return null;
  }
}

function offsetOf(format: Intl.DateTimeFormat, milliseconds: number): number {
  const name = format.formatToParts(milliseconds).find(({ type }) => type === "timeZoneName")?.value ?? "";
  const match = /^GMT([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(name);
  if (match === null) return 0;
  const seconds = Number(match[2]) * 3600 + Number(match[3]) * 60 + Number(match[4] ?? 0);
  return match[1] === "-" ? -seconds : seconds;
}
