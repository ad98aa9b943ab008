/** Name of a project as the index normalises it (PEP 503); undefined for what no project can be called. */
export function normalProjectName(name: string): string | undefined {
  if (name.length > 200 || !/^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(name)) return undefined;
  return name.replace(/[-_.]+/g, "-").toLowerCase();
}

/**
 * A version in the normal form of PEP 440, so that `1.0.RC1`, `1.0-rc.1` and `1.0rc1` are one; as it is when it is from
 * before that rule.
 */
export function normalVersion(version: string): string {
  const found = version440.exec(version.trim().toLowerCase());
  if (found === null) return version;
  const { epoch, release = "", pre, preNumber, postDash, post, postNumber, dev, devNumber, local } = found.groups ?? {};
  const number = (digits: string | undefined) => (digits === undefined || digits === "" ? "0" : plain(digits));
  const parts = [
    epoch === undefined || plain(epoch) === "0" ? "" : `${plain(epoch)}!`,
    release.split(".").map(plain).join("."),
    pre === undefined ? "" : `${preNames[pre] ?? pre}${number(preNumber)}`,
    postDash !== undefined ? `.post${plain(postDash)}` : post === undefined ? "" : `.post${number(postNumber)}`,
    dev === undefined ? "" : `.dev${number(devNumber)}`,
    local === undefined
      ? ""
      : `+${local
          .split(/[-_.]/)
          .map((part) => (/^\d+$/.test(part) ? plain(part) : part))
          .join(".")}`,
  ];
  return parts.join("");
}

/** Whether two spellings are one version: PEP 440 takes `1.17` and `1.17.0` for the same. */
export function samePythonVersion(one: string, other: string): boolean {
  const shortest = (version: string) =>
    normalVersion(version).replace(/^((?:\d+!)?\d+(?:\.\d+)*?)(?:\.0)+(?!\.?\d)/, "$1");
  return one === other || shortest(one) === shortest(other);
}

/** What a file name says. */
export interface DistributionName {
  readonly kind: "wheel" | "sdist" | "other";
  /** Absent where the name does not say it beyond doubt. */
  readonly version?: string;
}

/** Suffixes of source distributions, of today and of before. */
const sdistSuffix = /\.(tar\.gz|zip|tar\.bz2|tar\.xz|tgz|tar\.Z|tar)$/;
/** Kinds of files that indexes keep from before wheels. */
const otherSuffix = /\.(egg|exe|msi|rpm|dmg|deb)$/;

/**
 * Reads the name of a file of a project: `NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl`, `NAME-VERSION.tar.gz`.
 * Undefined for a file that is no distribution, or one of another project.
 */
export function distributionName(project: string, fileName: string): DistributionName | undefined {
  if (fileName.length > 400 || !/^[A-Za-z0-9][A-Za-z0-9._+!-]*$/.test(fileName)) return undefined;
  if (fileName.endsWith(".whl")) {
    const parts = fileName.slice(0, -".whl".length).split("-");
    const [name = "", version = ""] = parts;
    if (parts.length < 5 || parts.length > 6 || normalProjectName(name) !== project) return undefined;
    return { kind: "wheel", version: normalVersion(version.replaceAll("_", "-")) };
  }
  const stem = sdistSuffix.test(fileName) ? fileName.replace(sdistSuffix, "") : undefined;
  if (stem === undefined)
    return otherSuffix.test(fileName) && startsWithProject(project, fileName) ? { kind: "other" } : undefined;
  // A name may hold hyphens, and so may a version from before PEP 440: the project says where one ends.
  for (let at = stem.indexOf("-"); at !== -1; at = stem.indexOf("-", at + 1)) {
    if (normalProjectName(stem.slice(0, at)) === project && /^[0-9vV]/.test(stem.slice(at + 1))) {
      return { kind: "sdist", version: normalVersion(stem.slice(at + 1)) };
    }
  }
  return startsWithProject(project, stem) ? { kind: "sdist" } : undefined;
}

function startsWithProject(project: string, fileName: string): boolean {
  return fileName
    .replace(/[-_.]+/g, "-")
    .toLowerCase()
    .startsWith(project);
}

const preNames: Readonly<Record<string, string>> = { alpha: "a", beta: "b", c: "rc", pre: "rc", preview: "rc" };

/** PEP 440, appendix B. */
const version440 =
  /^v?(?:(?<epoch>\d{1,9})!)?(?<release>\d{1,20}(?:\.\d{1,20}){0,20})(?:[-_.]?(?<pre>a|b|c|rc|alpha|beta|pre|preview)[-_.]?(?<preNumber>\d{0,20}))?(?:-(?<postDash>\d{1,20})|[-_.]?(?<post>post|rev|r)[-_.]?(?<postNumber>\d{0,20}))?(?:[-_.]?(?<dev>dev)[-_.]?(?<devNumber>\d{0,20}))?(?:\+(?<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?$/;

/** Digits without leading zeros. */
function plain(digits: string): string {
  return digits.replace(/^0+(?=\d)/, "");
}
