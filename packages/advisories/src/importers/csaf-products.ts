import { list, type Members, object, wrong } from "./members.ts";

/** A package of one product: what a product id of a document stands for. */
export interface CsafProduct {
  /** CPE of the product, without its prefix: `enterprise_linux:9::baseos`. */
  readonly platform: string;
  readonly name: string;
  /** `EPOCH:VERSION-RELEASE`; absent where every version is meant. */
  readonly version?: string;
  /** `src` for source packages. */
  readonly architecture?: string;
}

interface Package {
  readonly name: string;
  readonly version?: string;
  readonly architecture?: string;
}

const deepest = 32;
const mostProducts = 500_000;

/** Resolves the product ids of a CSAF document (2.0, section 3.2.2). @throws ADVISORY_MALFORMED */
export function csafProducts(tree: Members): (productId: string) => CsafProduct | undefined {
  const platforms = new Map<string, string>();
  const packages = new Map<string, Package>();
  const relations = new Map<string, { readonly part: string; readonly whole: string }>();
  let seen = 0;
  const walk = (branches: unknown, depth: number): void => {
    if (depth > deepest) wrong(`at most ${deepest} levels of branches`);
    for (const each of list(branches, "branches", mostProducts)) {
      if (++seen > mostProducts) wrong(`at most ${mostProducts} products`);
      const branch = object(each, "a branch");
      if (branch["product"] !== undefined) note(object(branch["product"], "a product"));
      if (branch["branches"] !== undefined) walk(branch["branches"], depth + 1);
    }
  };
  const note = (product: Members): void => {
    const { product_id: id, product_identification_helper: helper } = product;
    if (typeof id !== "string" || typeof helper !== "object" || helper === null) return;
    const { cpe, purl } = helper as Members;
    const platform = typeof cpe === "string" ? /^cpe:\/[aoh]:redhat:([\w.:~%+-]{1,120})$/.exec(cpe)?.[1] : undefined;
    if (platform !== undefined) platforms.set(id, platform.replace(/:+$/, ""));
    const found = typeof purl === "string" ? packageOf(purl) : undefined;
    if (found !== undefined) packages.set(id, found);
  };
  walk(tree["branches"], 0);
  for (const each of list(tree["relationships"], "relationships", mostProducts)) {
    const {
      product_reference: part,
      relates_to_product_reference: whole,
      full_product_name,
    } = object(each, "a relationship");
    const id = object(full_product_name, "full_product_name")["product_id"];
    if (typeof id !== "string" || typeof part !== "string" || typeof whole !== "string") {
      return wrong("a relationship with three products");
    }
    relations.set(id, { part, whole });
  }
  /** Through what a product is a part of: a module lies between a package and its platform. */
  const platformOf = (id: string): string | undefined => {
    let at: string | undefined = id;
    for (let steps = 0; at !== undefined && steps < 8; steps++) {
      const platform = platforms.get(at);
      if (platform !== undefined) return platform;
      at = relations.get(at)?.whole;
    }
    return undefined;
  };
  return (productId) => {
    const relation = relations.get(productId);
    if (relation === undefined) return undefined;
    const found = packages.get(relation.part);
    const platform = platformOf(relation.whole);
    return found === undefined || platform === undefined ? undefined : { platform, ...found };
  };
}

/** A package URL of Red Hat's rpm packages; other types (images, jars) are none. */
function packageOf(purl: string): Package | undefined {
  const match = /^pkg:rpm\/redhat\/([\w.+%~-]{1,200})(?:@([\w.+%~^:-]{1,200}))?(?:\?([^#]{1,1000}))?$/.exec(purl);
  if (match === null) return undefined;
  const [, name = "", version, query = ""] = match;
  const qualifiers = new URLSearchParams(query);
  const epoch = qualifiers.get("epoch");
  const architecture = qualifiers.get("arch");
  if (epoch !== null && !/^\d{1,10}$/.test(epoch)) return undefined;
  return {
    name: decoded(name),
    ...(version === undefined ? {} : { version: `${epoch ?? "0"}:${decoded(version)}` }),
    ...(architecture === null ? {} : { architecture }),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
