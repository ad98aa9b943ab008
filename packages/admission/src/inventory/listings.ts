import { isFactoryError, type Json, parseJson } from "@touchmark/core";
import { readYamlTrees, type YamlTree } from "@touchmark/formats/container-files";
import { isObject, textMember } from "../review/object.ts";
import { imagePlaces, type PlacesOf } from "../review/places.ts";
import { inventoryErrors } from "./errors.ts";
import { checkedInventory, type Inventory, inventoryLimits, listingText } from "./item.ts";
import { objectItems } from "./objects.ts";

/** What `kubectl get pods -A -o json` gives, or any other listing of workloads. @throws INVENTORY_* */
export function clusterItems(bytes: Uint8Array, name: string, places: PlacesOf = imagePlaces([])): Inventory {
  const listing = readListing(listingText(bytes, name), name);
  return checkedInventory(objectItems([listing], places, name), name);
}

/** Manifests of Kubernetes, any number in one file, YAML or JSON. @throws INVENTORY_* */
export function manifestItems(bytes: Uint8Array, name: string, places: PlacesOf = imagePlaces([])): Inventory {
  const text = listingText(bytes, name);
  let trees: readonly YamlTree[];
  try {
    trees = readYamlTrees(text);
  } catch (cause) {
    if (!isFactoryError(cause)) throw cause;
    throw inventoryErrors.make("INVENTORY_MALFORMED", `${name}: ${cause.message}`, { cause });
  }
  const objects = trees.map(plainOf).filter((each) => each !== null);
  return checkedInventory(objectItems(objects, places, name), name);
}

/** True for a file that says of itself that it is a manifest of Kubernetes. */
export function looksLikeManifests(bytes: Uint8Array): boolean {
  if (bytes.length > 16 * 1024 * 1024) return false;
  const text = Buffer.from(bytes).toString("utf8");
  return /^\s*["']?apiVersion["']?\s*:/m.test(text) && /^\s*["']?kind["']?\s*:/m.test(text);
}

/** Lines of `REFERENCE [NAMESPACE]`, `#` begins a remark; or a JSON list of references or `{reference, namespace}`. @throws INVENTORY_* */
export function fileItems(bytes: Uint8Array, name: string): Inventory {
  const text = listingText(bytes, name);
  const items = text.trimStart().startsWith("[") ? jsonItems(readListing(text, name), name) : lineItems(text);
  return checkedInventory({ items, passedOver: [] }, name);
}

function lineItems(text: string) {
  return text.split("\n").flatMap((line, i) => {
    const [reference, namespace] = line
      .replace(/(?:^|\s)#.*$/, "")
      .trim()
      .split(/\s+/);
    if (reference === undefined || reference === "") return [];
    return [{ reference, ...(namespace === undefined ? {} : { namespace }), where: `line ${i + 1}` }];
  });
}

function jsonItems(listing: Json, name: string) {
  const list = Array.isArray(listing) ? listing : [];
  return list.map((each: Json, i) => {
    const reference = typeof each === "string" ? each : textMember(each, "reference");
    const namespace = isObject(each) ? textMember(each, "namespace") : undefined;
    if (reference === undefined) {
      throw inventoryErrors.make("INVENTORY_MALFORMED", `expected a reference in entry ${i} of ${name}`);
    }
    const where = (isObject(each) ? textMember(each, "where") : undefined) ?? `entry ${i}`;
    return { reference, ...(namespace === undefined ? {} : { namespace }), where };
  });
}

function readListing(text: string, name: string): Json {
  try {
    return parseJson(text, { maxBytes: inventoryLimits.bytes });
  } catch (cause) {
    throw inventoryErrors.make("INVENTORY_MALFORMED", `${name}: ${(cause as Error).message}`, { cause });
  }
}

/** Scalars as their texts: names and references are all that is looked at. */
function plainOf(tree: YamlTree): Json {
  if (tree.kind === "text") return tree.text === "" ? null : tree.text;
  if (tree.kind === "list") return tree.items.map(plainOf);
  return Object.fromEntries([...tree.members].map(([key, value]) => [key, plainOf(value)]));
}
