/** What the `release` file at the top of a Java runtime says of it. */
export interface JavaRelease {
  readonly version: string;
  readonly runtimeVersion?: string;
  readonly implementor?: string;
  readonly architecture?: string;
}

const line = /^([A-Z][A-Z0-9_]*)="([^"\u0000-\u001f]{0,4000})"$/;

/** Reads it; undefined for another file of that name. */
export function readJavaRelease(bytes: Uint8Array): JavaRelease | undefined {
  const values = new Map<string, string>();
  for (const text of Buffer.from(bytes).toString("utf8").split(/\r?\n/)) {
    const [, name, value] = line.exec(text.trimEnd()) ?? [];
    if (name !== undefined && value !== undefined) values.set(name, value);
  }
  const version = values.get("JAVA_VERSION");
  if (version === undefined || !/^\d[\w.+-]{0,60}$/.test(version)) return undefined;
  const runtimeVersion = values.get("JAVA_RUNTIME_VERSION");
  const implementor = values.get("IMPLEMENTOR");
  const architecture = values.get("OS_ARCH");
  return {
    version,
    ...(runtimeVersion !== undefined && { runtimeVersion }),
    ...(implementor !== undefined && { implementor }),
    ...(architecture !== undefined && { architecture }),
  };
}
