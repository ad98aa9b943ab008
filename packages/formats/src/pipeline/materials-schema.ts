import { z } from "zod";
import { evidenceKinds, gateEcosystems, gateMembers, moment, packagePattern, packagePatterns } from "./gate-schema.ts";
import { name, section, text } from "./schema-parts.ts";

/**
 * The shape of `materials.yaml`, the user's own configuration of dependency ingestion. The one source of its reader
 * and of its JSON Schema; what a shape cannot say is in the reader.
 */

const filePath = text(4096)
  .min(1, "expected a path")
  .refine((given) => !given.includes("\0"), "expected a path");
const hostName = z
  .string()
  .max(300)
  .regex(
    /^(?:\*|[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(?::[1-9][0-9]{0,4})?)$/,
    'expected a host, with a port unless it is the usual one, such as "packages.example.com"',
  )
  .meta({ description: "The one host that gets this credential, with its port unless the usual one." });

const upstream = section(
  {
    name: name("name of an upstream").meta({ description: "Stands in records; unique within the file." }),
    url: text(2048)
      .min(1, "expected an address")
      .meta({
        description: "Base address, without user information, query or fragment.",
        examples: ["https://packages.example.com/npm/"],
      }),
    exclusive: z
      .array(text(256).min(1, "expected a name or a pattern"))
      .max(10_000)
      .optional()
      .meta({ description: "Names and scopes that come from here and nowhere else.", examples: [["@org/*"]] }),
    suites: z
      .array(z.string().regex(/^[A-Za-z0-9][\w.+~/-]{0,127}$/, "expected a suite"))
      .max(64)
      .optional()
      .meta({ description: "Of a Debian archive: what steps may ask.", examples: [["stable", "stable-updates"]] }),
    components: z
      .array(z.string().regex(/^[A-Za-z0-9][\w.+~/-]{0,127}$/, "expected a component"))
      .max(64)
      .optional()
      .meta({ description: "Of a Debian archive. Default: main." }),
    keyring: z
      .string()
      .regex(/^\/usr\/share\/[\w./-]{1,200}$/, "expected a file below /usr/share")
      .optional()
      .meta({ description: "Of a Debian archive: keyring of the image, for apt. Default: that of Debian." }),
    credential: name("name of a credential").optional().meta({ description: "Credential below `credentials`." }),
    "insecure-http": z
      .boolean()
      .optional()
      .meta({ description: "Allows plain http to a host that is not this one. Recorded." }),
  },
  { description: "A repository that is trusted for an ecosystem." },
);

const environmentName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, "expected the name of a variable")
  .meta({ description: "Variable of the control plane's environment." });

const credential = section(
  {
    host: hostName,
    purpose: z.enum(["fetch", "git", "publish"]).meta({ description: "What it is for." }),
    steps: z
      .array(z.string().regex(/^(?:\*|[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)$/, "expected names of steps"))
      .min(1, "expected at least one step")
      .max(256)
      .meta({ description: "Steps that it is for.", examples: [["fetch"]] }),
    form: z
      .enum(["bearer", "basic", "header"])
      .optional()
      .meta({ description: "How it is sent. bearer (default), basic with `user`, or the header `header`." }),
    user: text(256).optional().meta({ description: "User name for the form basic." }),
    header: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/, "expected the name of a header")
      .optional()
      .meta({ description: "Name of the header for the form header." }),
    expires: moment("When it stops being valid, where that is known.").optional(),
    from: section(
      {
        file: filePath.optional().meta({ description: "File that only its owner can read; relative to this file." }),
        environment: environmentName.optional(),
        keyring: z
          .record(z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, "expected an attribute name"), text(256))
          .optional()
          .meta({ description: "Attributes of a secret in the system keyring.", examples: [{ service: "packages" }] }),
        command: z
          .array(text(4096))
          .min(1, "expected at least a program")
          .max(64)
          .optional()
          .meta({ description: "Program, by absolute path, and its arguments; it prints the secret. No shell." }),
      },
      {
        description: "Where the secret is: exactly one of these.",
        oneOf: ["file", "environment", "keyring", "command"].map((key) => ({ required: [key] })),
      },
    ),
  },
  { description: "A secret and what it is bound to. The secret itself never stands here." },
);

const exception = section(
  {
    rule: text(64)
      .min(1)
      .meta({ description: "Id of the rule.", examples: ["minimum-age"] }),
    packages: packagePattern.meta({ description: "Package URL pattern." }),
    reason: text(2000).min(1, "expected a reason").meta({ description: "Why, for people." }),
    approver: text(256).min(1, "expected a person").meta({ description: "Who answers for it." }),
    expires: moment("When it stops counting."),
  },
  { description: "A package that one rule lets pass, until a date." },
);

const trustMembers = Object.fromEntries(
  [...evidenceKinds, "third-party-review" as const].map((kind) => [
    kind,
    z
      .array(filePath)
      .max(64)
      .optional()
      .meta({ description: `Key or trust-root files for ${kind}, relative to this file.` }),
  ]),
) as Record<(typeof evidenceKinds)[number] | "third-party-review", z.ZodOptional<z.ZodArray<z.ZodString>>>;

const userGate = section(
  {
    ...gateMembers,
    "minimum-age-except": packagePatterns("Packages that need no minimum age.").optional(),
    "lookalike-except": packagePatterns("Packages whose names are as they should be.").optional(),
    "install-scripts-allowed": packagePatterns(
      "Packages whose install-time programs a later step without network may run.",
    ).optional(),
    "licence-allowed": z
      .array(text(128).min(1))
      .max(1000)
      .optional()
      .meta({ description: "SPDX identifiers; when given, no other may be declared." }),
    "review-parties": z
      .array(z.enum(["first", "second", "third"]))
      .min(1, "expected at least one party")
      .optional()
      .meta({ description: "Whose reviews count. Default: all." }),
    exceptions: z
      .array(exception)
      .max(1000)
      .optional()
      .meta({ description: "What a rule lets pass, by whom, why and until when." }),
  },
  { description: "Rules of the dependency gate." },
);

/** The whole document. */
export const materialsDocument = section(
  {
    touchmark: z.literal("materials/v1").meta({ description: "Version of this document." }),
    upstreams: z
      .partialRecord(z.enum(gateEcosystems), z.array(upstream).max(64))
      .meta({ description: "Trusted repositories by ecosystem, in order of preference." }),
    gate: userGate.optional(),
    trust: section(trustMembers, { description: "Keys and trust roots of others, as files." }).optional(),
    credentials: z
      .record(name("name of a credential"), credential)
      .optional()
      .meta({ description: "Credentials by name." }),
  },
  { title: "Touchmark materials", description: "HOME/materials.yaml: what may enter builds, and from where." },
);

/** The document as written, after checking its shape. */
export type MaterialsDocument = z.infer<typeof materialsDocument>;
