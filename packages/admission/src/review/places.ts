import type { Json } from "@touchmark/core";
import { reviewErrors } from "./errors.ts";
import { isObject, pointerStep } from "./object.ts";
import type { GroupKind } from "./review.ts";

/** What stands at a place: a pod template, the specification of a pod, one container, or the text of a reference. */
export type PlaceShape = "template" | "podSpec" | "container" | "image";

/** Where objects of a kind name images. In `path`, `*` stands for every element of a list or an object. */
export interface ImagePlace extends GroupKind {
  readonly shape: PlaceShape;
  readonly path: readonly string[];
  /** True: an object without it names no image there. The kinds of Kubernetes itself must have theirs. */
  readonly isOptional: boolean;
}

const own = (group: string, kind: string, shape: PlaceShape, ...path: readonly string[]): ImagePlace => ({
  ...{ group, kind, shape, path },
  isOptional: false,
});

/** Every kind of Kubernetes itself that makes pods. */
const workloads: readonly ImagePlace[] = [
  own("", "Pod", "podSpec", "spec"),
  own("", "PodTemplate", "template", "template"),
  own("", "ReplicationController", "template", "spec", "template"),
  own("apps", "Deployment", "template", "spec", "template"),
  own("apps", "ReplicaSet", "template", "spec", "template"),
  own("apps", "StatefulSet", "template", "spec", "template"),
  own("apps", "DaemonSet", "template", "spec", "template"),
  own("batch", "Job", "template", "spec", "template"),
  own("batch", "CronJob", "template", "spec", "jobTemplate", "spec", "template"),
];

/** Kinds of subresources of workloads, which name no image: what they lead to is reviewed itself. */
const imageless: readonly string[] = [
  "autoscaling/Scale",
  "/Binding",
  "policy/Eviction",
  "/PodExecOptions",
  "/PodAttachOptions",
  "/PodPortForwardOptions",
  "/PodProxyOptions",
];

/** Where a kind names images: empty when it names none, undefined when nobody said. */
export type PlacesOf = (kind: GroupKind) => readonly ImagePlace[] | undefined;

/** The kinds of Kubernetes, and the declared ones. Declarations add places to a kind, and take none away. */
export function imagePlaces(declared: readonly ImagePlace[]): PlacesOf {
  const known = new Map<string, ImagePlace[]>(imageless.map((name) => [name, []]));
  for (const place of [...workloads, ...declared]) {
    const name = kindName(place);
    known.set(name, [...(known.get(name) ?? []), place]);
  }
  return (kind) => known.get(kindName(kind));
}

/** `GROUP/KIND`; `/KIND` for the core group. */
export function kindName({ group, kind }: GroupKind): string {
  return `${group}/${kind}`;
}

const declaration =
  /^([a-z0-9.-]{0,253})\/([A-Za-z][A-Za-z0-9]{0,62})=(template|podSpec|container|image):((?:\/[^/]{1,128}){1,32})$/;

/** Reads `GROUP/KIND=template:/spec/template`. @throws ADMISSION_TEMPLATE_INVALID */
export function readImagePlace(text: string): ImagePlace {
  const [, group = "", kind = "", shape, path = ""] = declaration.exec(text) ?? [];
  if (shape === undefined) {
    throw reviewErrors.make(
      "ADMISSION_TEMPLATE_INVALID",
      `expected GROUP/KIND=SHAPE:/PATH with a shape of template, podSpec, container or image, found ${JSON.stringify(text.slice(0, 200))}`,
    );
  }
  return { group, kind, shape: shape as PlaceShape, path: path.slice(1).split("/"), isOptional: true };
}

/** A value in an object, with its JSON Pointer. */
export interface PlacedValue {
  readonly pointer: string;
  readonly value: Json;
}

/** The values at a path; `most` bounds how many are looked for. */
export function valuesAt(root: Json, path: readonly string[], most: number): readonly PlacedValue[] {
  let found: PlacedValue[] = [{ pointer: "", value: root }];
  for (const step of path) {
    found = found.flatMap((place) => below(place, step, most));
    if (found.length > most) return found.slice(0, most + 1);
  }
  return found;
}

function below({ pointer, value }: PlacedValue, step: string, most: number): PlacedValue[] {
  const placed = (name: string | number, inner: Json): PlacedValue => ({
    pointer: pointer + pointerStep(name),
    value: inner,
  });
  if (Array.isArray(value)) {
    return step === "*" ? value.slice(0, most + 1).map((inner, i) => placed(i, inner as Json)) : [];
  }
  if (!isObject(value)) return [];
  if (step === "*") {
    return Object.entries(value)
      .slice(0, most + 1)
      .map(([name, inner]) => placed(name, inner));
  }
  const inner = Object.hasOwn(value, step) ? value[step] : undefined;
  return inner === undefined || inner === null ? [] : [placed(step, inner)];
}
