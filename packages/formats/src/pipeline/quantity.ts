const byteUnits: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};
const secondUnits: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** Spelling of an amount of bytes: digits and a unit. */
export const bytesPattern = /^[1-9][0-9]{0,8}(?:B|kB|MB|GB|KiB|MiB|GiB|TiB)$/;
/** Spelling of a duration: digits and s, m or h. */
export const durationPattern = /^[1-9][0-9]{0,6}[smh]$/;

/** Bytes in a quantity such as `2GiB`, `512MiB`, `10MB`; undefined when it is not one. */
export function parseBytes(text: string): number | undefined {
  return bytesPattern.test(text) ? measure(text, byteUnits) : undefined;
}

/** Seconds in a duration such as `60s`, `10m`, `2h`; undefined when it is not one. */
export function parseDuration(text: string): number | undefined {
  return durationPattern.test(text) ? measure(text, secondUnits) : undefined;
}

function measure(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const digits = Number.parseInt(text, 10);
  const unit = units[text.slice(String(digits).length)];
  const amount = unit === undefined ? Number.NaN : digits * unit;
  return Number.isSafeInteger(amount) ? amount : undefined;
}
