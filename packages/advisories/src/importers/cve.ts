import { advisorySourceErrors } from "./errors.ts";
import { show } from "./members.ts";

/** An id of the CVE list. @throws ADVISORY_NAME_INVALID */
export function cveId(value: unknown): string {
  if (typeof value === "string" && /^CVE-\d{4}-\d{4,19}$/.test(value)) return value;
  throw advisorySourceErrors.make("ADVISORY_NAME_INVALID", `expected an id of the CVE list, found ${show(value)}`);
}
