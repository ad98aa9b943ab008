import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { type ClassicArtifacts, type ClassicStep, writeClassicLayout } from "@touchmark/formats/in-toto";
import { type ArtifactRule, type Layout } from "@touchmark/formats/policy";
import { filesOnly, judgeLayout, type StepLink } from "@touchmark/policy";
import { findProgram } from "@touchmark/test-kit";
import fc from "fast-check";
import { expect, test } from "vitest";
import { people } from "./demo.fixture.ts";

/* The artifact rules of in-toto of Python, function by function, over the same random steps. */

const program = findProgram("in-toto-run");
const python = program === undefined ? "" : (readFileSync(program, "utf8").split("\n")[0] ?? "").slice(2).split(" ")[0];

/** Reads `{rules, items}` a line; says a line `true` when all rules of both steps hold. */
const script = `
import sys, json
from in_toto.verifylib import verify_all_item_rules
from in_toto.exceptions import RuleVerificationError
from in_toto.models.layout import Layout
from in_toto.models.link import Link
for line in sys.stdin:
    case = json.loads(line)
    layout = Layout.read(case["layout"])
    links = {name: Link(name=name, materials=m, products=p) for name, (m, p) in case["links"].items()}
    try:
        verify_all_item_rules(layout.steps, links)
        print("true")
    except RuleVerificationError:
        print("false")
`;

const paths = fc.constantFrom("a", "b", "d/a", "d/b", "d/e/a", "[a]", ".hidden");
const contents = fc.dictionary(paths, fc.constantFrom("1", "2"), { maxKeys: 6 });
const patterns = fc.oneof(
  fc.constantFrom("*", "a", "d/*", "?", "[ab]", "[!a]", "[[]a]", "d/?", "*/a", "*a", ".*", "[a-", "[]", "d/[!b-z]*"),
  fc.string({ unit: fc.constantFrom("a", "b", "d", "/", "*", "?", "[", "]", "!", "-"), minLength: 1, maxLength: 6 }),
);
const prefixes = fc.option(fc.constantFrom("d", "d/", "e", "d/e"), { nil: undefined });
const rules: fc.Arbitrary<ArtifactRule[]> = fc.array(
  fc.oneof(
    fc.record({
      rule: fc.constantFrom("ALLOW", "CREATE", "DELETE", "MODIFY", "DISALLOW", "REQUIRE"),
      pattern: patterns,
    }),
    fc
      .record({
        rule: fc.constant("MATCH" as const),
        pattern: patterns,
        in: prefixes,
        with: fc.constantFrom("materials" as const, "products" as const),
        to: prefixes,
        from: fc.constantFrom("one", "two"),
      })
      .map(({ in: own, to, ...rest }) => ({
        ...rest,
        ...(own === undefined ? {} : { in: own }),
        ...(to === undefined ? {} : { to }),
      })),
  ),
  { maxLength: 5 },
);
const steps = fc.tuple(
  ...(["one", "two"] as const).map((name) =>
    fc.record({
      name: fc.constant(name),
      materials: rules,
      products: rules,
      used: contents,
      made: contents,
    }),
  ),
);

function hashed(content: { readonly [path: string]: string }): ClassicArtifacts {
  return Object.fromEntries(Object.entries(content).map(([path, text]) => [path, { sha256: text.repeat(64) }]));
}

const digests = (content: { readonly [path: string]: string }) =>
  filesOnly(new Map(Object.entries(content).map(([path, text]) => [path, `sha256:${text.repeat(64)}`])));

type Case = readonly {
  name: string;
  materials: ArtifactRule[];
  products: ArtifactRule[];
  used: Record<string, string>;
  made: Record<string, string>;
}[];

function theirCase(steps: Case): string {
  const classic = steps.map(
    ({ name, materials, products }): ClassicStep => ({
      name,
      command: [],
      materials,
      products,
      threshold: 1,
      pubkeys: [],
    }),
  );
  const layout = { expires: "2099-01-01T00:00:00Z", readme: "", keys: {}, steps: classic, inspections: [] };
  const { signed } = JSON.parse(Buffer.from(writeClassicLayout(layout, [people.bob])).toString()) as { signed: object };
  const links = Object.fromEntries(steps.map(({ name, used, made }) => [name, [hashed(used), hashed(made)]]));
  return JSON.stringify({ layout: signed, links });
}

function ourVerdict(steps: Case): boolean {
  const key = people.bob.key.digest;
  const layout: Layout = {
    touchmark: "layout/v1",
    ...{ name: "random", version: 1, expires: "2099-01-01T00:00:00Z", functionaries: { bob: { keys: [key] } } },
    steps: steps.map(({ name, materials, products }) => ({ name, functionaries: ["bob"], materials, products })),
    subjects: [],
  };
  const links = steps.map(
    ({ name, used, made }): StepLink => ({
      ...{ statement: key, step: name, signer: { kind: "key", key }, run: undefined, alsoRuns: [], command: [] },
      ...{ exitCode: 0, materials: digests(used), products: digests(made) },
    }),
  );
  const now = new Date("2027-01-01T00:00:00Z");
  return (
    judgeLayout({ layout, links, subject: undefined, now, issuer: "", semantics: "in-toto" }).verdict === "satisfied"
  );
}

test.skipIf(python === "")(
  "IN4: two thousand random steps are judged as in-toto of Python judges them",
  () => {
    const cases = fc.sample(steps, 2000) as Case[];
    const input = `${cases.map(theirCase).join("\n")}\n`;
    const { stdout, stderr } = spawnSync(python ?? "", ["-c", script], { input, encoding: "utf8", maxBuffer: 1 << 28 });
    const theirs = stdout.trim().split("\n");
    expect(theirs, stderr).toHaveLength(cases.length);
    const different = cases.filter((each, index) => String(ourVerdict(each)) !== theirs[index]);
    expect(different).toEqual([]);
    expect(new Set(theirs)).toEqual(new Set(["true", "false"]));
  },
  120_000,
);
