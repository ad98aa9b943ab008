import type { Distribution } from "@touchmark/formats/sbom";

/** Debian releases by codename, for images whose os-release has no `VERSION_ID`. */
const debianReleases: Readonly<Record<string, string>> = {
  stretch: "9",
  buster: "10",
  bullseye: "11",
  bookworm: "12",
  trixie: "13",
  forky: "14",
};

/** True for the ecosystems whose advisories are about a release of a distribution; best first, one test each. */
type Test = (ecosystem: string) => boolean;

/**
 * Ecosystems of `available` whose advisories are about packages of a distribution's release, the most exact first.
 * Empty when the data says nothing of it: another release's advisories are never taken in its place.
 */
export function distributionEcosystems(distribution: Distribution, available: Iterable<string>): readonly string[] {
  const tests = testsOf(distribution);
  const found: { ecosystem: string; rank: number }[] = [];
  for (const ecosystem of available) {
    const rank = tests.findIndex((test) => test(ecosystem));
    if (rank >= 0) found.push({ ecosystem, rank });
  }
  found.sort((a, b) => a.rank - b.rank || (a.ecosystem < b.ecosystem ? -1 : 1));
  return found.map(({ ecosystem }) => ecosystem);
}

function testsOf({ id, version, codename }: Distribution): readonly Test[] {
  const major = version.split(".", 1)[0] ?? "";
  const minor = version.split(".").slice(0, 2).join(".");
  switch (id.toLowerCase()) {
    case "debian": {
      const release = major === "" ? debianReleases[(codename ?? "").toLowerCase()] : major;
      return [is(`Debian:${release ?? codename ?? "unknown"}`)];
    }
    case "ubuntu":
      // Fixes of the Pro archive come last: they count only where the open archive says nothing of the package.
      return [
        is(`Ubuntu:${minor}:LTS`, `Ubuntu:${minor}`),
        is(`Ubuntu:Pro:${minor}:LTS`, `Ubuntu:Pro:${minor}`),
        (ecosystem) => ecosystem.startsWith("Ubuntu:Pro:") && ecosystem.endsWith(`:${minor}:LTS`),
      ];
    case "alpine":
      return [is(/^\d+\.\d+(?:\.\d+)?$/.test(version) ? `Alpine:v${minor}` : "Alpine:edge")];
    case "wolfi":
      return [is("Wolfi"), is("Chainguard")];
    case "chainguard":
      return [is("Chainguard"), is("Wolfi")];
    case "rhel":
    case "redhat":
    case "centos":
      return [is(`Red Hat:${major}`), redHat(version)];
    case "almalinux":
      return [is(`AlmaLinux:${major}`, `AlmaLinux:${version}`)];
    case "rocky":
      return [is(`Rocky Linux:${major}`, `Rocky Linux:${version}`)];
    case "ol":
      return [is(`Oracle Linux:${major}`)];
    case "amzn":
      return [is(`Amazon Linux:${version}`)];
    case "fedora":
      return [is(`Fedora:${version}`)];
    case "sles":
    case "sled":
    case "sle_hpc":
      return [(ecosystem) => ecosystem.startsWith("SUSE:") && ecosystem.endsWith(` ${servicePack(version)}`)];
    case "opensuse-leap":
      return [is(`openSUSE:Leap ${version}`)];
    case "opensuse-tumbleweed":
      return [is("openSUSE:Tumbleweed")];
    case "mageia":
      return [is(`Mageia:${major}`)];
    case "photon":
      return [is(`Photon OS:${minor}`, `Photon OS:${version}`)];
    case "azurelinux":
    case "mariner":
      return [is(`Azure Linux:${major}`, `Azure Linux:${minor}`)];
    case "openeuler":
      return [(ecosystem) => ecosystem === `openEuler:${version}` || ecosystem === `openEuler:${version}-LTS`];
    case "alpaquita":
      return [is(`Alpaquita:${version}`, `Alpaquita:${major}`)];
    case "minimos":
      return [is("MinimOS")];
    case "echo":
      return [is("Echo")];
    default:
      return [];
  }
}

function is(...names: readonly string[]): Test {
  return (ecosystem) => names.includes(ecosystem);
}

/** `Red Hat:enterprise_linux:9::baseos` and the like: a product of the CPE, its version, its parts. */
function redHat(version: string): Test {
  const major = version.split(".", 1)[0] ?? "";
  return (ecosystem) => {
    const [base, product = "", release = ""] = ecosystem.split(":");
    if (base !== "Red Hat" || !/^(?:enterprise_linux|rhel_[a-z]+)$/.test(product)) return false;
    // Streams of extended support carry a minor version, and are about that minor version alone.
    return release === major || (release === version && version !== "");
  };
}

/** `15.5` of os-release is `15 SP5` in names of products. */
function servicePack(version: string): string {
  const [major = "", minor] = version.split(".");
  return minor === undefined || minor === "0" ? major : `${major} SP${minor}`;
}
