import { type Tally, total } from "./tally.ts";

const heading = `# Conformance with the Common Expression Language

Made by \`node conformance/cel/page.ts\`. The vectors are those of the CEL specification (cel-spec v0.25.1, as
\`@bufbuild/cel-spec\` 0.6.1 packages them, Apache-2.0), run against \`packages/policy/src/cel\` by
\`conformance/cel/cel.test.ts\`, which holds the number of each file so that it can only grow.

Not run, and counted as such:

- *messages*: the vector builds, is given, or expects a protobuf message, an enumeration of one, or a wrapper. Documents
  of policies are JSON; an expression with a message in it is refused when it is compiled.
- *types*: the vector asks for a type deduced without evaluation. There is no static type checker: a value of a wrong type
  is an error of the evaluation, which denies.
- *blocks*: \`cel.block\`, \`cel.index\`, \`cel.iterVar\`: what optimisers write, not people.

A vector with a deduced type and a value counts by its value. Expressions that the specification evaluates unchecked are
compiled with \`unchecked\`; otherwise a name that nothing declares is refused when the expression is compiled.
`;

/** The page, from what became of the vectors. */
export function pageText(files: ReadonlyMap<string, Tally>): string {
  const sum = total(files);
  const rows = [...files].map(([file, tally]) => row(`\`${file}\``, tally));
  const lines = ["| File | passed | failed | messages | types | blocks |", "|---|---|---|---|---|---|", ...rows];
  return `${heading}\n${[...lines, row("**all**", sum)].join("\n")}\n`;
}

function row(name: string, tally: Tally): string {
  const { passed, failed, messages, types, blocks } = tally;
  return `| ${name} | ${passed} | ${failed} | ${messages} | ${types} | ${blocks} |`;
}
