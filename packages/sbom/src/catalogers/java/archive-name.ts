/** What the name of a Java archive says: `ARTIFACT-VERSION[-CLASSIFIER].EXTENSION`. */
export interface ArchiveName {
  readonly artifact: string;
  readonly version?: string;
  readonly classifier?: string;
  /** In lower case; `jar` when there is none. */
  readonly extension: string;
}

/** Extensions of archives that hold Java programs, and of archives that such come in. */
const extensions = /\.(jar|war|ear|aar|rar|par|sar|har|nar|kar|lpkg|hpi|jpi|jmod|zip)$/i;
/** Words that stand in versions, not in names or classifiers. */
const word =
  /^(?:\d\w*|v\d\w*|alpha\w*|beta\w*|b\d+|m\d+|rc\d*|cr\d*|sp\d*|ga|final|release|snapshot|incubating|preview\w*|ea\d*|pre\w*|milestone\w*|jre\d*|jdk\d+\w*|android|redhat|build\w*|patch\w*|r\d+\w*|p\d+|java\d*|hadoop\d*|pfd|edr?\d*|dev\d*|stable|nightly|native|atlassian|cloudera|cdh\w*|mule|osgi|scala|svn\d+|git\w*)$/i;

/** True for names that archives with Java programs have. */
export function isJavaArchiveName(name: string): boolean {
  return extensions.test(name);
}

/**
 * Reads the name of an archive, without its folders. The version begins at the first `-` before a digit from which on
 * everything is a version (`log4j-1.2-api-2.17.1` is 2.17.1 of log4j-1.2-api); else what is not is the classifier.
 */
export function readArchiveName(fileName: string): ArchiveName {
  const extension = (extensions.exec(fileName)?.[1] ?? "jar").toLowerCase();
  const base = fileName.replace(extensions, "").slice(0, 300);
  // Behind an underscore stands the Scala version, unless it is the last separator: bundles of OSGi are named so.
  const places = [...base.matchAll(/-(?=v?\d)|_(?=\d+\.[\w.]*$)/g)].map(({ index }) => index).filter((at) => at > 0);
  for (const at of places) {
    if (isVersion(base.slice(at + 1))) return { artifact: base.slice(0, at), version: base.slice(at + 1), extension };
  }
  for (const at of places) {
    const segments = base.slice(at + 1).split("-");
    const end = segments.findIndex((segment) => !isWord(segment));
    if (end < 1 || !/\d/.test(segments[0] ?? "")) continue;
    return {
      artifact: base.slice(0, at),
      version: segments.slice(0, end).join("-"),
      classifier: segments.slice(end).join("-"),
      extension,
    };
  }
  return { artifact: base, extension };
}

function isVersion(text: string): boolean {
  return text.split("-").every(isWord);
}

function isWord(segment: string): boolean {
  return segment !== "" && segment.split(/[.+_~]/).every((part) => part === "" || word.test(part));
}
