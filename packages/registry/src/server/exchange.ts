import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "@touchmark/core";
import type { RegistryAction, RegistryAuthority, RegistryCaller, TagRules } from "../authority.ts";
import type { RegistryBackend } from "../backend.ts";
import type { RegistryLimits } from "./limits.ts";
import type { ManifestCache } from "./manifest-cache.ts";
import type { OpenUploads } from "./open-uploads.ts";

/** What one request came to. Never holds a secret. */
export interface AuditLine {
  readonly at: Date;
  readonly caller: string;
  readonly action: RegistryAction | "check";
  readonly repository: string;
  /** Tag, digest, upload or query, as far as the request named one. */
  readonly reference: string;
  readonly status: number;
  /** Bytes of body that came in, or went out for reads. */
  readonly bytes: number;
  readonly remote: string;
  readonly method: string;
  /** Code of ours with which it was refused. */
  readonly code?: string;
}

/** What the server is made of. */
export interface RegistryParts {
  readonly backend: RegistryBackend;
  readonly authority: RegistryAuthority;
  /** Default: no tag is immutable, and every one may be set. */
  readonly tagRules?: TagRules;
  readonly limits?: Partial<RegistryLimits>;
  readonly audit?: (line: AuditLine) => void;
  /** Told of what failed in the registry itself; clients hear no more than that it did. */
  readonly failed?: (error: unknown) => void;
  readonly clock?: Clock;
  /** Address for clients, put before the paths in `Location`; without one these are relative. */
  readonly url?: string;
}

/** The same, with every default filled in, and what lasts from one request to the next. */
export interface RegistryService {
  readonly backend: RegistryBackend;
  readonly authority: RegistryAuthority;
  readonly tagRules: TagRules;
  readonly limits: RegistryLimits;
  readonly audit: ((line: AuditLine) => void) | undefined;
  readonly failed: (error: unknown) => void;
  readonly clock: Clock;
  readonly url: string;
  readonly cache: ManifestCache;
  readonly uploads: OpenUploads;
}

/** One request under way. */
export interface Exchange {
  readonly service: RegistryService;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  caller: RegistryCaller;
  readonly remote: string;
  /** True when the client waits for `100 Continue` before it sends its body. */
  readonly waits: boolean;
  /** For the audit line. */
  bytes: number;
}
