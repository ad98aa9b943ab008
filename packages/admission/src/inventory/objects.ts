import { isFactoryError } from "@touchmark/core";
import { type ImageUse, imagesOf } from "../review/images.ts";
import { isObject, type JsonObject, member, textMember } from "../review/object.ts";
import type { PlacesOf } from "../review/places.ts";
import type { GroupKind } from "../review/review.ts";
import { inventoryErrors } from "./errors.ts";
import type { Inventory, InventoryItem } from "./item.ts";

/** Groups of Kubernetes itself: kinds of theirs that are not known to name images name none. */
const ownGroups = /^(?:|apps|batch|autoscaling|policy|[a-z0-9.-]+\.k8s\.io)$/;

/** Images of objects of Kubernetes; lists of objects are followed. @throws INVENTORY_MALFORMED */
export function objectItems(objects: readonly unknown[], places: PlacesOf, name: string): Inventory {
  const items: InventoryItem[] = [];
  const passedOver: string[] = [];
  const waiting = [...objects].reverse();
  while (waiting.length > 0) {
    const object = waiting.pop() as JsonObject;
    const kind = kindOf(object, name);
    const listed = member(object, "items");
    if (kind.kind.endsWith("List") && Array.isArray(listed)) {
      // Elements of a typed list do not repeat what they are.
      for (let i = listed.length - 1; i >= 0; i--) waiting.push(withKind(listed[i], object, kind));
      continue;
    }
    if (places(kind) === undefined) {
      if (!ownGroups.test(kind.group)) passedOver.push(`${kind.group}/${kind.kind}: nobody said where it names images`);
      continue;
    }
    try {
      items.push(...imagesOf(object, kind, places).map((use) => itemOf(object, kind, use)));
    } catch (error) {
      if (!isFactoryError(error)) throw error;
      throw inventoryErrors.make("INVENTORY_MALFORMED", `${name}: ${titleOf(object, kind)}: ${error.message}`, {
        cause: error,
      });
    }
  }
  return { items, passedOver: [...new Set(passedOver)] };
}

function withKind(element: unknown, list: JsonObject, { kind }: GroupKind): unknown {
  if (!isObject(element as never) || kind === "List") return element;
  const own = element as JsonObject;
  return { apiVersion: textMember(list, "apiVersion") ?? "v1", kind: kind.slice(0, -"List".length), ...own };
}

function kindOf(object: unknown, name: string): GroupKind {
  const kind = isObject(object as never) ? textMember(object as JsonObject, "kind") : undefined;
  const version = isObject(object as never) ? textMember(object as JsonObject, "apiVersion") : undefined;
  if (kind === undefined || version === undefined) {
    throw inventoryErrors.make("INVENTORY_MALFORMED", `expected objects with apiVersion and kind in ${name}`);
  }
  return { group: version.includes("/") ? version.slice(0, version.indexOf("/")) : "", kind };
}

const titleOf = (object: JsonObject, { kind }: GroupKind): string =>
  `${kind}/${textMember(member(object, "metadata"), "name") ?? "?"}`;

function itemOf(object: JsonObject, kind: GroupKind, use: ImageUse): InventoryItem {
  const namespace = textMember(member(object, "metadata"), "namespace");
  const running = use.role === "volume" ? undefined : runningImage(object, use.name);
  return {
    reference: running ?? use.reference,
    ...(namespace === undefined ? {} : { namespace }),
    where: `${titleOf(object, kind)} ${use.role} ${use.name}`,
  };
}

/** By digest what a pod really runs, whatever its tag means by now. A bare digest would be that of the configuration. */
function runningImage(pod: JsonObject, container: string): string | undefined {
  const status = member(pod, "status");
  for (const list of ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"]) {
    const statuses = member(status, list);
    if (!Array.isArray(statuses)) continue;
    const own = statuses.find((each) => textMember(each, "name") === container);
    const id = textMember(own, "imageID")?.replace(/^[a-z-]+:\/\//, "");
    if (id !== undefined && /^[^@\s]+@sha256:[0-9a-f]{64}$/.test(id)) return id;
  }
  return undefined;
}
