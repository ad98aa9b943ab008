import { z } from "zod";
import { age } from "./gate-schema.ts";
import { name, section, text } from "./schema-parts.ts";

/** The shape of `advisories.yaml`: where data about vulnerabilities comes from. */

const source = section(
  {
    name: name("name of a source").meta({ description: "Stands in findings and records; unique within the file." }),
    kind: z
      .enum(
        ["osv", "debian-tracker", "alpine-secdb", "redhat-csaf", "ubuntu-oval", "kev", "epss", "end-of-life"],
        "expected a kind of source",
      )
      .meta({ description: "What it is. Advisories of GitHub, and of distributions in that form, are `osv`." }),
    location: text(4096)
      .min(1, "expected a path or an address")
      .refine((given) => !given.includes("\0"), "expected a path or an address")
      .meta({
        description: "File or directory, relative to this file; or an https address of one file.",
        examples: ["feeds/osv", "https://feeds.example.com/osv/npm/all.zip"],
      }),
    licence: text(200)
      .optional()
      .meta({ description: "Licence of the data, kept with it.", examples: ["CC-BY-4.0"] }),
    "maximum-age": section(
      {
        warn: age("From this age on, a scan warns.").optional(),
        refuse: age("From this age on, a scan is refused.").optional(),
      },
      { description: "How old the newest record may be." },
    ).optional(),
    "insecure-http": z
      .boolean()
      .optional()
      .meta({ description: "Allows plain http to a host that is not this one. Recorded." }),
  },
  { description: "A source of advisories." },
);

/** The whole document. */
export const advisoriesDocument = section(
  {
    touchmark: z.literal("advisories/v1").meta({ description: "Version of this document." }),
    sources: z.array(source).min(1).max(200).meta({ description: "Where advisories come from." }),
    keep: z
      .int()
      .min(1)
      .max(1000)
      .optional()
      .meta({ description: "Older databases that prune leaves, so that scans can be repeated. Default: 10." }),
  },
  {
    title: "Touchmark advisories",
    description: "HOME/advisories.yaml: data about vulnerabilities, and how old it may be.",
  },
);

/** The document as written, after checking its shape. */
export type AdvisoriesDocument = z.infer<typeof advisoriesDocument>;
