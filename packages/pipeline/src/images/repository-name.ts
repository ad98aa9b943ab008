/**
 * Repository of the factory's own registry for an artifact of a project: names of pipelines allow more than those of
 * repositories (distribution-spec 1.1, "Pulling manifests").
 */
export function ownRepository(project: string, artifact: string): string {
  return `${component(project)}/${component(artifact)}`;
}

function component(name: string): string {
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
  return plain === "" ? "x" : plain;
}
