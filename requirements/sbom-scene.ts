import type { Digest } from "@touchmark/core";
import type { Performed, Scene, SignedStatement } from "@touchmark/pipeline/fixture";

/** Types of documents of the field, as artifacts get them. */
export const sbomType = "https://cyclonedx.org/bom";
export const vulnerabilitiesType = "https://in-toto.io/attestation/vulns/v0.2";

/** A pipeline that ships what is vendored in the source, and says how its tests went. */
export const shipping = `
    steps:
      test:
        run: |
          printf '%s' '<testsuite><testcase name="one"/></testsuite>' > "$TOUCHMARK_OUTPUT/report.xml"
        inputs: { source: /work/source }
        reports: [{ path: report.xml, kind: junit }]
      pack: { run: cp -r vendor "$TOUCHMARK_OUTPUT/app", inputs: { source: /work/source } }
    artifacts:
      app: { from: pack, path: app, kind: directory }
`;

/** Vendored npm packages by name and version; `below` puts them into another package's own directory. */
export function vendored(packages: Readonly<Record<string, string>>, below = ""): Record<string, string> {
  const files: Record<string, string> = { "vendor/readme": "vendored\n" };
  for (const [name, version] of Object.entries(packages)) {
    const place = `vendor/${below}node_modules/${name}`;
    files[`${place}/package.json`] = JSON.stringify({ name, version, license: "MIT" });
    files[`${place}/index.js`] = "module.exports = 1;\n";
  }
  return files;
}

/** The only artifact of a run. */
export function onlyArtifact(run: Performed): Digest {
  const [artifact, ...more] = run.artifacts;
  if (artifact === undefined || more.length > 0) throw new Error(`expected one artifact: ${JSON.stringify(run.error)}`);
  return artifact.digest;
}

/** The statements of a run that have exactly this type. */
export async function statementsOfType(scene: Scene, run: string, type: string): Promise<readonly SignedStatement[]> {
  const { bundles } = await scene.factory.runs.get(run);
  const all = await scene.statements(bundles.map((row) => row.digest));
  return all.filter((each) => each.predicateType === type);
}
