import { z } from "zod";
import { bytesPattern, durationPattern } from "../pipeline/quantity.ts";
import { section, text } from "../pipeline/schema-parts.ts";

/**
 * The shape of `registry.yaml`, the configuration of a registry. The one source of its reader and of its JSON Schema;
 * what a shape cannot say is in the reader.
 */

/** What a user may be granted. */
export const registryActions = ["pull", "push", "delete", "catalog"] as const;

const component = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const repositories = new RegExp(`^(?:\\*\\*|${component}(?:/${component})*(?:/\\*\\*)?)$`);
const repositoryPattern = z
  .string()
  .max(255)
  .regex(repositories, 'expected the name of a repository, "prefix/**" for all below a prefix, or "**" for all')
  .meta({ description: "A repository by name, all below a prefix, or all.", examples: ["team/app", "team/**"] });
const repositoryPatterns = z
  .array(repositoryPattern)
  .min(1, "expected at least one repository")
  .max(1000)
  .meta({ description: "Repositories by name or pattern." });
const tagPattern = z
  .string()
  .max(128)
  .regex(/^[A-Za-z0-9_*][A-Za-z0-9._*-]{0,127}$/, "expected a tag, in which * stands for anything")
  .meta({ description: "A tag; * stands for anything.", examples: ["v*"] });

/** Names of users: they stand in audit lines and tokens. Two of them mean something else there. */
const userName = z
  .string()
  .regex(
    /^(?!(?:anonymous|token)$)[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/,
    'expected a name of 1 to 63 lower-case letters, digits, ".", "_" or "-", other than "anonymous" and "token"',
  );

const filePath = text(4096)
  .min(1, "expected a path")
  .refine((given) => !given.includes("\0"), "expected a path");
const amount = (description: string) =>
  z.string().regex(bytesPattern, 'expected an amount such as "10GiB"').meta({ description });
const count = (description: string) => z.int().min(1, "expected at least 1").max(1e9).meta({ description });

const user = section(
  {
    password: text(512)
      .regex(/^\$scrypt\$/, "expected a hash as `touchmark registry user add` writes it, never a password")
      .meta({ description: "Hash of the password: $scrypt$ln=14,r=8,p=5$SALT$HASH." }),
    grants: z
      .record(repositoryPattern, z.array(z.enum(registryActions)).min(1, "expected at least one action"))
      .optional()
      .meta({ description: "Actions by repository pattern.", examples: [{ "team/**": ["pull", "push"] }] }),
  },
  { description: "Somebody with a password, and what it allows." },
);

const tagRule = section(
  {
    repositories: repositoryPatterns,
    tags: z
      .array(tagPattern)
      .min(1, "expected at least one tag")
      .max(1000)
      .meta({ description: "Tags, in which * stands for anything." }),
  },
  { description: "Tags of some repositories." },
);

const rate = (of: string) =>
  section(
    {
      requests: count(`Requests a second of one ${of}; as many at once after a pause.`).optional(),
      bytes: amount(`Bytes a second of one ${of}, both directions together.`).optional(),
    },
    { description: `Limits of one ${of}.` },
  );

const storage = section(
  {
    endpoint: text(2048).meta({
      description: "https://HOST[:PORT]; http on this host alone. Buckets are addressed by path.",
    }),
    bucket: z
      .string()
      .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "expected the name of a bucket")
      .meta({ description: "Bucket, which is there already." }),
    region: z
      .string()
      .regex(/^[A-Za-z0-9-]{1,64}$/, "expected a region")
      .optional()
      .meta({ description: "Region that requests are signed for. Default: us-east-1." }),
    prefix: z
      .string()
      .regex(/^(?:[A-Za-z0-9._-]+\/)+$/, 'expected a prefix such as "registry/"')
      .max(200)
      .optional()
      .meta({ description: "What all keys begin with." }),
  },
  { description: "An S3-compatible object storage; its keys stand in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY." },
);

const mirror = section(
  {
    of: text(300).meta({
      description: "Registry, HOST[:PORT], with a prefix of its repositories where it has one.",
      examples: ["registry.example.com/library"],
    }),
    tags: z
      .string()
      .regex(durationPattern, 'expected a duration such as "60s"')
      .optional()
      .meta({ description: "How long an answer about a tag holds. Default: 60s." }),
    "insecure-plain-http": z
      .boolean()
      .optional()
      .meta({ description: "Plain http to a registry that is not of this host." }),
  },
  { description: "Another registry whose content is fetched once and kept; clients write nothing." },
);

