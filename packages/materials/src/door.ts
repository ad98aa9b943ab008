import type { Digest } from "@touchmark/core";
import type { DigestAlgorithm } from "@touchmark/formats/lockfiles";

/** A request that came out of the sandbox, already parsed and found well formed. */
export interface ProxyRequest {
  readonly method: "GET" | "HEAD" | "POST";
  /** Absolute, normalised, without user information or fragment. */
  readonly url: URL;
  /** Names in lower case; hop-by-hop headers removed. `authorization` of the step never leaves; it is dropped and counted. */
  readonly headers: Readonly<Record<string, string>>;
  /** Body of a POST, at most 8 MiB. */
  readonly body?: Uint8Array;
}

/** Decides on every request of one step. Implemented by the session; the proxy knows no ecosystem. */
export interface Door {
  /** What to do with a request. A refusal is thrown: a FactoryError, whose code and message go to client, log and record. */
  open(request: ProxyRequest): Promise<Passage>;
}

/** An answer that exists. */
export interface StoredAnswer {
  readonly kind: "stored";
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** File with the body; the door has verified that its bytes have the digest. */
  readonly body: { readonly path: string; readonly size: number; readonly digest: Digest };
}

/** Ask upstream, and let the answer in when `settle` agrees. */
export interface UpstreamPassage {
  readonly kind: "upstream";
  /** Where to ask; may differ from the request's address only by what the door decided. */
  readonly url: URL;
  /** Headers to send, complete but for host and framing. Credentials stand here. */
  readonly headers: Readonly<Record<string, string>>;
  readonly maxBytes: number;
  /**
   * The address may lie in a private network: the user configured it. What an index announced may not. Holds for
   * redirects within the same host name; for others see `allowPrivateRedirect`.
   */
  readonly allowPrivate: boolean;
  /** Whether a redirect to another host name may lead to a private address; never without this. */
  allowPrivateRedirect?(to: URL): boolean;
  /** Hashes to take beside SHA-256 while the body streams. */
  readonly algorithms: readonly DigestAlgorithm[];
  /** Asked for each redirect before it is followed; throws to refuse. Answers the headers for the new address. */
  redirect(to: URL): Promise<Readonly<Record<string, string>>>;
  /** Creates the file that the body streams into. */
  quarantine(): Promise<BodySink>;
  /**
   * Called with the complete body before its last bytes go to the client. Throws to refuse. What it answers is sent:
   * normally the same body from its place in the mirror.
   */
  settle(arrived: ArrivedAnswer): Promise<StoredAnswer>;
  /** Called when nothing will arrive: refused, failed, cut. Removes what lies in quarantine. */
  abandon(): Promise<void>;
}

export type Passage = StoredAnswer | UpstreamPassage;

/** Takes a body while it streams. `write` applies back pressure. */
export interface BodySink {
  readonly path: string;
  write(chunk: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** A complete answer in quarantine. */
export interface ArrivedAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Address that finally answered. */
  readonly url: URL;
  readonly redirects: readonly string[];
  readonly path: string;
  readonly size: number;
  /** SHA-256 and whatever `algorithms` asked for, lower-case hex. */
  readonly hashes: Readonly<Partial<Record<DigestAlgorithm, string>>>;
  /** Content coding that upstream used and the proxy undid; `size` and `hashes` are of what came out. */
  readonly coding?: string;
  /** Connections that it took; more than one means that it was resumed or asked again. */
  readonly attempts?: number;
}
