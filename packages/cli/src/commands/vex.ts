import type { Command, SubcommandRow } from "../command.ts";

/** Every subcommand of `touchmark vex`, in the order of help. One visible place; nothing registers itself. */
export const vexTable: readonly SubcommandRow[] = [
  {
    name: "create",
    summary: "write a statement about a vulnerability and a product",
    load: () => import("./vex/create.ts"),
  },
  {
    name: "add",
    summary: "let the statements of a document count here, signed, until a date",
    load: () => import("./vex/add.ts"),
  },
  {
    name: "list",
    summary: "documents that count, and those that do not, with why",
    load: () => import("./vex/list.ts"),
  },
  { name: "remove", summary: "let a document count no more", load: () => import("./vex/remove.ts") },
  {
    name: "explain",
    summary: "which statements of a document speak of a source, and why the others do not",
    load: () => import("./vex/explain.ts"),
  },
];

/** `touchmark vex`: whether vulnerabilities affect. */
export const command: Command = {
  name: "vex",
  summary: "statements about whether a vulnerability affects: write, keep, explain",
  description:
    "OpenVEX, CSAF and CycloneDX are read and written. A document counts in runs, scans and watches once a person added it: that decision is signed, scoped, and may expire.",
  examples: [
    [
      "touchmark vex create --vulnerability CVE-2026-0001 --product pkg:npm/left-pad@1.3.0 --status not_affected --justification vulnerable_code_not_in_execute_path --author Ada --output vex.json",
      "an OpenVEX document",
    ],
    [
      "touchmark vex add vex.json --approver Grace --reason 'checked' --expires 2027-01-31",
      "counts from now on, until then",
    ],
    ["touchmark vex explain vex.json .", "what it says about this directory"],
  ],
  subcommands: vexTable,
  run: async () => 2,
};
