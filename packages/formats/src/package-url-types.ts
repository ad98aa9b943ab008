/** What the definition of a package URL type says beyond the general rules. */
export interface PackageUrlType {
  readonly namespace?: "required" | "prohibited";
  readonly version?: "lower";
  /** How a namespace is spelled, segment by segment. */
  readonly namespaceAs?: (segment: string) => string;
  readonly nameAs?: (name: string) => string;
}

const lower = (text: string): string => text.toLowerCase();

/** Name of a Python package as indexes compare it: PEP 503, which the purl type leaves half said. */
export function pypiName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, "-");
}

/**
 * Rules by type. Names of npm keep their case: the registry takes only lower case now, but keeps old packages that
 * differ from others by case alone, and what is another package must not have the same URL.
 */
export const packageUrlTypes: ReadonlyMap<string, PackageUrlType> = new Map<string, PackageUrlType>([
  ["alpm", { namespace: "required", namespaceAs: lower, nameAs: lower }],
  ["apk", { namespace: "required", namespaceAs: lower, nameAs: lower }],
  ["bitbucket", { namespace: "required", namespaceAs: lower, nameAs: lower }],
  ["cargo", { namespace: "prohibited" }],
  ["composer", { namespaceAs: lower, nameAs: lower }],
  ["deb", { namespace: "required", namespaceAs: lower, nameAs: lower }],
  ["gem", { namespace: "prohibited" }],
  ["generic", {}],
  ["git", { namespace: "required" }],
  ["github", { namespace: "required", namespaceAs: lower, nameAs: lower }],
  ["golang", { namespaceAs: lower, nameAs: lower }],
  ["hackage", { namespace: "prohibited" }],
  ["hex", { namespaceAs: lower, nameAs: lower }],
  ["huggingface", { version: "lower" }],
  ["maven", { namespace: "required" }],
  ["npm", {}],
  ["nuget", { namespace: "prohibited" }],
  ["oci", { namespace: "prohibited", nameAs: lower, version: "lower" }],
  ["pub", { namespace: "prohibited", nameAs: lower }],
  ["pypi", { namespace: "prohibited", nameAs: pypiName }],
  ["rpm", { namespaceAs: lower }],
]);
