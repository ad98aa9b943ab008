import { childNamed, localName, type XmlElement } from "../xml/index.ts";
import { stepReportErrors } from "./errors.ts";
import { failureText, mostFailures, type ReadReport } from "./report.ts";

/**
 * JUnit's XML, as the Ant task and its many followers write it. Test cases are counted, not the numbers that suites
 * claim: those differ between tools, and are the easier lie.
 */
export function readJunit(root: XmlElement): ReadReport {
  if (localName(root.name) !== "testsuites" && localName(root.name) !== "testsuite") {
    throw stepReportErrors.make(
      "REPORT_FILE_MALFORMED",
      `expected testsuites or testsuite, found ${localName(root.name)}`,
    );
  }
  const counts = { tests: 0, failures: 0, errors: 0, skipped: 0, suites: 0 };
  let seconds = 0;
  const failures: string[] = [];
  const open: XmlElement[] = [root];
  for (let element = open.pop(); element !== undefined; element = open.pop()) {
    const kind = localName(element.name);
    if (kind === "testsuite") counts.suites++;
    if (kind === "testcase") {
      counts.tests++;
      const time = Number(element.attributes.get("time") ?? 0);
      if (Number.isFinite(time) && time > 0) seconds += time;
      const failure = childNamed(element, "failure");
      const error = childNamed(element, "error");
      if (failure !== undefined) counts.failures++;
      else if (error !== undefined) counts.errors++;
      else if (childNamed(element, "skipped") !== undefined) counts.skipped++;
      const wrong = failure ?? error;
      if (wrong !== undefined && failures.length < mostFailures) {
        const name = [element.attributes.get("classname"), element.attributes.get("name")].filter(Boolean).join(" ");
        failures.push(failureText(`${name}: ${wrong.attributes.get("message") ?? wrong.text}`));
      }
      continue;
    }
    for (let i = element.children.length - 1; i >= 0; i--) open.push(element.children[i] as XmlElement);
  }
  const summary = Object.entries(counts).map(([name, value]) => ({ name, value: String(value) }));
  return { format: "junit-xml", summary: [...summary, { name: "seconds", value: seconds.toFixed(3) }], failures };
}
