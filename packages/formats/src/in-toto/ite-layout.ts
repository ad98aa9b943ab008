import { isUtf8 } from "node:buffer";
import type { Json } from "@touchmark/core";
import { PipelineFileError } from "../pipeline/errors.ts";
import { readYaml } from "../pipeline/yaml-reader.ts";
import { documentLimits, isBracketed } from "../policy/document-limits.ts";
import type { ArtifactRule, Layout, LayoutInspection, LayoutStep } from "../policy/layout.ts";
import type { Functionary, PolicyRule } from "../policy/policy.ts";
import { readArtifactRule } from "./artifact-rules.ts";
import { DocumentMembers, malformed } from "./document-members.ts";
import { inTotoErrors } from "./errors.ts";
import { checkedLayout, functionaryName, type LayoutNaming } from "./from-classic.ts";
import { iteExpression } from "./ite-expression.ts";
import { readClassicKey } from "./key.ts";

const linkType = "https://in-toto.io/attestation/link/v0.3";
/** A rule that only warns is one whose failure is announced, and never more. */
const never = "9999-12-31T23:59:59Z";

type Attestations = NonNullable<LayoutStep["attestations"]>;

/**
 * Reads a layout in the shape of ITE-10 and ITE-11 (YAML) as one of ours. What its prototype leaves out is enforced:
 * subjects, inspections, thresholds. `allowIfNoClaim` is not followed: an absent claim passes nothing.
 * @throws INTOTO_MALFORMED | INTOTO_TOO_LARGE | INTOTO_UNKNOWN_FIELD | INTOTO_REFERENCE | INTOTO_KEY_MALFORMED | INTOTO_KEY_UNSUPPORTED | INTOTO_NOT_REPRESENTABLE
 */
export function readIteLayout(bytes: Uint8Array, naming: LayoutNaming): Layout {
  const top = new DocumentMembers(open(bytes), "layout");
  const expires = top.text("expires");
  const names = new Map<string, string>();
  const functionaries: Record<string, Functionary> = {};
  for (const [id, value] of top.entries("functionaries")) {
    const [name, functionary] = readFunctionary(id, value);
    names.set(id, name);
    functionaries[name] = functionary;
  }
  const steps = top.objects("steps", 200).map((step) => readStep(step, names));
  const last = steps.at(-1);
  if (last === undefined) throw malformed("expected a step at layout.steps, found none");
  const subjects = top.objects("subjects", 100).map((subject) => {
    const products = subject.texts("subject", 1000);
    const wanted = subject.objects("expectedPredicates", 100).map((each) => readWanted(each, names));
    subject.end();
    return { products, wanted };
  });
  const inspections = top.objects("inspections", 50).map(readInspection);
  top.end();
  const aboutSubjects = subjects.flatMap(({ wanted }) => wanted);
  return checkedLayout({
    touchmark: "layout/v1",
    name: naming.name,
    version: naming.version ?? 1,
    expires,
    functionaries,
    // What is wanted of a subject is wanted of the products of the step that makes it.
    steps: steps.map((step) => (step === last ? { ...step, ...added(step.attestations, aboutSubjects) } : step)),
    ...(inspections.length === 0 ? {} : { inspections }),
    subjects:
      subjects.length === 0
        ? [{ step: last.name }]
        : subjects.map(({ products }) => ({ step: last.name, ...(products.length === 0 ? {} : { products }) })),
  });
}

function open(bytes: Uint8Array): Json {
  if (!isUtf8(bytes)) throw malformed("expected text in UTF-8");
  const text = bytes.length > documentLimits.bytes ? "" : Buffer.from(bytes).toString("utf8");
  if (bytes.length > documentLimits.bytes || isBracketed(text)) {
    throw inTotoErrors.make("INTOTO_TOO_LARGE", `expected at most ${documentLimits.bytes} bytes, and few levels`);
  }
  try {
    return readYaml(text, "layout", documentLimits).value;
  } catch (cause) {
    if (cause instanceof PipelineFileError) throw malformed(cause.message, cause);
    throw cause;
  }
}

function readFunctionary(id: string, value: Json): readonly [string, Functionary] {
  const place = `layout.functionaries[${id.slice(0, 16)}]`;
  const members = new DocumentMembers(value, place);
  const keyval = new DocumentMembers(members.required("keyVal"), `${place}.keyVal`);
  const identity = keyval.optionalText("identity") ?? "";
  const issuer = keyval.optionalText("issuer") ?? "";
  const text = keyval.optionalText("public") ?? "";
  keyval.end();
  const keytype = members.text("keyType");
  const scheme = members.text("scheme");
  members.list("keyIDHashAlgorithms", 16);
  if ((members.optionalText("keyID") ?? id) !== id) throw malformed(`expected keyID ${id.slice(0, 80)} at ${place}`);
  members.end();
  if (identity !== "") {
    if (issuer === "" || text !== "") throw malformed(`expected identity and issuer, and no key, at ${place}.keyVal`);
    return [`identity_${id.replaceAll(/[^A-Za-z0-9]/g, "_").slice(0, 48)}`, { identities: [{ identity, issuer }] }];
  }
  const key = readClassicKey({ keyid: id, keytype, scheme, keyval: { public: text } }, place);
  return [functionaryName(key), { keys: [key.digest] }];
}

