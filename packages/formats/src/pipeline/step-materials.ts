import { z } from "zod";
import { section, text } from "./schema-parts.ts";

/** `materials:` of a step with `network: fetch`: what it may fetch, beyond what the lockfiles of its source say. */

const address = (what: string) =>
  text(2048)
    .refine((given) => addressFault(given) === undefined, { error: (issue) => addressFault(String(issue.input)) ?? "" })
    .meta({ description: what });

/** Why an address cannot be one of a download or repository, or undefined when it can. */
function addressFault(given: string): string | undefined {
  let url: URL;
  try {
    url = new URL(given);
  } catch {
    return "expected an absolute address";
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") return "expected an https address";
  if (url.username !== "" || url.password !== "" || /^[a-z]+:\/\/[^/?#]*@/i.test(given))
    return "expected an address without user information: credentials belong to the user's configuration";
  if (url.hash !== "") return "expected an address without a fragment";
  return undefined;
}

const relative = text(1024)
  .min(1, "expected a path")
  .refine(
    (given) => !given.startsWith("/") && !given.split("/").some((part) => part === "" || part === "." || part === ".."),
    "expected a path relative to the source, without `.`, `..`, `//` or a slash at the end",
  );

export const stepMaterials = section(
  {
    lockfiles: z
      .array(relative)
      .max(64, "expected at most 64 lockfiles")
      .optional()
      .meta({
        description: "Lockfiles in the source that say what is fetched. Default: those that are found there.",
        examples: [["package-lock.json"]],
      }),
    downloads: z
      .array(
        section(
          {
            url: address("Where the file is."),
            sha256: z
              .string()
              .regex(/^[0-9a-f]{64}$/, "expected 64 lower-case hexadecimal digits")
              .optional()
              .meta({ description: "Its SHA-256." }),
            sha512: z
              .string()
              .regex(/^[0-9a-f]{128}$/, "expected 128 lower-case hexadecimal digits")
              .optional()
              .meta({ description: "Its SHA-512." }),
            at: relative.optional().meta({ description: "Where the step puts it, for people." }),
          },
          {
            description: "A file that is no package, with its digest.",
            anyOf: [{ required: ["sha256"] }, { required: ["sha512"] }],
          },
        ).refine((given) => given.sha256 !== undefined || given.sha512 !== undefined, {
          error: "expected sha256 or sha512: a plain download needs a digest",
        }),
      )
      .max(1000, "expected at most 1000 downloads")
      .optional()
      .meta({ description: "Files that are no packages, each with its digest." }),
    git: z
      .array(
        section(
          {
            url: address("Address of the repository."),
            commit: z
              .string()
              .regex(
                /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/,
                "expected a full commit id: 40 or 64 lower-case hexadecimal digits",
              )
              .meta({ description: "The commit, in full." }),
          },
          { description: "A commit of a repository." },
        ),
      )
      .max(1000, "expected at most 1000 repositories")
      .optional()
      .meta({ description: "Repositories, each with the commit that is fetched." }),
  },
  { description: "What a step with network: fetch may fetch, beyond what its lockfiles say." },
);

/** What a step declares to fetch. */
export type StepMaterials = z.infer<typeof stepMaterials>;
