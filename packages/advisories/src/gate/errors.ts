import { defineErrors } from "@touchmark/core";

/** Codes of what a gate refuses in a scan. */
export const scanGateErrors = defineErrors({
  SCAN_VULNERABILITY: {
    nature: "refused",
    meaning: "A component has a known vulnerability at or above the gate's threshold.",
    hint: "`touchmark why` shows who needs the component; the report names the nearest fixed version.",
  },
  SCAN_KNOWN_EXPLOITED: {
    nature: "refused",
    meaning: "A component has a vulnerability that is known to be exploited, or likely to be by the gate's threshold.",
  },
  SCAN_UNSCORED: {
    nature: "refused",
    meaning: "More findings have no severity than the gate allows; a finding without a score is not a harmless one.",
  },
  SCAN_NOT_EVALUATED: {
    nature: "refused",
    meaning: "The gate has rules over vulnerabilities, and no advisory data was there, or none for some components.",
    hint: "`touchmark advisories status` shows what is there.",
  },
  SCAN_DATA_STALE: {
    nature: "refused",
    meaning: "The advisory data is older than the gate allows, or has no date.",
    hint: "`touchmark advisories update`",
  },
  SCAN_LICENCE_DENIED: { nature: "refused", meaning: "A component's licence is denied, or not among those allowed." },
  SCAN_LICENCE_UNKNOWN: {
    nature: "refused",
    meaning: "A component's licence is not known, and the gate wants to know.",
  },
  SCAN_EXECUTABLE_UNOWNED: { nature: "refused", meaning: "An executable file belongs to no component." },
  SCAN_COMPONENT_UNACCOUNTED: {
    nature: "refused",
    meaning: "A component is in the artifact that nobody fetched or built.",
  },
  SCAN_REPORT_MISSING: {
    nature: "refused",
    meaning: "No step of the build wrote a report of a kind that the gate demands, or there was no build.",
    hint: "`reports` of a step in touchmark.yaml.",
  },
  SCAN_SUPPLIER_SBOM_MISSING: {
    nature: "refused",
    meaning: "A package came in without an SBOM of its supplier that a verified signature covers.",
  },
  SCAN_LOSSY: { nature: "refused", meaning: "Parts of the subject could not be read, and the gate wants all of it." },
});

/** A code of the gate of scans. */
export type ScanGateCode = keyof typeof scanGateErrors.rows;
