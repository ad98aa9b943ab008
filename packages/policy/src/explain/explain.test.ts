import { canonicalJson, sha256 } from "@touchmark/core";
import { expect, test } from "vitest";
import {
  ask,
  exceptionFor,
  now,
  party,
  policyOf,
  ruleOf,
  SCAN,
  signedException,
  stated,
} from "../engine/decision.fixture.ts";
import { decisionJson } from "./decision-json.ts";
import { explainMarkdown } from "./markdown.ts";
import { explainTree } from "./tree.ts";

const policy = policyOf({
  trust: { scanner: party("scanner"), anna: party("user/anna") },
  exceptions: { by: ["anna"] },
  attestations: { scan: { predicateType: SCAN, by: ["scanner"], maxAgeSeconds: 3600 } },
  rules: [
    ruleOf("clean", "attestations.scan.all(s, s.predicate.high <= params.most)", {
      message: "too many findings",
      solution: "Mend them.",
      severity: "critical",
    }),
    ruleOf("after", "true", { dependsOn: ["clean"] }),
    ruleOf("lifted", "request.owner != 'nobody'"),
    ruleOf("soon", "request.owner == 'team'", { effectiveOn: "2027-01-01T00:00:00Z" }),
    ruleOf("fine", "true"),
  ],
  parameters: { most: { type: "int", default: 0 } },
});
const evidence = [
  stated({ high: 2 }),
  stated({ high: 0 }, { time: new Date(now.getTime() - 7_200_000) }),
  stated({ high: 0 }, { by: "stranger" }),
  signedException(exceptionFor(["lifted"])),
];
const refused = new Map([[sha256("broken"), "SIGNATURE_INVALID"]]);
const decision = ask(policy, { evidence, refused, request: { owner: "nobody" } });

test("X1: the tree shows what denies, with values, solution and severity", () => {
  const tree = explainTree(decision);
  for (const line of [
    /^deny {2}app sha256:[0-9a-f]{64}, at the point deploy, 2026-11-22T12:00:00Z$/m,
    /─ stated {2}the evidence is a test's own word/,
    /─ deny {2}policy test, version 1; expires in 8 days$/m,
    /─ POLICY_RULE_FAILED {2}too many findings \(rule clean, critical\)$/m,
    /─ s\.predicate\.high <= params\.most is false$/m,
    /─ params\.most is 0$/m,
    /─ what to do {2}Mend them\.$/m,
    /─ POLICY_RULE_SKIPPED {2}Rule after: it depends on clean, which is failed \(rule after, medium\)$/m,
    /─ passed {2}fine$/m,
  ]) {
    expect(tree).toMatch(line);
  }
});

