import type { Report } from "./finding.ts";
import { judgeImage } from "./image-rule.ts";
import { lintHostPath, lintVariable } from "./kubernetes.ts";
import { lintCommandOf } from "./manifest-script.ts";
import { lintRecipe } from "./recipe-rules.ts";
import { expand } from "./variables.ts";
import { itemsOf, member, membersOf, textOf, type YamlText, type YamlTree } from "./yaml-tree.ts";

/** Judges a Compose file; `lines` are those of the file. */
export function lintCompose(tree: YamlTree, lines: readonly string[], report: Report): void {
  for (const [, service] of membersOf(tree, "services")) {
    lintBuild(member(service, "build"), lines, report);
    lintService(service, report);
  }
}

function lintService(service: YamlTree, report: Report): void {
  const image = textOf(service, "image");
  // Beside `build` it is the name of what is built.
  if (image !== undefined && member(service, "build") === undefined) {
    judge(image, image.text, report);
    const policy = textOf(service, "pull_policy");
    if (policy !== undefined && !image.text.includes("@sha256:")) {
      report("image-pull-policy", policy.at, `${policy.text.slice(0, 40)} with a tag alone`);
    }
  }
  const privileged = textOf(service, "privileged");
  if (privileged?.text === "true") report("privileged", privileged.at, "the service is privileged");
  for (const name of ["network_mode", "pid", "ipc", "userns_mode"]) {
    const shared = textOf(service, name);
    if (shared?.text === "host") report("host-namespace", shared.at, `${name} is the machine's`);
  }
  const user = textOf(service, "user");
  if (user !== undefined && /^(?:root|0+)(?::|$)/.test(user.text)) report("runs-as-root", user.at, "the user is root");
  for (const volume of itemsOf(service, "volumes")) lintVolume(volume, report);
  lintVariables(member(service, "environment"), report);
  lintCommandOf([member(service, "entrypoint")], report);
  lintCommandOf([member(service, "command")], report);
}

function judge(at: YamlText, text: string, report: Report): void {
  const { text: expanded, unresolved } = expand(text, () => undefined, "", false);
  judgeImage({ text: expanded, unresolved, at: at.at }, { rule: "image-without-digest" }, report);
}

const systemPath = /^\/(?:$|etc|var|proc|sys|dev|boot|root|home|usr|lib|bin|sbin|run|opt|srv|mnt)(?:\/|$)/;

function lintVolume(volume: YamlTree, report: Report): void {
  const source = volume.kind === "text" ? volume : textOf(volume, "source");
  if (source === undefined) return;
  if (volume.kind !== "text" && textOf(volume, "type")?.text !== "bind") return;
  const path = volume.kind === "text" ? (source.text.split(":", 1)[0] ?? "") : source.text;
  const isShort = volume.kind === "text" && !source.text.includes(":");
  if (!isShort && systemPath.test(path)) lintHostPath({ ...source, text: path }, report);
}

function lintVariables(variables: YamlTree | undefined, report: Report): void {
  for (const [name, value] of membersOf(variables)) {
    if (value.kind === "text" && value.text !== "") lintVariable(name, value, report);
  }
  for (const each of itemsOf(variables)) {
    if (each.kind !== "text") continue;
    const equal = each.text.indexOf("=");
    if (equal > 0 && equal < each.text.length - 1) {
      lintVariable(each.text.slice(0, equal), { ...each, text: each.text.slice(equal + 1) }, report);
    }
  }
}

function lintBuild(build: YamlTree | undefined, lines: readonly string[], report: Report): void {
  if (build?.kind !== "map") return;
  lintVariables(member(build, "args"), report);
  const contexts = member(build, "additional_contexts");
  const images = [...membersOf(contexts)].map(([, value]) => value);
  for (const each of [...images, ...itemsOf(contexts)]) {
    if (each.kind !== "text") continue;
    const image = /(?:^|=)docker-image:\/\/(.+)$/.exec(each.text)?.[1];
    if (image !== undefined) judge(each, image, report);
  }
  const inline = textOf(build, "dockerfile_inline");
  if (inline === undefined) return;
  if (!inline.isBlock) {
    lintRecipe(inline.text, (rule, _at, message, more) => report(rule, inline.at, message, more));
    return;
  }
  const indent = /^\s*/.exec(lines.slice(inline.at.line).find((line) => line.trim() !== "") ?? "")?.[0].length ?? 0;
  lintRecipe(inline.text, (rule, at, message, more) =>
    report(rule, { line: inline.at.line + at.line, column: indent + at.column }, message, more),
  );
}
