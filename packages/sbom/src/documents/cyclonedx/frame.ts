import type { Component, SbomSubject } from "@touchmark/formats/sbom";
import { isMoment } from "../moment.ts";
import { optional, type SbomFrame } from "../record.ts";
import { type Members, members, objects, optionalMembers, optionalText, text } from "../shape.ts";

/** Metadata as CycloneDX has it, without its component and properties. */
export function writeCycloneMetadata(frame: SbomFrame): Members {
  const tools = frame.tools.map(({ name, version, vendor }) => ({
    type: "application",
    ...optional("supplier", vendor === undefined ? undefined : { name: vendor }),
    name,
    ...(version === "" ? {} : { version }),
  }));
  return {
    ...(frame.created !== undefined && isMoment(frame.created) ? { timestamp: frame.created } : {}),
    ...(tools.length === 0 ? {} : { tools: { components: tools } }),
  };
}

/** What metadata says of the whole SBOM; `root` is its component. */
export function readCycloneMetadata(metadata: Members, root: Component): SbomFrame {
  const created = optionalText(metadata["timestamp"], "metadata.timestamp");
  return {
    subject: subjectOf(root),
    root: root.ref,
    layers: [],
    losses: [],
    ...optional("created", created),
    tools: readTools(metadata["tools"], "metadata.tools"),
  };
}

/** The subject that a root component stands for. */
export function subjectOf(root: Component): SbomSubject {
  const sha256 = root.hashes.find(({ algorithm }) => algorithm === "sha256")?.value;
  return {
    kind: root.kind === "container" ? "image" : root.kind === "file" ? "file" : "artifact",
    name: root.name,
    ...(root.version === "" ? {} : { version: root.version }),
    ...(sha256 === undefined ? {} : { digest: `sha256:${sha256}` }),
  };
}

/** Tools as components and services (1.5 and later), or as the list that came before. */
function readTools(value: unknown, where: string): SbomFrame["tools"] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return objects(value, where).map((tool, index) => readTool(tool, `${where}[${index}]`));
  const found = members(value, where);
  return ["components", "services"].flatMap((kind) =>
    objects(found[kind], `${where}.${kind}`).map((tool, index) => readTool(tool, `${where}.${kind}[${index}]`)),
  );
}

function readTool(tool: Members, where: string): SbomFrame["tools"][number] {
  const supplier =
    optionalMembers(tool["supplier"], `${where}.supplier`) ?? optionalMembers(tool["provider"], `${where}.provider`);
  const vendor =
    optionalText(supplier?.["name"], `${where}.supplier.name`) ??
    optionalText(tool["publisher"], `${where}.publisher`) ??
    optionalText(tool["vendor"], `${where}.vendor`);
  return {
    name: tool["name"] === undefined ? "" : text(tool["name"], `${where}.name`),
    version: optionalText(tool["version"], `${where}.version`) ?? "",
    ...optional("vendor", vendor),
  };
}
