import { predicateType } from "../predicates/catalogue.ts";
import type { Link } from "../predicates/link.ts";
import type { DigestSet, Statement } from "../statement.ts";
import { inTotoErrors } from "./errors.ts";
import type { ClassicArtifacts, ClassicLink } from "./link.ts";

/**
 * A link statement for classic tools. Those know no time-stamps, so that a certificate of minutes could never be checked
 * later: who exports one signs it with a long-lived key of its own, which our verifier does not count.
 * @throws INTOTO_NOT_REPRESENTABLE for no link, a name that is no file's, and artifacts without name or digest
 */
export function classicFromLink(statement: Statement<Link>): ClassicLink {
  if (statement.predicateType !== predicateType("link")) throw impossible(`a ${statement.predicateType}`);
  const { name, command = [], materials = [], byproducts = {}, environment = {} } = statement.predicate;
  if (!/^[A-Za-z0-9._-]+$/.test(name)) throw impossible("a step whose name can be no file's");
  return {
    ...{ name, command },
    byproducts: byproducts as ClassicLink["byproducts"],
    environment: environment as ClassicLink["environment"],
    materials: artifacts(materials),
    products: artifacts(statement.subject),
  };
}

function artifacts(list: readonly { readonly name?: string; readonly digest?: DigestSet }[]): ClassicArtifacts {
  const found = new Map<string, DigestSet>();
  for (const { name, digest } of list) {
    if (name === undefined || digest === undefined) throw impossible("an artifact without name or digest");
    if (found.has(name)) throw impossible("two artifacts of one name");
    found.set(name, digest);
  }
  return Object.fromEntries(found);
}

function impossible(what: string): Error {
  return inTotoErrors.make("INTOTO_NOT_REPRESENTABLE", `expected a link with a classic form, found ${what}`);
}
