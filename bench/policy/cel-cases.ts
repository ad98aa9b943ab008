/** What is evaluated: the same text by every evaluator, over the same document. */
export interface CelCase {
  readonly name: string;
  readonly expression: string;
}

const dependencies = Array.from({ length: 1_000 }, (_, index) => ({
  name: `package-${index}`,
  uri: `pkg:npm/package-${index}@1.${index}.0`,
  license: index % 3 === 0 ? "MIT" : "Apache-2.0",
}));

/** One provenance as a policy sees it, with a thousand dependencies. */
export const variables = {
  subject: { name: "registry.example/app:1.2.3" },
  provenance: {
    predicateType: "https://slsa.dev/provenance/v1",
    builder: "https://factory.example/builder/v1",
    source: "git+https://git.example/team/app",
    reference: "refs/tags/v1.2.3",
    time: "2026-11-20T12:00:00Z",
    hermetic: "yes",
    dependencies,
  },
};

/** The same rule in Rego, for `opa bench`. */
export const rego = `package provenance

default allow := false

allow if {
  input.provenance.predicateType == "https://slsa.dev/provenance/v1"
  input.provenance.builder in {"https://factory.example/builder/v1", "https://factory.example/builder/v2"}
  startswith(input.provenance.source, "git+https://git.example/team/")
  regex.match("^refs/tags/v[0-9]+\\\\.[0-9]+\\\\.[0-9]+$", input.provenance.reference)
  input.provenance.hermetic == "yes"
  startswith(input.subject.name, "registry.example/")
}
`;

export const cases: readonly CelCase[] = [
  { name: "one comparison", expression: 'provenance.hermetic == "yes"' },
  {
    name: "provenance rule",
    expression: [
      'provenance.predicateType == "https://slsa.dev/provenance/v1"',
      'provenance.builder in ["https://factory.example/builder/v1", "https://factory.example/builder/v2"]',
      'provenance.source.startsWith("git+https://git.example/team/")',
      'provenance.reference.matches("^refs/tags/v[0-9]+\\\\.[0-9]+\\\\.[0-9]+$")',
      'provenance.hermetic == "yes"',
      'subject.name.startsWith("registry.example/")',
    ].join(" && "),
  },
  {
    name: "all of 1,000 dependencies",
    expression: 'provenance.dependencies.all(d, d.license in ["MIT", "Apache-2.0"] && d.uri.startsWith("pkg:npm/"))',
  },
  { name: "times", expression: 'timestamp(provenance.time) > timestamp("2026-01-01T00:00:00Z")' },
];
