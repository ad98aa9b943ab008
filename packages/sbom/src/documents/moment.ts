const syntax =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** True for a moment that RFC 3339 and XML Schema both have: upper-case letters, no leap second, a day that exists. */
export function isMoment(text: string): boolean {
  return syntax.test(text) && !Number.isNaN(Date.parse(text)) && isDay(text.slice(0, 10));
}

/** The same moment in UTC and whole seconds, as SPDX writes it. */
export function wholeSeconds(moment: string): string {
  return `${new Date(moment).toISOString().slice(0, 19)}Z`;
}

function isDay(text: string): boolean {
  return new Date(`${text}T00:00:00Z`).toISOString().slice(0, 10) === text;
}
