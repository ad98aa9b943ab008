import { isFactoryError } from "@touchmark/core";
import { readXml, type XmlElement, xmlText } from "../xml/index.ts";
import { readCoverageXml, readLcov } from "./coverage.ts";
import { stepReportErrors } from "./errors.ts";
import { readJunit } from "./junit.ts";
import type { ReadReport } from "./report.ts";
import { readSarif } from "./sarif-results.ts";

/** Largest report that is read. */
export const reportBytes = 64 * 1024 * 1024;

/**
 * Reads a report that a step wrote. What it says is the step's own word; reading only makes sure that it is a report.
 * @throws REPORT_FILE_MALFORMED | REPORT_FILE_TOO_LARGE
 */
export function readStepReport(bytes: Uint8Array, kind: "junit" | "coverage" | "sast" | "dast"): ReadReport {
  if (bytes.length > reportBytes) {
    throw stepReportErrors.make(
      "REPORT_FILE_TOO_LARGE",
      `expected at most ${reportBytes} bytes, found ${bytes.length}`,
    );
  }
  if (kind === "sast" || kind === "dast") return readSarif(bytes, reportBytes);
  if (kind === "junit") return readJunit(xmlOf(bytes));
  const isXml = /^(?:\uFEFF)?\s*</.test(new TextDecoder().decode(bytes.subarray(0, 256)));
  return isXml ? readCoverageXml(xmlOf(bytes)) : readLcov(new TextDecoder().decode(bytes));
}

/** A document type without declarations of its own names a grammar that nobody here fetches: it is passed over. */
const namedGrammar = /<!DOCTYPE\s[^[\]<>]*>/;

function xmlOf(bytes: Uint8Array): XmlElement {
  try {
    return readXml(xmlText(bytes).replace(namedGrammar, ""));
  } catch (cause) {
    if (!isFactoryError(cause)) throw cause;
    throw stepReportErrors.make("REPORT_FILE_MALFORMED", cause.message, { cause });
  }
}
