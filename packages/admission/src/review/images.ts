import type { Json } from "@touchmark/core";
import { reviewErrors } from "./errors.ts";
import { isObject, type JsonObject, member, pointerStep, textMember } from "./object.ts";
import { type ImagePlace, kindName, type PlacedValue, type PlacesOf, valuesAt } from "./places.ts";
import type { GroupKind } from "./review.ts";

/** One use of an image in an object. */
export interface ImageUse {
  /** JSON Pointer of the reference. */
  readonly pointer: string;
  readonly reference: string;
  readonly role: "container" | "init" | "ephemeral" | "volume";
  /** Name of the container or volume, for a person. */
  readonly name: string;
}

/** Most containers and image volumes of one object. */
export const mostImages = 512;

/**
 * Every image that an object names, in the order of its places.
 * @throws ADMISSION_KIND_UNKNOWN | ADMISSION_OBJECT_MALFORMED | ADMISSION_IMAGES_TOO_MANY | ADMISSION_IMAGE_MISSING
 */
export function imagesOf(object: JsonObject, kind: GroupKind, placesOf: PlacesOf): readonly ImageUse[] {
  const places = placesOf(kind);
  if (places === undefined) {
    throw reviewErrors.make("ADMISSION_KIND_UNKNOWN", `expected a kind with known images, found ${kindName(kind)}`);
  }
  const uses: ImageUse[] = [];
  for (const place of places) {
    const values = valuesAt(object, place.path, mostImages);
    if (values.length === 0 && !place.isOptional) throw wrong(place, `/${place.path.join("/")}`, "an object");
    for (const value of values) {
      uses.push(...usesAt(value, place));
      if (uses.length > mostImages) throw tooMany(place);
    }
  }
  return uses;
}

function usesAt(value: PlacedValue, place: ImagePlace): readonly ImageUse[] {
  switch (place.shape) {
    case "image":
      return [use(value, "container", "", place)];
    case "container":
      return [containerUse(value, "container", place)];
    case "podSpec":
      return podUses(value, place);
    case "template": {
      const spec = member(value.value, "spec");
      if (spec === undefined) throw wrong(place, `${value.pointer}/spec`, "an object");
      return podUses({ pointer: `${value.pointer}/spec`, value: spec }, place);
    }
  }
}

const lists = [
  ["containers", "container"],
  ["initContainers", "init"],
  ["ephemeralContainers", "ephemeral"],
] as const;

function podUses({ pointer, value }: PlacedValue, place: ImagePlace): readonly ImageUse[] {
  if (!isObject(value)) throw wrong(place, pointer, "an object");
  const uses: ImageUse[] = [];
  for (const [name, role] of lists) {
    const containers = elements(value, name, pointer, place);
    uses.push(...containers.map((container) => containerUse(container, role, place)));
  }
  for (const volume of elements(value, "volumes", pointer, place)) {
    const image = member(volume.value, "image");
    if (image === undefined) continue;
    const name = textMember(volume.value, "name") ?? "";
    const reference = { pointer: `${volume.pointer}/image/reference`, value: member(image, "reference") ?? "" };
    uses.push(use(reference, "volume", name, place));
  }
  return uses;
}

function elements(pod: JsonObject, name: string, pointer: string, place: ImagePlace): readonly PlacedValue[] {
  const list = member(pod, name) ?? [];
  if (!Array.isArray(list)) throw wrong(place, pointer + pointerStep(name), "a list");
  if (list.length > mostImages) throw tooMany(place);
  return list.map((value: Json, i) => {
    const at = pointer + pointerStep(name) + pointerStep(i);
    if (!isObject(value)) throw wrong(place, at, "an object");
    return { pointer: at, value };
  });
}

function containerUse({ pointer, value }: PlacedValue, role: ImageUse["role"], place: ImagePlace): ImageUse {
  if (!isObject(value)) throw wrong(place, pointer, "a container");
  const image = { pointer: `${pointer}/image`, value: member(value, "image") ?? "" };
  return use(image, role, textMember(value, "name") ?? "", place);
}

function use({ pointer, value }: PlacedValue, role: ImageUse["role"], name: string, place: ImagePlace): ImageUse {
  if (typeof value !== "string") throw wrong(place, pointer, "a text");
  if (value === "") {
    throw reviewErrors.make("ADMISSION_IMAGE_MISSING", `expected an image at ${pointer} of ${kindName(place)}`);
  }
  return { pointer, reference: value, role, name };
}

function wrong(place: ImagePlace, pointer: string, expected: string): Error {
  return reviewErrors.make("ADMISSION_OBJECT_MALFORMED", `expected ${expected} at ${pointer} of ${kindName(place)}`);
}

function tooMany(place: ImagePlace): Error {
  const what = "containers and image volumes";
  return reviewErrors.make("ADMISSION_IMAGES_TOO_MANY", `expected at most ${mostImages} ${what} in ${kindName(place)}`);
}
