/** The file name under which an artifact is a subject, and lies in an export. */
export function artifactFileName(artifact: {
  readonly name: string;
  readonly path: string;
  readonly kind: string;
}): string {
  const last = artifact.path === "." ? artifact.name : (artifact.path.split("/").at(-1) ?? artifact.name);
  return artifact.kind === "directory" ? `${last}.tar` : last;
}