function readStep(members: DocumentMembers, names: ReadonlyMap<string, string>): LayoutStep {
  const name = members.text("name");
  const command = commandOf(members);
  const materials = rules(members, "expectedMaterials");
  const products = rules(members, "expectedProducts");
  const wanted = members.objects("expectedPredicates", 100).map((each) => readWanted(each, names));
  // Before predicates were a list, a step had one.
  const single = members.optional("expectedPredicateType");
  if (single !== undefined) wanted.push(wantedOf(members, "expectedPredicateType", names, members.path));
  members.end();
  const link = wanted.find(({ predicateType }) => predicateType === linkType);
  const functionaries = [...new Set((link === undefined ? wanted : [link]).flatMap((each) => each.functionaries))];
  return {
    name,
    functionaries,
    ...(link?.threshold === undefined ? {} : { threshold: link.threshold }),
    ...(command.length === 0 ? {} : { command }),
    materials,
    products,
    ...added([], wanted),
  };
}

function added(first: Attestations | undefined, more: Attestations): { readonly attestations?: Attestations } {
  const all = [...(first ?? []), ...more];
  return all.length === 0 ? {} : { attestations: all };
}

function readWanted(members: DocumentMembers, names: ReadonlyMap<string, string>): Attestations[number] {
  const wanted = wantedOf(members, "predicateType", names, members.path);
  members.end();
  return wanted;
}

function wantedOf(
  members: DocumentMembers,
  typeMember: string,
  names: ReadonlyMap<string, string>,
  place: string,
): Attestations[number] {
  const predicateType = members.text(typeMember);
  const threshold = members.optional("threshold") ?? 0;
  if (!Number.isSafeInteger(threshold) || Number(threshold) < 0)
    throw malformed(`expected a number at ${place}.threshold`);
  const functionaries = members.texts("functionaries", 100).map((id) => {
    const name = names.get(id);
    if (name !== undefined) return name;
    throw inTotoErrors.make("INTOTO_REFERENCE", `${place} names ${id.slice(0, 80)}, which is no functionary`);
  });
  const constraints = attributeRules(members);
  return {
    predicateType,
    functionaries: [...new Set(functionaries)],
    ...(threshold === 0 ? {} : { threshold: Number(threshold) }),
    ...(constraints.length === 0 ? {} : { rules: constraints }),
  };
}

function attributeRules(members: DocumentMembers): PolicyRule[] {
  return members.objects("expectedAttributes", 100).map((each, i) => {
    const rule = each.text("rule");
    const warns = each.optional("warn") === true;
    each.optional("allowIfNoClaim");
    const debug = each.optionalText("debug");
    each.end();
    return {
      id: `attribute-${i + 1}`,
      title: rule.replaceAll(/\s+/g, " ").slice(0, 200),
      expression: iteExpression(rule),
      ...(debug === undefined || debug === "" ? {} : { message: debug }),
      ...(warns ? { effectiveOn: never } : {}),
    };
  });
}

function readInspection(members: DocumentMembers): LayoutInspection {
  const name = members.text("name");
  const command = commandOf(members);
  if (members.list("predicates", 1000).length > 0) {
    const text = `inspection ${name.slice(0, 80)} is given predicates, which a sealed command is not`;
    throw inTotoErrors.make("INTOTO_NOT_REPRESENTABLE", text);
  }
  const materials = rules(members, "expectedMaterials");
  const products = rules(members, "expectedProducts");
  const constraints = attributeRules(members);
  members.end();
  return { name, command, materials, products, ...(constraints.length === 0 ? {} : { rules: constraints }) };
}

/** One text of words, without quoting, or a list. */
function commandOf(members: DocumentMembers): readonly string[] {
  const command = members.optional("command") ?? "";
  if (typeof command !== "string") return members.texts("command", 1000);
  if (!/["'\\`$|&;<>(){}*?]/.test(command)) return command.split(/\s+/).filter((word) => word !== "");
  const text = `the command at ${members.path} needs a shell; write it as a list of words`;
  throw inTotoErrors.make("INTOTO_NOT_REPRESENTABLE", text);
}

function rules(members: DocumentMembers, name: string): readonly ArtifactRule[] {
  return members.texts(name, 1000).map((rule, i) => {
    const place = `${members.path}.${name}[${i}]`;
    if (!/\{[A-Za-z_][A-Za-z0-9_-]*\}/.test(rule)) return readArtifactRule(rule.split(" "), place);
    const text = `${place} has a parameter, whose value would be part of a pattern: write the pattern out`;
    throw inTotoErrors.make("INTOTO_NOT_REPRESENTABLE", text);
  });
}
