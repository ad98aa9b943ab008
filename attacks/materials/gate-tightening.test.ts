import { type ProjectGate, parsePipelineFile } from "@touchmark/formats/pipeline";
import { parseMaterialsConfiguration, tighten } from "@touchmark/materials";
import { expect, test } from "vitest";

const user = parseMaterialsConfiguration(
  `touchmark: materials/v1
upstreams:
  npm: [{ name: own, url: "https://own.example.com/", exclusive: ["@acme/*"] }]
gate:
  minimum-age: 7d
  third-party-review: new
  install-scripts: refuse
`,
  "/home/ada/materials.yaml",
);

/** `touchmark.yaml` of a revision that somebody else proposes. */
function proposed(materials: string): ProjectGate {
  const text = `touchmark: pipeline/v1\nproject: p\nmaterials: ${materials}\npipelines: { d: { steps: { s: { command: [a] } } } }\n`;
  return parsePipelineFile(text, "touchmark.yaml").materials;
}

test.each([
  "{ minimum-age: 0s }",
  "{ unlocked: { npm: record } }",
  "{ unlocked: { maven: signed } }",
  "{ third-party-review: 'off' }",
  "{ install-scripts: list }",
  "{ lookalike: 'off' }",
  "{ vanished-evidence: record }",
  "{ chatter: allow }",
  "{ sizes: { unpacked: 900GiB } }",
])("attack: a revision loosens the rules that judge it: %s", (materials) => {
  expect(() => tighten(user, proposed(materials))).toThrow(expect.objectContaining({ code: "GATE_LOOSENED" }));
});

test.each([
  "{ exceptions: [] }",
  "{ upstreams: { npm: [] } }",
  "{ install-scripts-allowed: ['pkg:npm/*'] }",
  "{ minimum-age-except: ['*'] }",
  "{ lookalike-except: ['*'] }",
  "{ credentials: {} }",
  "{ review-parties: [third] }",
])("attack: a revision writes what belongs to the user: %s", (materials) => {
  expect(() => proposed(materials)).toThrow(expect.objectContaining({ code: "PIPELINE_KEY_UNKNOWN" }));
});

test("attack: a revision makes a lookalike a known name", () => {
  const { lookalike } = tighten(user, proposed("{ known-names: [colourama] }")).gate;
  expect(lookalike.names).toEqual([]);
});

test.each([
  [
    "user information in an upstream",
    "upstreams: { npm: [{ name: a, url: 'https://u:p@own.example.com/' }] }",
    "MATERIALS_CONFIG_URL_INVALID",
  ],
  [
    "plain http to another host",
    "upstreams: { npm: [{ name: a, url: 'http://own.example.com/' }] }",
    "MATERIALS_CONFIG_URL_INSECURE",
  ],
  ["a key twice", "upstreams: {}\nupstreams: {}", "MATERIALS_CONFIG_MALFORMED"],
  ["a tag", "upstreams: !!js/function {}", "MATERIALS_CONFIG_MALFORMED"],
  ["aliases that expand without end", "upstreams: &a { npm: *a }", "MATERIALS_CONFIG_MALFORMED"],
  ["a key of every object", "upstreams: {}\n__proto__: {}", "MATERIALS_CONFIG_VALUE_INVALID"],
  [
    "an exception without an end",
    'upstreams: {}\ngate: { exceptions: [{ rule: locked, packages: "*", reason: r, approver: a }] }',
    "MATERIALS_CONFIG_VALUE_INVALID",
  ],
])("attack: a configuration with %s", (_what, body, code) => {
  expect(() => parseMaterialsConfiguration(`touchmark: materials/v1\n${body}\n`, "m.yaml")).toThrow(
    expect.objectContaining({ code }),
  );
});
