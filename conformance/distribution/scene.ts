import { createHash, randomBytes } from "node:crypto";
import { expectField, expectStatus, NotOffered } from "./check.ts";
import { type Answer, type Ask, RegistryCaller } from "./client.ts";

export const types = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
  empty: "application/vnd.oci.empty.v1+json",
};

export interface SampleDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** A document to be pushed. */
export interface SampleManifest {
  readonly mediaType: string;
  readonly text: string;
  readonly digest: string;
}

/** Members of an image manifest that a check sets. */
export interface SampleMembers {
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly subject?: SampleDescriptor;
  readonly layers?: readonly SampleDescriptor[];
}

/** What checks work with: a caller, and repositories of this run alone. */
export class Scene {
  readonly caller: RegistryCaller;
  readonly repository: string;
  /** A second repository of the same run. */
  readonly other: string;

  constructor(url: string, user: string | undefined, prefix: string) {
    this.caller = new RegistryCaller(url, user);
    const run = randomBytes(5).toString("hex");
    this.repository = `${prefix}/run-${run}`;
    this.other = `${prefix}/other-${run}`;
  }

  /** Says which manifests it takes, as clients should ("Pulling manifests"). */
  send(method: string, target: string, ask: Ask = {}): Promise<Answer> {
    const isPull = (method === "GET" || method === "HEAD") && target.includes("/manifests/");
    const headers = { ...(isPull ? { Accept: `${types.manifest}, ${types.index}` } : {}), ...ask.headers };
    return this.caller.send(method, target, { ...ask, headers });
  }

  /** A path below a repository. */
  at(path: string, repository = this.repository): string {
    return `/v2/${repository}/${path}`;
  }

  /** Begins an upload; answers its location. */
  async begin(repository = this.repository): Promise<string> {
    const answer = await this.send("POST", this.at("blobs/uploads/", repository));
    expectStatus(answer, 202);
    return expectField(answer, "Location");
  }

  /** Pushes content that nobody has pushed before, unless it is given. */
  async blob(content: Uint8Array = randomBytes(64), repository = this.repository): Promise<SampleDescriptor> {
    const digest = digestOf(content);
    const location = await this.begin(repository);
    const answer = await this.send("PUT", withQuery(location, `digest=${digest}`), {
      headers: { "Content-Type": "application/octet-stream" },
      body: content,
    });
    expectStatus(answer, 201);
    return { mediaType: types.layer, digest, size: content.length };
  }

  /** A manifest that was not there before; its blobs are. */
  async image(members: SampleMembers = {}, repository = this.repository): Promise<SampleManifest> {
    const config = await this.blob(
      Buffer.from(`{"architecture":"amd64","os":"linux","nonce":"${nonce()}"}`),
      repository,
    );
    const layers = members.layers ?? [await this.blob(undefined, repository)];
    const { artifactType, annotations, subject } = members;
    const value = { schemaVersion: 2, mediaType: types.manifest, artifactType };
    const parts = { config: { ...config, mediaType: types.config }, layers, subject, annotations };
    return sample(types.manifest, JSON.stringify({ ...value, ...parts }));
  }

  push(manifest: SampleManifest, reference = manifest.digest, repository = this.repository): Promise<Answer> {
    return this.send("PUT", this.at(`manifests/${reference}`, repository), {
      headers: { "Content-Type": manifest.mediaType },
      body: manifest.text,
    });
  }

  /** Pushes an image, and answers it. */
  async pushed(reference?: string, members?: SampleMembers, repository?: string): Promise<SampleManifest> {
    const manifest = await this.image(members, repository);
    expectStatus(await this.push(manifest, reference, repository), 201);
    return manifest;
  }
}

export function sample(mediaType: string, text: string): SampleManifest {
  return { mediaType, text, digest: digestOf(Buffer.from(text)) };
}

export function descriptorOf(manifest: SampleManifest): SampleDescriptor {
  const { mediaType, digest, text } = manifest;
  return { mediaType, digest, size: Buffer.byteLength(text) };
}

/** What exists nowhere. */
export function unknownDigest(): string {
  return digestOf(randomBytes(32));
}

export function digestOf(content: Uint8Array): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

export function nonce(): string {
  return randomBytes(6).toString("hex");
}

/** Adds to the query of a location, which may have one. */
export function withQuery(location: string, query: string): string {
  return `${location}${location.includes("?") ? "&" : "?"}${query}`;
}

/** @throws NotOffered when deletion is disabled, as the specification lets it be */
export function refuseDisabled(answer: Answer): void {
  if (answer.status === 400 || answer.status === 405) throw new NotOffered(`deletion is disabled (${answer.status})`);
}
