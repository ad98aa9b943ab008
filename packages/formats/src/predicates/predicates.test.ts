import { existsSync, readdirSync, readFileSync } from "node:fs";
import { sha256 } from "@touchmark/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { parseStatement, serializeStatement } from "../statement.ts";
import { predicateDocuments, predicateSchema } from "./documents.ts";
import { predicateExamples } from "./examples.ts";
import {
  assertMayAttest,
  factoryPredicateTypes,
  type PredicateName,
  predicateName,
  predicates,
  predicateType,
  readPredicate,
  requestSubject,
  sourceSubject,
  statementOf,
  subjectOf,
} from "./index.ts";

const names = Object.keys(predicates) as PredicateName[];
const ownNames = names.filter((name) => predicates[name].kind === "own");
const refusal = (code: string) => expect.objectContaining({ code });
const repository = new URL("../../../../", import.meta.url);
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test.each(names)("P1: the example of %s is read, and survives a statement", (name) => {
  const example = predicateExamples[name];
  expect(readPredicate(name, plain(example))).toEqual(plain(example));
  const statement = statementOf(name, [subjectOf("artifact", sha256("x"))], example as never);
  expect(statement.predicateType).toBe(predicateType(name));
  expect(predicateName(statement.predicateType)).toBe(name);
  expect(parseStatement(serializeStatement(statement)).predicate).toEqual(plain(example));
});

test.each(ownNames)("P2: %s names its run, its time and its predecessors", (name) => {
  for (const member of ["run", "createdAt", "predecessors"]) {
    const { [member]: _, ...rest } = plain(predicateExamples[name]) as Record<string, unknown>;
    expect(() => readPredicate(name, rest), member).toThrow(refusal("PREDICATE_MALFORMED"));
  }
});

/** Every place in a document: the path to each object in it. */
function objects(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== "object" || value === null) return [];
  const inner = Object.entries(value).flatMap(([key, each]) =>
    objects(each, [...path, Array.isArray(value) ? Number(key) : key]),
  );
  return Array.isArray(value) ? inner : [path, ...inner];
}
function at(root: unknown, path: (string | number)[]): Record<string, unknown> {
  return path.reduce((value, key) => (value as Record<string, unknown>)[key], root) as Record<string, unknown>;
}

// Objects with free names: anything may stand there.
const freeNames = /\.(parameters|values|namespaces|constants|limits|trust|attestations|functionaries)$/;

test.each(ownNames)("P3: an unknown member anywhere in %s is refused", (name) => {
  for (const path of objects(plain(predicateExamples[name]))) {
    if (freeNames.test(`.${path.join(".")}`)) continue;
    const changed = plain(predicateExamples[name]);
    at(changed, path)["unknownMember"] = true;
    expect(() => readPredicate(name, changed), path.join(".")).toThrow(refusal("PREDICATE_UNKNOWN_FIELD"));
  }
});

test.each(["link", "runtime-trace", "provenance"] as const)(
  "P3: an unknown member of the standard %s is left alone, and one in our extension is refused",
  (name) => {
    const changed = plain(predicateExamples[name]) as Record<string, Record<string, unknown>>;
    changed["vendor_extension"] = {};
    expect(() => readPredicate(name, changed)).not.toThrow();
    at(changed, ["touchmark_chain"])["unknownMember"] = true;
    expect(() => readPredicate(name, changed)).toThrow(refusal("PREDICATE_UNKNOWN_FIELD"));
  },
);

/** JSON values of every kind that a member could be exchanged for. */
const strange = fc.oneof(
  fc.constantFrom(null, true, 0, -1, 1.5, 2 ** 60, "", "x", "sha256:0", "2026-11-21", [], {}, "a\u0000b"),
  fc.jsonValue({ maxDepth: 2 }),
);

test.each(names)("P4: the reader and the published schema of %s accept the same documents", (name) => {
  // zod reads the JSON Schema as any consumer would: an implementation of its own.
  const schema = z.fromJSONSchema(predicateSchema(name));
  const reads = (value: unknown): boolean => {
    try {
      readPredicate(name, value);
      return true;
    } catch {
      return false;
    }
  };
  const example = plain(predicateExamples[name]);
  expect(schema.safeParse(example).error?.issues).toBeUndefined();
  const places = objects(example);
  fc.assert(
    fc.property(fc.constantFrom(...places), fc.nat(), strange, fc.boolean(), (path, choice, value, removes) => {
      const changed = plain(predicateExamples[name]);
      const target = at(changed, path);
      const keys = Object.keys(target);
      const key = keys[choice % Math.max(1, keys.length)] ?? "added";
      if (removes) delete target[key];
      else target[key] = value;
      expect(reads(changed), `${path.join(".")}.${key}`).toBe(schema.safeParse(changed).success);
    }),
    { numRuns: 150 },
  );
});