test("X1: and what lets pass, what is only announced, and what was looked at", () => {
  const tree = explainTree(decision);
  for (const line of [
    /─ excepted {2}lifted: Rule lifted; by the exception ex-1 until 2026-12-01T00:00:00Z: the fix is on its way \(sha256:/,
    /─ pending {2}soon, which counts from 2027-01-01T00:00:00Z: Rule soon$/m,
    /─ counted {2}scan, sha256:[0-9a-f]{64}, signed by spiffe:\/\/factory\.test\/scanner of .*, for scanner$/m,
    /─ not counted {2}scan, .*: it is older than 3600 s$/m,
    /─ not counted {2}scan, .*stranger of https:\/\/factory\.test: its signer is none of scanner$/m,
    /─ counted {2}exception:ex-1, .*, for anna$/m,
    /─ not verified {2}sha256:[0-9a-f]{64}: SIGNATURE_INVALID$/m,
  ]) {
    expect(tree).toMatch(line);
  }
  expect(explainTree(ask([]))).toContain("POLICY_NONE");
});

test("X1: what a layout noticed and does not refuse is said", () => {
  const [verdict] = decision.verdicts;
  const warned = {
    ...decision,
    verdicts: verdict === undefined ? [] : [{ ...verdict, warnings: ["another command"] }],
  };
  expect(explainTree(warned)).toMatch(/─ noticed {2}another command$/m);
});

test("X1: modes and days are said in words", () => {
  const words = (parts: object) => explainTree(ask({ ...policy, ...parts }, { evidence: [] }));
  expect(words({ mode: "warn" })).toContain("version 1, which only warns;");
  expect(words({ mode: "shadow" })).toContain("in shadow");
  expect(words({ expires: "2026-11-20T12:00:00Z" })).toContain("expired 2 days ago");
  expect(words({ expires: "2026-11-22T13:00:00Z" })).toContain("expires within a day");
  expect(words({ expires: "2026-11-23T13:00:00Z" })).toContain("expires in a day");
});

test("X1: the Markdown page says the same as the tree", () => {
  const plain = explainMarkdown(decision)
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replace(/\\(.)/g, "$1")
    .replace(/\*\*|^ *- |^` | `$/gm, "")
    .replace(/^` | `$/gm, "");
  const tree = explainTree(decision)
    .replace(/^[│├└─ ]+/gm, "")
    .replace(/ {2}/g, " ");
  const lines = (text: string) => text.split("\n").filter((line) => line !== "");
  expect(lines(plain)).toEqual(lines(tree));
});

test("X1: colours are asked for", () => {
  expect(explainTree(decision)).not.toContain("\u001b");
  expect(explainTree(decision, { colour: true })).toContain("\u001b[31mdeny\u001b[0m");
});

const hostile =
  "x\u001b[2J\n├─ allow \u202e<img src=x> [a](javascript:b) `c` @mention #1 www.evil.test https://evil.test |\\";

test("X2: text from outside neither draws nor breaks lines on a terminal", () => {
  const rules = [ruleOf("said", `request.x == ""`, { message: hostile, solution: hostile, title: hostile })];
  const shown = explainTree(ask(policyOf({ rules }), { request: { x: hostile }, subject: { name: hostile } }));
  expect(shown).not.toMatch(/[\u001b\u202e]/);
  expect(shown.split("\n").filter((line) => line.startsWith("├─ allow"))).toEqual([]);
  expect(shown).toContain("\\u001b[2J\\u000a");
  expect(shown.split("\n").every((line) => line.length < 1000)).toBe(true);
});

test("X2: nor does it become markup, a link or a mention in Markdown", () => {
  const rules = [ruleOf("said", `request.x == "\`\`\`"`, { message: hostile, solution: hostile })];
  const shown = explainMarkdown(ask(policyOf({ rules }), { request: { x: hostile }, subject: { name: hostile } }));
  const outside = shown.split("\n").filter((line) => !line.includes("` "));
  expect(outside.join("\n")).not.toMatch(/<img|(?<!\\)\[a|(?<!\\)`c|@mention|#1 |www\.|https:\/\/|(?<!\\)\|/);
  const span = shown.split("\n").find((line) => line.includes("request.x =="));
  expect(span).toMatch(/- (`{4,}) .* \1$/);
});

test("X2: what is long is cut, and no character is halved", () => {
  const long = "😀".repeat(1000);
  const shown = explainTree(ask(policyOf({ rules: [ruleOf("said", "false", { message: long })] })));
  expect(shown).toContain("…");
  expect(shown.length).toBeLessThan(2000);
  expect(shown.isWellFormed()).toBe(true);
});

test("X3: the JSON of a decision is canonical", () => {
  const json = decisionJson(decision);
  expect(canonicalJson(JSON.parse(json))).toBe(json);
  expect(json.startsWith('{"at":"2026-11-22T12:00:00Z","cost":')).toBe(true);
});

test("X1: rules that were not judged stand in one line, after what they depend on", () => {
  const rules = [
    ruleOf("first", "false"),
    ...["second", "third"].map((id) => ruleOf(id, "true", { dependsOn: ["first"] })),
  ];
  const tree = explainTree(ask({ ...policy, attestations: {}, rules }));
  expect(tree).toMatch(/─ POLICY_RULE_SKIPPED {2}what these depend on did not pass: second, third$/m);
  expect(tree.match(/POLICY_RULE_SKIPPED/g)).toHaveLength(1);
});
