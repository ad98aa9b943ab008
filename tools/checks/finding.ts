/** One thing that a check found wrong. */
export interface Finding {
  /** File relative to the repository. */
  readonly path: string;
  readonly line?: number;
  readonly message: string;
}

/** `path:line: message`, as editors and people read it. */
export function findingText({ path, line, message }: Finding): string {
  return line === undefined ? `${path}: ${message}` : `${path}:${line}: ${message}`;
}
