import type { Position } from "../pipeline/definition.ts";
import type { Report } from "./finding.ts";
import { judgeImage } from "./image-rule.ts";
import { judgeWritten } from "./kubernetes.ts";
import { member, textOf, type YamlTree } from "./yaml-tree.ts";

/** Judges the values of a chart: `image: NAME`, and mappings with `repository`, `tag` and `digest`. */
export function lintHelmValues(tree: YamlTree, report: Report): void {
  const open: YamlTree[] = [tree];
  for (let each = open.pop(); each !== undefined; each = open.pop()) {
    if (each.kind === "list") open.push(...each.items);
    if (each.kind !== "map") continue;
    const repository = textOf(each, "repository");
    const named = ["tag", "digest", "registry", "pullPolicy", "version"].some((name) => each.members.has(name));
    if (repository !== undefined && named && !/^[a-z+]+:\/\//.test(repository.text)) lintImageParts(each, report);
    for (const [name, value] of each.members) {
      const isImage = value.kind === "text" && value.text !== "" && /^(?:image|[a-z]+Image)$/.test(name);
      if (isImage) judgeWritten(value, report);
      else if (value.kind !== "text") open.push(value);
    }
  }
}

function lintImageParts(image: YamlTree, report: Report): void {
  const repository = textOf(image, "repository");
  if (repository === undefined) return;
  const registry = textOf(image, "registry");
  const tag = textOf(image, "tag");
  const digest = textOf(image, "digest");
  const text = [
    registry === undefined ? "" : `${registry.text}/`,
    repository.text,
    tag === undefined ? "" : `:${tag.text}`,
    digest === undefined ? "" : `@${digest.text}`,
  ].join("");
  judgeImage({ text, unresolved: [], at: (digest ?? tag ?? repository).at }, { rule: "image-without-digest" }, report);
}

const imageLine = /^(\s*(?:-\s+)?image:\s+)(\S.*)$/;

/** Judges a template as text, since it is no YAML before it is filled in; `values` are the chart's. */
export function lintHelmTemplate(lines: readonly string[], values: YamlTree | undefined, report: Report): void {
  for (const [index, line] of lines.entries()) {
    if (line.length > 4096 || line.trimStart().startsWith("#")) continue;
    const found = imageLine.exec(line);
    const at: Position = { line: index + 1, column: (found?.[1]?.length ?? line.length - line.trimStart().length) + 1 };
    if (found !== null) lintImageLine((found[2] ?? "").trim(), at, values, report);
    const plain = line.trim().replace(/^-\s+/, "");
    if (plain === "privileged: true") report("privileged", at, "the container is privileged");
    const shared = /^(hostNetwork|hostPID|hostIPC): true$/.exec(plain);
    if (shared !== null) report("host-namespace", at, `${shared[1]} is on`);
    if (plain === "hostPath:") report("host-path", at, "a directory of the machine is mounted");
    const policy = /^imagePullPolicy: (Always|IfNotPresent|Never)$/.exec(plain);
    if (policy !== null) report("image-pull-policy", at, `${policy[1]} whatever the image is named by`);
  }
}

function lintImageLine(written: string, at: Position, values: YamlTree | undefined, report: Report): void {
  const text = written.replace(/\s+#.*$/, "").replace(/^(["'])(.*)\1$/, "$2");
  if (!text.includes("{{")) {
    judgeImage({ text, unresolved: [], at }, { rule: "image-without-digest" }, report);
    return;
  }
  if (/@sha256:[0-9a-f]{64}/.test(text) || /digest/i.test(text)) return;
  const shown = JSON.stringify(text.slice(0, 160));
  const paths = [...text.matchAll(/\.Values((?:\.[A-Za-z_][A-Za-z0-9_]{0,63}){1,12})/g)].map((found) =>
    (found[1] ?? "").slice(1).split("."),
  );
  if (paths.length === 0) {
    report("image-unresolved", at, `${shown}: which image that is stands elsewhere in the chart`, { severity: "note" });
    return;
  }
  const given = paths.map((path) => member(values, ...path));
  if (given.some((value) => value?.kind === "text" && value.text.includes("@sha256:"))) return;
  if (given.every((value) => value === undefined)) {
    const names = paths.map((path) => `.Values.${path.join(".")}`).join(", ");
    report("image-unresolved", at, `${shown}: the values of the chart have no ${names.slice(0, 200)}`);
    return;
  }
  report("image-without-digest", at, `${shown} has no place for a digest`, { severity: "note" });
}
