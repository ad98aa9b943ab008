import type { Component, Sbom } from "@touchmark/formats/sbom";
import { oneLine, type Terminal } from "../terminal.ts";

/** Components of an SBOM for people: one line each, in order of type and name, and what was lost. */
export function sbomTable(sbom: Sbom, terminal: Terminal): string {
  const { style } = terminal;
  const components = sbom.components.filter(({ ref }) => ref !== sbom.root);
  const listed = [...components].sort(
    (a, b) => compare(a.type, b.type) || compare(a.name, b.name) || compare(a.version, b.version),
  );
  const name = Math.min(44, Math.max(4, ...listed.map((component) => component.name.length)));
  const version = Math.min(24, Math.max(7, ...listed.map((component) => component.version.length)));
  const head = `${"TYPE".padEnd(9)} ${"NAME".padEnd(name)} ${"VERSION".padEnd(version)} ${"SCOPE".padEnd(11)} LICENCE`;
  const lines = listed.map((component) =>
    oneLine(
      `${component.type.padEnd(9)} ${component.name.padEnd(name)} ${component.version.padEnd(version)} ${component.scope.padEnd(11)} ${licenceOf(component)}`,
    ),
  );
  const edges = sbom.dependencies.reduce((sum, { to }) => sum + to.length, 0);
  const distribution = sbom.distribution?.name ?? sbom.distribution?.id;
  const unowned = sbom.unowned?.length ?? 0;
  return [
    ...(listed.length === 0 ? [] : [style.bold(head), ...lines, ""]),
    `${components.length} components, ${edges} edges${sbom.files === undefined ? "" : `, ${sbom.files.seen} files`}${distribution === undefined ? "" : `, ${oneLine(distribution)}`}`,
    ...(unowned === 0 ? [] : [style.warn(`${unowned} executable files belong to no component`)]),
    ...(sbom.losses.length === 0 ? [] : [style.warn(`${sbom.losses.length} files could not be read, or not whole:`)]),
    ...sbom.losses.slice(0, 20).map(({ path, code, message }) => oneLine(`  ${path}: ${message} (${code})`)),
    ...(sbom.losses.length > 20 ? [`  and ${sbom.losses.length - 20} more`] : []),
  ].join("\n");
}

function licenceOf({ declaredLicences, detectedLicences }: Component): string {
  const facts = declaredLicences.length > 0 ? declaredLicences : detectedLicences;
  return facts.map(({ expression, text }) => expression ?? text ?? "").join(", ") || "-";
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
