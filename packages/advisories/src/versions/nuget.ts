import { bounded, unreadable, type VersionScheme } from "./scheme.ts";
import { compareSemantic, type SemanticVersion } from "./semver.ts";

const identifiers = String.raw`[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*`;
const syntax = new RegExp(String.raw`^v?(\d+(?:\.\d+){0,3})(?:-(${identifiers}))?(?:\+${identifiers})?$`);

/** NuGet: semantic versions with up to four numbers, whose labels have no case. */
export const nuget: VersionScheme<SemanticVersion> = {
  name: "nuget",
  read(text) {
    const parts = syntax.exec(bounded("nuget", text));
    if (parts === null) throw unreadable("nuget", text);
    const [, release = "", labels] = parts;
    return { numbers: release.split("."), prerelease: labels?.toLowerCase().split(".") };
  },
  compare: compareSemantic,
};
