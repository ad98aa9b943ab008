import { advisoryWords, type FindingView, isSettled, type ScanView } from "./view.ts";
import { count, escapeMarkup } from "./visible.ts";

/** Most rows of a table: what browsers still show at once. The rest is counted, and stands in the JSON report. */
const mostRows = 2_000;

/** Rules that did not simply pass, and how many did. */
export function gateSection({ gate }: ScanView): string {
  if (gate === undefined || gate.results.length === 0) return "";
  const order = ["refused", "warned", "excepted", "not-evaluated"] as const;
  const rows = order.flatMap((each) => gate.results.filter(({ outcome }) => outcome === each));
  const passed = gate.results.filter(({ outcome }) => outcome === "passed").map(({ rule }) => rule);
  const table = rows.map(
    ({ rule, outcome, message }) =>
      `<tr><td class="class ${outcome}">${outcome.replace("-", " ")}</td>${cell("", code(rule))}${cell("", escapeMarkup(message))}</tr>`,
  );
  const passedWords = passed.length === 0 ? "" : `<p class="soft">Passed: ${escapeMarkup(passed.join(", "))}.</p>`;
  return section("Gate", rows.length === 0 ? "" : tableOf(["Outcome", "Rule", "What it says"], table), passedWords);
}

/** Vulnerabilities, those that are settled last. */
export function findingSection(view: ScanView): string {
  const open = view.findings.filter(({ decision }) => !isSettled(decision));
  const rows = [...open, ...view.findings.filter(({ decision }) => isSettled(decision))];
  if (view.result.advisories === undefined) {
    return section("Vulnerabilities", `<p class="unknown">${escapeMarkup(advisoryWords(view.result))}</p>`);
  }
  if (rows.length === 0) return section("Vulnerabilities", "<p>None is known.</p>");
  const head = ["Severity", "Vulnerability", "Component", "Fixed in", "Comes by"];
  return section(
    "Vulnerabilities",
    tableOf(head, rows.slice(0, mostRows).map(findingRow)),
    more(rows.length, "vulnerability", "vulnerabilities"),
  );
}