test("P5: the published documents are those of the code, and there are no others", () => {
  const documents = predicateDocuments();
  for (const { path, text } of documents) {
    const file = new URL(path, repository);
    expect(existsSync(file) ? readFileSync(file, "utf8") : "missing; run: npm run docs", path).toBe(text);
  }
  const expected = new Set(documents.map(({ path }) => path));
  const found = readdirSync(new URL("docs/formats/", repository), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".json"))
    .map((name) => `docs/formats/${name}`);
  // Schemas of documents that people write are no predicates; the check of generated documents compares them.
  const written =
    /\/(?:pipeline|(?:admission|advisories|environments|images|materials|registry|scan)-configuration|materials-lock|(?:policy|layout|exception|policy-set|policy-test)-document)\.schema\.json$/;
  expect(found.filter((path) => !expected.has(path) && !written.test(path))).toEqual([]);
  const readme = readFileSync(new URL("docs/formats/README.md", repository), "utf8");
  for (const name of names) expect(readme).toContain(predicateType(name));
});

test.each([
  "https://slsa.dev/provenance/v1",
  "https://slsa.dev/provenance/v0.2",
  "http://slsa.dev/provenance/v1",
  "https://slsa.dev//provenance/v1",
  "https://SLSA.dev/provenance/v1/",
  "https://slsa.dev/provenance/v1?x",
  "https://slsa.dev:443/provenance/v1",
  "https://x@slsa.dev/provenance/v1",
  "https://slsa.dev/%70rovenance/v1",
  "https://slsa.dev/verification_summary/v1",
  "https://in-toto.io/Link/v1",
  "https://in-toto.io/Provenance/v0.1",
  "https://touchmark.dev/predicates/release/v2",
  "https://touchmark.dev/predicates/Trigger/v1",
  ...factoryPredicateTypes,
])("P6: attest may not sign %s", (type) => {
  expect(() => assertMayAttest(type)).toThrow(refusal("PREDICATE_RESERVED"));
});

test.each(["https://example.org/tests/v1", "https://cyclonedx.org/bom", "urn:x:y", predicateType("review")])(
  "P6: attest may sign %s",
  (type) => {
    expect(() => assertMayAttest(type)).not.toThrow();
  },
);

test.each([
  "release",
  "",
  "https://touchmark.dev/predicates/unheard-of/v1",
  "https://touchmark.dev/predicates/review/v2",
])("P6: attest knows no type %j", (type) => {
  expect(() => assertMayAttest(type)).toThrow(refusal("PREDICATE_TYPE_UNKNOWN"));
});

test("P7: the subject of a trigger is the request, whatever the order of its members", () => {
  const { request } = predicateExamples.trigger;
  const shuffled = Object.fromEntries(Object.entries(request).reverse()) as typeof request;
  expect(requestSubject(shuffled)).toEqual(requestSubject(request));
  expect(requestSubject({ ...request, cache: false })).not.toEqual(requestSubject(request));
});

test("P7: the subject of a source has our digest and git's", () => {
  const { source } = predicateExamples;
  expect(sourceSubject(source)).toEqual({
    name: `${source.uri}@${source.commit}`,
    digest: { sha256: source.treeDigest.slice(7), gitCommit: source.commit, gitTree: source.tree },
  });
});

test("P8: a trace names every process, file and attempt, and says what may be missing", () => {
  const trace = predicateExamples["runtime-trace"];
  expect(trace.monitoredProcess.event).toBe("run/20261121-104231-4f1d/step/build");
  expect(trace.monitorLog.network).toEqual([
    {
      ip: "192.0.2.1",
      protocol: "tcp",
      call: "connect",
      family: "AF_INET",
      port: 443,
      result: "EPERM",
      count: 1,
      invokingProcess: { pid: 4711 },
    },
  ]);
  expect(trace.monitorLog.fileAccess?.[0]?.annotations).toEqual({ origin: "input", digestTime: "before-use" });
  expect(trace.touchmark_trace).toMatchObject({ complete: true, losses: [], refused: [{ call: "ptrace" }] });
});

test("P8: provenance separates what the caller decided from what the factory did", () => {
  const { buildDefinition, runDetails } = predicateExamples.provenance;
  expect(Object.keys(buildDefinition.externalParameters).sort()).toEqual([
    "insecure",
    "parameters",
    "pipeline",
    "source",
  ]);
  expect(buildDefinition.resolvedDependencies?.[0]?.digest).toEqual({ gitCommit: predicateExamples.source.commit });
  expect(runDetails.metadata?.invocationId).toBe("20261121-104231-4f1d");
});
