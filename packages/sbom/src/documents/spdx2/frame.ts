import type { Component } from "@touchmark/formats/sbom";
import { subjectOf } from "../cyclonedx/frame.ts";
import { isMoment, wholeSeconds } from "../moment.ts";
import { optional, type SbomFrame } from "../record.ts";
import { type Members, optionalMembers, optionalText, texts } from "../shape.ts";

/** Time of a document that has none of its own. */
export const noMoment = "1970-01-01T00:00:00Z";

/** Creation information as SPDX 2.3 has it. */
export function writeCreation(frame: SbomFrame): Members {
  const tools = frame.tools.map(({ name, version }) => `Tool: ${name}${version === "" ? "" : `-${version}`}`);
  return {
    created: frame.created !== undefined && isMoment(frame.created) ? wholeSeconds(frame.created) : noMoment,
    creators: tools.length === 0 ? ["Tool: touchmark"] : tools,
  };
}

/** What a document says of itself; `root` is what it describes. */
export function readCreation(document: Members, root: Component): SbomFrame {
  const creation = optionalMembers(document["creationInfo"], "creationInfo") ?? {};
  const created = optionalText(creation["created"], "creationInfo.created");
  const creators = texts(creation["creators"], "creationInfo.creators");
  return {
    subject: subjectOf(root),
    root: root.ref,
    layers: [],
    losses: [],
    ...optional("created", created),
    tools: creators.filter((creator) => creator.startsWith("Tool:")).map((creator) => toolOf(creator.slice(5).trim())),
  };
}

/** `name-version`, the version beginning with a digit or with `v` and one. */
function toolOf(written: string): SbomFrame["tools"][number] {
  const [, name, version] = /^(.*?)-(v?[0-9][^ ]*)$/.exec(written) ?? [];
  return name === undefined || version === undefined || name === ""
    ? { name: written, version: "" }
    : { name, version };
}
