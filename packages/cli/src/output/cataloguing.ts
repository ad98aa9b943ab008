import type { Sbom } from "@touchmark/formats/sbom";
import type { ScanSource } from "../scan-source.ts";
import { oneLine, type Terminal } from "../terminal.ts";

/** What the caller says of the subject, beside what is found. */
export interface SubjectWords {
  readonly name?: string;
  readonly version?: string;
  readonly created?: string;
}

/** The SBOM of a source, with progress on a terminal while its files are gone over. */
export async function cataloguing(source: ScanSource, terminal: Terminal, words: SubjectWords = {}): Promise<Sbom> {
  if (source.kind === "sbom") {
    for (const loss of source.losses) terminal.note(oneLine(`not taken from the document: ${loss}`));
    return source.sbom;
  }
  const { allCatalogers, catalogue } = await import("@touchmark/sbom");
  const { name, version, created } = words;
  let last = 0;
  try {
    return await catalogue(source.tree, {
      catalogers: allCatalogers(),
      subject: {
        ...source.subject,
        ...(name === undefined ? {} : { name }),
        ...(version === undefined ? {} : { version }),
      },
      ...(created === undefined ? {} : { created }),
      signal: terminal.signal,
      onProgress: (seen) => {
        const now = Date.now();
        if (!terminal.live || now - last < 100) return;
        last = now;
        terminal.draw(`\r\u001b[K${seen} files`);
      },
    });
  } finally {
    if (terminal.live) terminal.draw("\r\u001b[K");
  }
}
