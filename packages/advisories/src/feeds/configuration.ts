import { readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { advisoriesDocument, PipelineFileError, Problems, parseDuration, readYaml } from "@touchmark/formats/pipeline";
import type { AdvisorySourceKind } from "../importers/importer.ts";
import { advisoryFeedErrors } from "./errors.ts";

/** A source as the user configured it. */
export interface ConfiguredSource {
  readonly name: string;
  readonly kind: AdvisorySourceKind;
  /** Absolute path, or an address. */
  readonly location: string;
  readonly isRemote: boolean;
  readonly licence?: string;
  /** Seconds. */
  readonly maximumAge: { readonly warn?: number; readonly refuse?: number };
}

/** The user's configuration of advisories. */
export interface AdvisoryConfiguration {
  readonly sources: readonly ConfiguredSource[];
  /** Older databases that pruning leaves. */
  readonly keep: number;
}

/** Where a home has its advisories. */
export interface AdvisoryPlace {
  /** HOME/advisories.yaml. */
  readonly configuration: string;
  /** HOME/advisories. */
  readonly directory: string;
}

/** The place of a home, by its path. */
export function advisoryPlace(home: string): AdvisoryPlace {
  return { configuration: join(home, "advisories.yaml"), directory: join(home, "advisories") };
}

/** Sources that a home is configured for; undefined where it has no advisories.yaml. @throws ADVISORY_CONFIG_INVALID */
export function advisorySources(place: AdvisoryPlace): AdvisoryConfiguration | undefined {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(place.configuration));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw invalid(`expected a readable file of UTF-8 text at ${place.configuration}`, cause);
  }
  return parseAdvisoryConfiguration(text, place.configuration);
}

/** Reads the text of advisories.yaml; paths are relative to it. @throws ADVISORY_CONFIG_INVALID */
export function parseAdvisoryConfiguration(text: string, path: string): AdvisoryConfiguration {
  try {
    const reading = readYaml(text, basename(path));
    const problems = new Problems(basename(path), reading);
    const checked = advisoriesDocument.safeParse(reading.value);
    if (!checked.success) {
      problems.addIssues(checked.error.issues);
      problems.throwIfAny();
      throw checked.error;
    }
    const taken = new Set<string>();
    const sources = checked.data.sources.map((written, i): ConfiguredSource => {
      const wrong = (member: string, message: string): void =>
        problems.add("PIPELINE_VALUE_INVALID", ["sources", i, member], message);
      if (taken.has(written.name)) wrong("name", `expected a name of its own, found ${written.name} twice`);
      taken.add(written.name);
      const isRemote = /^[a-z][a-z0-9+.-]+:\/\//i.test(written.location);
      if (isRemote) {
        const fault = addressFault(written.location, written["insecure-http"] === true);
        if (fault !== undefined) wrong("location", fault);
      }
      const { warn, refuse } = written["maximum-age"] ?? {};
      return {
        ...{ name: written.name, kind: written.kind, isRemote },
        location: isRemote ? written.location : resolve(dirname(path), written.location),
        ...(written.licence === undefined ? {} : { licence: written.licence }),
        maximumAge: {
          ...(warn === undefined ? {} : { warn: secondsOf(warn) }),
          ...(refuse === undefined ? {} : { refuse: secondsOf(refuse) }),
        },
      };
    });
    problems.throwIfAny();
    return { sources, keep: checked.data.keep ?? 10 };
  } catch (cause) {
    if (cause instanceof PipelineFileError) throw invalid(cause.message, cause);
    throw cause;
  }
}

/** What is wrong with an address of a feed. */
function addressFault(written: string, allowsHttp: boolean): string | undefined {
  let url: URL;
  try {
    url = new URL(written);
  } catch {
    return "expected an https address";
  }
  if (url.username !== "" || url.password !== "" || url.hash !== "") {
    return "expected an address without user information and fragment";
  }
  if (url.protocol === "https:") return undefined;
  if (url.protocol !== "http:") return "expected an https address, or a path";
  return allowsHttp || isLoopback(url.hostname)
    ? undefined
    : "expected an https address, found plain http (insecure-http: true allows it)";
}

/** True for a name of this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

function secondsOf(age: string): number {
  if (age.endsWith("d")) return Number(age.slice(0, -1)) * 86_400;
  return age === "0s" ? 0 : (parseDuration(age) ?? 0);
}

function invalid(message: string, cause: unknown): Error {
  return advisoryFeedErrors.make("ADVISORY_CONFIG_INVALID", message, { cause });
}
