import { childNamed, childrenNamed, localName, type XmlElement } from "../xml/index.ts";
import { stepReportErrors } from "./errors.ts";
import { coverageRows, type ReadReport, wholeNumber } from "./report.ts";

/** Coverage as XML: Cobertura's, JaCoCo's or Clover's. */
export function readCoverageXml(root: XmlElement): ReadReport {
  const kind = localName(root.name);
  if (kind === "report") return readJacoco(root);
  if (kind === "coverage" && childNamed(root, "project") !== undefined) return readClover(root);
  if (kind === "coverage") return readCobertura(root);
  throw stepReportErrors.make(
    "REPORT_FILE_MALFORMED",
    `expected a report of Cobertura, JaCoCo or Clover, found ${kind}`,
  );
}

function readCobertura(root: XmlElement): ReadReport {
  const count = (name: string): number => wholeNumber(root.attributes.get(name), name);
  if (root.attributes.get("lines-valid") === undefined) return countCobertura(root);
  return {
    format: "cobertura-xml",
    summary: [
      ...coverageRows("lines", count("lines-covered"), count("lines-valid")),
      ...(root.attributes.get("branches-valid") === undefined
        ? []
        : coverageRows("branches", count("branches-covered"), count("branches-valid"))),
    ],
    failures: [],
  };
}

/** Older writers give shares alone: their lines are counted. */
function countCobertura(root: XmlElement): ReadReport {
  let covered = 0;
  let all = 0;
  const open: XmlElement[] = [root];
  for (let element = open.pop(); element !== undefined; element = open.pop()) {
    const kind = localName(element.name);
    if (kind === "methods") continue; // Their lines are those of the class, a second time.
    if (kind === "line") {
      all++;
      if (wholeNumber(element.attributes.get("hits"), "hits") > 0) covered++;
    }
    open.push(...element.children);
  }
  return { format: "cobertura-xml", summary: coverageRows("lines", covered, all), failures: [] };
}

function readJacoco(root: XmlElement): ReadReport {
  const names: Readonly<Record<string, string>> = { LINE: "lines", BRANCH: "branches", METHOD: "methods" };
  const summary = childrenNamed(root, "counter").flatMap(({ attributes }) => {
    const name = names[attributes.get("type") ?? ""];
    if (name === undefined) return [];
    const covered = wholeNumber(attributes.get("covered"), "covered");
    return coverageRows(name, covered, covered + wholeNumber(attributes.get("missed"), "missed"));
  });
  if (summary.length === 0)
    throw stepReportErrors.make("REPORT_FILE_MALFORMED", "expected counters of the whole, found none");
  const tool = root.attributes.get("name");
  return { format: "jacoco-xml", ...(tool === undefined ? {} : { tool: tool.slice(0, 200) }), summary, failures: [] };
}

function readClover(root: XmlElement): ReadReport {
  const project = childNamed(root, "project");
  const metrics = project && childNamed(project, "metrics");
  if (metrics === undefined)
    throw stepReportErrors.make("REPORT_FILE_MALFORMED", "expected metrics of the project, found none");
  const rows = (
    [
      ["statements", "lines"],
      ["conditionals", "branches"],
      ["methods", "methods"],
    ] as const
  ).flatMap(([theirs, ours]) =>
    metrics.attributes.get(theirs) === undefined
      ? []
      : coverageRows(
          ours,
          wholeNumber(metrics.attributes.get(`covered${theirs}`), theirs),
          wholeNumber(metrics.attributes.get(theirs), theirs),
        ),
  );
  return { format: "clover-xml", summary: rows, failures: [] };
}

/** Coverage as lcov's tracefile (geninfo(1)): the records of all files added up. */
export function readLcov(text: string): ReadReport {
  const sums: Record<string, number> = {};
  let records = 0;
  let isOpen = false;
  for (const line of text.split("\n")) {
    const row = line.trim();
    const [, key, value] = /^(LF|LH|BRF|BRH|FNF|FNH):(.*)$/.exec(row) ?? [];
    if (key !== undefined) sums[key] = (sums[key] ?? 0) + wholeNumber(value, key);
    if (row.startsWith("SF:")) isOpen = true;
    if (row === "end_of_record") {
      records++;
      isOpen = false;
    }
  }
  if (records === 0 || isOpen) {
    throw stepReportErrors.make("REPORT_FILE_MALFORMED", "expected whole records of lcov, found none or half of one");
  }
  const rows = (
    [
      ["lines", "LH", "LF"],
      ["branches", "BRH", "BRF"],
      ["functions", "FNH", "FNF"],
    ] as const
  ).flatMap(([name, hit, found]) =>
    sums[found] === undefined ? [] : coverageRows(name, sums[hit] ?? 0, sums[found] ?? 0),
  );
  return { format: "lcov", summary: rows, failures: [] };
}
