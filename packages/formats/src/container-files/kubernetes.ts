import type { Report } from "./finding.ts";
import { judgeImage } from "./image-rule.ts";
import { lintCommandOf } from "./manifest-script.ts";
import { isSecretName } from "./recipe-metadata.ts";
import type { Severity } from "./rules.ts";
import { itemsOf, member, membersOf, textOf, type YamlText, type YamlTree } from "./yaml-tree.ts";

/** Where each kind keeps its pod. */
const podPaths: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    Pod: ["spec"],
    PodTemplate: ["template", "spec"],
    Deployment: ["spec", "template", "spec"],
    StatefulSet: ["spec", "template", "spec"],
    DaemonSet: ["spec", "template", "spec"],
    ReplicaSet: ["spec", "template", "spec"],
    ReplicationController: ["spec", "template", "spec"],
    Job: ["spec", "template", "spec"],
    CronJob: ["spec", "jobTemplate", "spec", "template", "spec"],
  }),
);
const groups = /^(?:v1|apps\/|batch\/|extensions\/)/;

/** Judges one object of Kubernetes; a List's items each. */
export function lintKubernetes(tree: YamlTree, report: Report): void {
  const kind = textOf(tree, "kind")?.text ?? "";
  const version = textOf(tree, "apiVersion")?.text ?? "";
  if (kind === "List" || (kind.endsWith("List") && member(tree, "items") !== undefined)) {
    for (const item of itemsOf(tree, "items")) lintKubernetes(item, report);
    return;
  }
  if (kind === "Kustomization" || kind === "Component") {
    for (const image of itemsOf(tree, "images")) lintReplacement(image, report);
    return;
  }
  if (kind === "Secret" && version === "v1") {
    lintSecret(tree, report);
    return;
  }
  const path = groups.test(version) ? podPaths.get(kind) : undefined;
  if (path !== undefined) lintPod(member(tree, ...path), report);
  else lintUnknown(tree, report);
}

function lintPod(pod: YamlTree | undefined, report: Report): void {
  for (const list of ["containers", "initContainers", "ephemeralContainers"]) {
    for (const container of itemsOf(pod, list)) lintContainer(container, report);
  }
  for (const volume of itemsOf(pod, "volumes")) {
    const image = textOf(volume, "image", "reference");
    if (image !== undefined) judgeWritten(image, report);
    const host = textOf(volume, "hostPath", "path");
    if (host !== undefined) lintHostPath(host, report);
  }
  for (const name of ["hostNetwork", "hostPID", "hostIPC"]) {
    const shared = textOf(pod, name);
    if (shared?.text === "true") report("host-namespace", shared.at, `${name} is on`);
  }
  lintUser(pod, report);
}

function lintContainer(container: YamlTree, report: Report): void {
  const image = textOf(container, "image");
  if (image !== undefined) judgeWritten(image, report);
  const policy = textOf(container, "imagePullPolicy");
  if (policy !== undefined && image !== undefined && !image.text.includes("@sha256:")) {
    report("image-pull-policy", policy.at, `${policy.text.slice(0, 40)} with a tag alone`);
  }
  const privileged = textOf(container, "securityContext", "privileged");
  if (privileged?.text === "true") report("privileged", privileged.at, "the container is privileged");
  lintUser(container, report);
  for (const variable of itemsOf(container, "env")) {
    const name = textOf(variable, "name");
    const value = textOf(variable, "value");
    if (name !== undefined && value !== undefined) lintVariable(name.text, value, report);
  }
  lintCommandOf([member(container, "command"), member(container, "args")], report);
}

function lintUser(holder: YamlTree | undefined, report: Report): void {
  const user = textOf(holder, "securityContext", "runAsUser");
  if (user?.text === "0") report("runs-as-root", user.at, "runAsUser is 0");
}

/** Judges a name of an image that stands in a manifest. */
export function judgeWritten(image: YamlText, report: Report, severity?: Severity): void {
  const place = { rule: "image-without-digest", ...(severity === undefined ? {} : { severity }) } as const;
  // `$(…)` and `{{…}}` are filled in by others.
  const unresolved = [...image.text.matchAll(/\$\{[^}]{0,100}\}|\$\([^)]{0,100}\)|\{\{[^}]{0,200}\}\}/g)].map(
    ([each]) => each,
  );
  judgeImage({ text: image.text, unresolved, at: image.at }, place, report);
}

/** A directory of the machine, or the engine's socket. */
export function lintHostPath(path: YamlText, report: Report): void {
  const shown = JSON.stringify(path.text.slice(0, 120));
  if (/(?:docker|containerd|crio|podman)\.sock/.test(path.text)) {
    report("container-socket", path.at, `${shown} commands the container engine`);
  } else report("host-path", path.at, `${shown} of the machine is mounted`);
}

/** A variable with a value that it should not have. */
export function lintVariable(name: string, value: YamlText, report: Report): void {
  const isReference = /^\$[({]|^\{\{/.test(value.text);
  if (!isSecretName(name) || isReference || /^(?:true|false|0|1|\/\S*)$/.test(value.text)) return;
  report("secret-in-variable", value.at, `${name.slice(0, 100)} has a value in the file`);
}

function lintSecret(tree: YamlTree, report: Report): void {
  for (const part of ["data", "stringData"]) {
    for (const [name, value] of membersOf(tree, part)) {
      if (value.kind !== "text" || value.text === "" || value.text.includes("{{")) continue;
      report("secret-in-variable", value.at, `the Secret's ${name.slice(0, 100)} stands in the file`);
    }
  }
}

function lintReplacement(image: YamlTree, report: Report): void {
  const name = textOf(image, "newName") ?? textOf(image, "name");
  if (name === undefined) return;
  const tag = textOf(image, "newTag");
  const digest = textOf(image, "digest");
  const text = `${name.text}${tag === undefined ? "" : `:${tag.text}`}${digest === undefined ? "" : `@${digest.text}`}`;
  judgeImage({ text, unresolved: [], at: (digest ?? tag ?? name).at }, { rule: "image-without-digest" }, report);
}

/** Kinds of others: what is called an image probably is one. */
function lintUnknown(tree: YamlTree, report: Report): void {
  const open: YamlTree[] = [tree];
  for (let each = open.pop(); each !== undefined; each = open.pop()) {
    if (each.kind === "list") open.push(...each.items);
    if (each.kind !== "map") continue;
    for (const [name, value] of each.members) {
      if (name === "image" && value.kind === "text" && value.text !== "") judgeWritten(value, report, "note");
      else if (value.kind !== "text") open.push(value);
    }
  }
}
