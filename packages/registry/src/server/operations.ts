import type { RegistryAction } from "../authority.ts";
import { answerJson } from "./answer.ts";
import { deleteBlob, readBlob } from "./blobs.ts";
import type { Exchange } from "./exchange.ts";
import { listReferrers, listRepositories, listTags } from "./lists.ts";
import { deleteManifest, pushManifest, readManifest } from "./manifests.ts";
import type { Route } from "./route.ts";
import { appendUpload, beginUpload, cancelUpload, finishUpload, showUpload } from "./uploads.ts";

/** What a method does with a path, and what the caller must be allowed to. */
export interface Operation {
  /** `check` is the version check, which everybody may do who is known. */
  readonly action: RegistryAction | "check";
  readonly run: (exchange: Exchange, repository: string, reference: string) => Promise<void> | void;
}

type Operations = Readonly<Record<string, Operation>>;

const check: Operation = { action: "check", run: (exchange) => answerJson(exchange, {}) };
const blob: Operation = { action: "pull", run: readBlob };
const manifest: Operation = { action: "pull", run: readManifest };

const table: Readonly<Record<Route["kind"], Operations>> = {
  check: { GET: check, HEAD: check },
  catalog: { GET: { action: "catalog", run: listRepositories } },
  tags: { GET: { action: "pull", run: listTags } },
  referrers: { GET: { action: "pull", run: listReferrers } },
  blob: { GET: blob, HEAD: blob, DELETE: { action: "delete", run: deleteBlob } },
  manifest: {
    GET: manifest,
    HEAD: manifest,
    PUT: { action: "push", run: pushManifest },
    DELETE: { action: "delete", run: deleteManifest },
  },
  uploads: { POST: { action: "push", run: beginUpload } },
  upload: {
    GET: { action: "push", run: showUpload },
    PATCH: { action: "push", run: appendUpload },
    PUT: { action: "push", run: finishUpload },
    DELETE: { action: "push", run: cancelUpload },
  },
};

/** Undefined when the path does not have the method. */
export function operationFor(kind: Route["kind"], method: string): Operation | undefined {
  const operations = table[kind];
  return Object.hasOwn(operations, method) ? operations[method] : undefined;
}

/** Methods of a path, for `Allow`. */
export function methodsOf(kind: Route["kind"]): string {
  return Object.keys(table[kind]).join(", ");
}
