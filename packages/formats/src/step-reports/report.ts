import { stepReportErrors } from "./errors.ts";

/** What a report says, in numbers and in its own words. */
export interface ReadReport {
  readonly format: "junit-xml" | "cobertura-xml" | "jacoco-xml" | "lcov" | "clover-xml" | "sarif-2.1.0";
  readonly tool?: string;
  /** Names in kebab-case; whole numbers, seconds with three decimals, shares from 0 to 1 with four. */
  readonly summary: readonly { readonly name: string; readonly value: string }[];
  /** First failures or findings, cut to a bearable length. */
  readonly failures: readonly string[];
}

/** Most failures that are kept, and characters of each. */
export const mostFailures = 100;
const longestFailure = 2000;

/** A failure as it is kept: one line, without control characters. */
export function failureText(text: string): string {
  const plain = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, " ").trim();
  return plain.length > longestFailure ? `${plain.slice(0, longestFailure)}…` : plain || "a failure without words";
}

/** A whole number as a report writes it. @throws REPORT_FILE_MALFORMED */
export function wholeNumber(text: string | undefined, what: string): number {
  if (text === undefined) return 0;
  if (!/^\d{1,12}$/.test(text.trim())) {
    throw stepReportErrors.make(
      "REPORT_FILE_MALFORMED",
      `expected a whole number of ${what}, found ${JSON.stringify(text.slice(0, 40))}`,
    );
  }
  return Number(text.trim());
}

/** Covered and all, as rows of a summary. */
export function coverageRows(name: string, covered: number, all: number): { name: string; value: string }[] {
  if (covered > all) {
    throw stepReportErrors.make("REPORT_FILE_MALFORMED", `expected at most ${all} covered ${name}, found ${covered}`);
  }
  return [
    { name: `${name}-covered`, value: String(covered) },
    { name: `${name}-total`, value: String(all) },
    ...(all === 0 ? [] : [{ name: `${name}-share`, value: (covered / all).toFixed(4) }]),
  ];
}