function findingRow({ finding, severity, name, version, fix, path, decision, isRefused }: FindingView): string {
  const address = finding.references.find((each) => /^https:\/\/[^\s"<>\\]{1,500}$/.test(each));
  const id = code(finding.id);
  const link = address === undefined ? id : `<a rel="noreferrer noopener" href="${escapeMarkup(address)}">${id}</a>`;
  const marks = [
    ...(isRefused ? ['<span class="refused">refused</span>'] : []),
    ...(finding.knownExploited === undefined ? [] : ['<span class="critical">known exploited</span>']),
    ...(finding.epss === undefined
      ? []
      : [`<span class="soft">EPSS ${(finding.epss.probability * 100).toFixed(1)} %</span>`]),
  ];
  const facts = [
    ...(finding.aliases.length === 0
      ? []
      : [
          `Also ${finding.aliases
            .slice(0, 10)
            .map((each) => code(each))
            .join(", ")}`,
        ]),
    ...finding.evidence
      .slice(0, 5)
      .map(
        (each) =>
          `${code(each.advisory)} of ${escapeMarkup(each.source)}: ${code(`${each.package} ${each.matched}`)} by the rules of ${escapeMarkup(each.comparison)}`,
      ),
    ...finding.otherSeverities
      .slice(0, 5)
      .map((each) => `${escapeMarkup(each.from)} says ${each.score?.toFixed(1) ?? ""} ${each.class}`),
    ...finding.decisions
      .slice(0, 5)
      .map(
        (each) =>
          `${escapeMarkup(each.status.replaceAll("_", " "))}: ${escapeMarkup(each.reason)} (${escapeMarkup(each.by)})`,
      ),
  ];
  const said =
    decision === undefined
      ? ""
      : `<p class="soft">${escapeMarkup(decision.status.replaceAll("_", " "))}: ${escapeMarkup(decision.reason)}</p>`;
  return `<tr${isSettled(decision) ? ' class="settled"' : ""}><td class="class ${finding.severity.class}">${severity}</td><td>${link}${marks.length === 0 ? "" : `<p>${marks.join(" · ")}</p>`}<p>${escapeMarkup(finding.summary, 300)}</p>${said}<details><summary>Evidence</summary><ul>${facts.map((each) => `<li>${each}</li>`).join("")}</ul></details></td>${cell("", code(`${name} ${version}`.trim()))}${cell("fixed in", code(fix))}${cell("comes by", path.length > 1 ? path.map((each) => code(each)).join(" › ") : "")}</tr>`;
}

/** Licences that are denied, unknown or warned of. */
export function licenceSection({ notable, result }: ScanView): string {
  if (result.licences.length === 0) return section("Licences", '<p class="soft">Licences were not judged.</p>');
  if (notable.length === 0) return section("Licences", "<p>All are allowed.</p>");
  const rows = notable
    .slice(0, mostRows)
    .map(
      ({ licence, name, version }) =>
        `<tr><td class="class ${licence.class}">${licence.class}</td>${cell("", licence.expression === undefined ? '<span class="soft">none known</span>' : code(licence.expression))}${cell("", code(`${name} ${version}`.trim()))}${cell("", escapeMarkup(licence.reason))}</tr>`,
    );
  return section(
    "Licences",
    tableOf(["Class", "Licence", "Component", "Reason"], rows),
    more(notable.length, "licence"),
  );
}

/** What could not be read, and what nothing could be said of. Left out when there is none. */
export function coverageSection({ result }: ScanView): string {
  const { losses, unowned = [] } = result.sbom;
  const lost = losses.map(
    ({ path, code: reason, message }) =>
      `<tr>${cell("", code(path))}${cell("", code(reason))}${cell("", escapeMarkup(message))}</tr>`,
  );
  const missing = result.notEvaluated.map(
    ({ component, reason, message }) =>
      `<tr>${cell("", code(component))}${cell("", code(reason))}${cell("", escapeMarkup(message))}</tr>`,
  );
  const files = unowned.map(
    ({ path }) =>
      `<tr>${cell("", code(path))}${cell("", code("unowned"))}${cell("", "An executable that belongs to no component.")}</tr>`,
  );
  const rows = [...lost, ...missing, ...files];
  if (rows.length === 0) return "";
  return section(
    "What was not seen",
    tableOf(["Where", "Reason", "What it says"], rows.slice(0, mostRows)),
    more(rows.length, "row"),
  );
}

/** All components, folded. */
export function componentSection({ result }: ScanView): string {
  const components = result.sbom.components.filter(({ ref }) => ref !== result.sbom.root);
  const rows = components
    .slice(0, mostRows)
    .map(({ name, version, type, scope, occurrences, declaredLicences, detectedLicences }) => {
      const licences = [
        ...new Set([...declaredLicences, ...detectedLicences].map(({ expression, text }) => expression ?? text ?? "")),
      ];
      const place = occurrences[0];
      return `<tr>${cell("", code(`${name} ${version}`.trim()))}${cell("", escapeMarkup(type))}${cell("", scope)}${cell(
        "licence",
        licences
          .slice(0, 5)
          .map((each) => code(each))
          .join(", "),
      )}${cell("found in", place === undefined ? "" : code(place.path))}</tr>`;
    });
  const table = tableOf(["Component", "Type", "Scope", "Licence", "Found in"], rows);
  return section(
    "Components",
    `<details><summary>${count(components.length, "component")}</summary>${table}${more(components.length, "component")}</details>`,
  );
}

/** Which data the findings rest on. */
export function dataSection({ result }: ScanView): string {
  const { advisories } = result;
  if (advisories === undefined) return "";
  const rows = advisories.sources.map(
    ({ name, kind, importedAt, newest, licence, advisories: number }) =>
      `<tr>${cell("", escapeMarkup(name))}${cell("", escapeMarkup(kind))}${cell("", number.toLocaleString("en-US"))}${cell("newest", escapeMarkup(newest ?? "not known"))}${cell("imported", escapeMarkup(importedAt))}${cell("licence", escapeMarkup(licence ?? "not stated"))}</tr>`,
  );
  const facts = `<p class="soft">${escapeMarkup(advisoryWords(result))} Database <code>${escapeMarkup(advisories.digest)}</code></p>`;
  return section(
    "Advisory data",
    tableOf(["Source", "Kind", "Advisories", "Newest", "Imported", "Licence"], rows),
    facts,
  );
}

function section(title: string, ...parts: readonly string[]): string {
  return `<section>\n<h2>${title}</h2>\n${parts.filter(Boolean).join("\n")}\n</section>`;
}

function tableOf(head: readonly string[], rows: readonly string[]): string {
  const titles = head.map((each) => `<th scope="col">${each}</th>`).join("");
  return `<table>\n<thead><tr>${titles}</tr></thead>\n<tbody>\n${rows.join("\n")}\n</tbody>\n</table>`;
}

/** A cell; `is` names it where the table's head cannot be seen. The content is markup. */
function cell(is: string, content: string): string {
  return `<td${is === "" ? "" : ` data-is="${is}"`}>${content}</td>`;
}

function code(text: string): string {
  return `<code>${escapeMarkup(text, 300)}</code>`;
}

function more(total: number, one: string, many = `${one}s`): string {
  return total <= mostRows
    ? ""
    : `<p class="soft">${count(total - mostRows, `more ${one}`, `more ${many}`)}: see the JSON report.</p>`;
}