/** The whole document. */
export const registryDocument = section(
  {
    touchmark: z.literal("registry/v1").meta({ description: "Version of this document." }),
    listen: text(300)
      .optional()
      .meta({ description: "HOST:PORT, [ADDRESS]:PORT or unix:PATH. Default: 127.0.0.1:5000." }),
    url: text(2048)
      .optional()
      .meta({
        description: "Address by which clients reach the registry, when it is another one than it listens at.",
        examples: ["https://registry.example.com"],
      }),
    tls: section(
      {
        certificate: filePath.optional().meta({ description: "PEM file: certificate and intermediates." }),
        key: filePath.optional().meta({ description: "PEM file that not everybody can read: private key." }),
        names: z
          .array(text(253).min(1, "expected a host name or an address"))
          .min(1, "expected at least one name")
          .max(100)
          .optional()
          .meta({
            description:
              "Instead of files: names and addresses that the factory's own authority certifies, renewed while the registry runs.",
          }),
      },
      { description: "TLS: certificate and key, or names for the factory's own authority." },
    ).optional(),
    "insecure-plain-http": z
      .boolean()
      .optional()
      .meta({ description: "Allows plain http on an address that is not of this host alone." }),
    anonymous: z
      .union([z.enum(["none", "read"]), repositoryPatterns], 'expected "none", "read" or a list of repositories')
      .optional()
      .meta({
        description:
          "What callers without credential may do: none (default); read: pull everything and list repositories; or pull these repositories.",
      }),
    storage: storage.optional().meta({ description: "Where content lies, instead of the home: an object storage." }),
    mirror: mirror.optional().meta({ description: "Makes this registry a mirror of another." }),
    users: z.record(userName, user).optional().meta({ description: "Users by name." }),
    tags: section(
      {
        immutable: z
          .array(tagRule)
          .max(1000)
          .optional()
          .meta({ description: "Tags that keep their digest once set, and are not deleted." }),
        "promotion-only": z.array(tagRule).max(1000).optional().meta({
          description: "Tags that are only set when a signed decision of the gate among the referrers says so.",
        }),
      },
      { description: "Rules about tags." },
    ).optional(),
    quotas: section(
      {
        total: amount("Bytes of all repositories together, content of several counted in each.").optional(),
        repositories: z
          .array(
            section(
              {
                repositories: repositoryPatterns,
                bytes: amount("Bytes of one repository, each blob counted once.").optional(),
                manifests: count("Manifests of one repository.").optional(),
                tags: count("Tags of one repository.").optional(),
              },
              { description: "What each of these repositories may hold." },
            ),
          )
          .max(1000)
          .optional()
          .meta({ description: "Quotas of repositories; the first entry that fits a repository counts." }),
      },
      { description: "How much may be stored." },
    ).optional(),
    rates: section(
      {
        caller: rate("caller").optional().meta({ description: "Limits of one caller by name." }),
        remote: rate("remote address").optional().meta({ description: "Limits of one remote address (IPv6: /64)." }),
      },
      { description: "How fast callers may be." },
    ).optional(),
    uploads: section(
      {
        blob: amount("Largest blob. Default: 10GiB.").optional(),
        manifest: amount("Largest manifest, at most 4MiB, which is the default.").optional(),
      },
      { description: "What one upload may be." },
    ).optional(),
    tokens: section(
      {
        service: z
          .string()
          .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/, 'expected a name such as "registry.example.com"')
          .optional()
          .meta({ description: "Name of the service in challenges and tokens. Default: touchmark-registry." }),
        lifetime: z
          .string()
          .regex(durationPattern, 'expected a duration such as "5m"')
          .optional()
          .meta({ description: "Life of a token that a client gets, 1m to 1h. Default: 5m." }),
      },
      { description: "Bearer tokens." },
    ).optional(),
    audit: section(
      {
        file: filePath
          .optional()
          .meta({ description: "File of JSON lines. Default: audit.jsonl beside the registry." }),
        size: amount("Size at which the next file begins. Default: 64MiB.").optional(),
        keep: z.int().min(1).max(1000).optional().meta({ description: "Older files that are kept. Default: 8." }),
      },
      { description: "The audit trail: who did what, without secrets." },
    ).optional(),
  },
  { title: "Touchmark registry", description: "HOME/registry.yaml: who may do what with the registry of a home." },
);

/** The document as written, after checking its shape. */
export type RegistryDocument = z.infer<typeof registryDocument>;

/** The published JSON Schema (draft 2020-12) of `registry.yaml`. */
export function registrySchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(registryDocument, { target: "draft-2020-12", io: "input" });
  return { $id: "https://touchmark.dev/schemas/registry/v1.json", ...schema };
}
