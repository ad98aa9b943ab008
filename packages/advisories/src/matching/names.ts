/** Ecosystem of the OSV schema without its suffix: `Debian` of `Debian:12`. */
export function ecosystemBase(ecosystem: string): string {
  const colon = ecosystem.indexOf(":");
  return colon < 0 ? ecosystem : ecosystem.slice(0, colon);
}

/**
 * The one spelling of a package's name by the rules of its ecosystem, for looking it up: Python's by PEP 503, those of
 * registries that fold case in lower case. Databases keep their keys in this spelling.
 */
export function lookupName(ecosystem: string, name: string): string {
  switch (ecosystemBase(ecosystem)) {
    case "PyPI":
      return name.toLowerCase().replace(/[-_.]+/g, "-");
    // A package URL folds the case of a module's path, and no two modules differ by it alone.
    case "Go":
    case "NuGet":
    case "Packagist":
    case "Hex":
    case "Pub":
    case "GitHub Actions":
    case "VSCode":
    case "SwiftURL":
      return name.toLowerCase();
    default:
      return name;
  }
}
