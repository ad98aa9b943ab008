import { readFileSync } from "node:fs";
import { pageOf, type Report } from "./report.ts";

// usage: node conformance/distribution/page.ts REPORT.json… > docs/conformance/distribution.md
const reports = process.argv.slice(2).map((path) => JSON.parse(readFileSync(path, "utf8")) as Report);
process.stdout.write(pageOf(reports));
