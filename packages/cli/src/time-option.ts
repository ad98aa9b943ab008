import { cliErrors } from "./errors.ts";

/** A time that an option names: a date, or RFC 3339. Undefined when the option is absent. @throws CLI_USAGE */
export function timeOption(words: string | undefined, flag: string): Date | undefined {
  if (words === undefined) return undefined;
  const at = new Date(words);
  if (
    /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/.test(words) &&
    !Number.isNaN(at.getTime())
  ) {
    return at;
  }
  throw cliErrors.make(
    "CLI_USAGE",
    `expected ${flag} like 2027-01-31 or 2027-01-31T12:00:00Z, found ${JSON.stringify(words.slice(0, 40))}`,
  );
}
