/** One entry of a tar archive, as a hostile hand writes it: any name, any type, any size. */
export interface ForgedTarEntry {
  readonly name: string;
  readonly content?: string | Uint8Array;
  readonly type?: string;
  readonly target?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  /** Raw bytes anywhere in the header, before its checksum is made. */
  readonly raw?: readonly (readonly [at: number, bytes: Uint8Array | string])[];
  /** What the header says, when it is not the truth. */
  readonly size?: number;
  /** Raw twelve bytes of the size field. */
  readonly sizeField?: Uint8Array;
  readonly magic?: "ustar\x0000" | "ustar  \0";
  readonly prefix?: string;
  /** Records of a pax header in front; a list, so that a key can stand twice. */
  readonly pax?: readonly (readonly [string, string])[];
  /** A GNU long name in front. */
  readonly longName?: string;
}

/** Writes a tar archive. @param tail bytes behind the entries; default: the end of an archive */
export function forgeTar(entries: readonly ForgedTarEntry[], tail: Uint8Array = Buffer.alloc(1024)): Buffer {
  const parts: Uint8Array[] = [];
  for (const entry of entries) {
    if (entry.pax) parts.push(...record({ name: "PaxHeader", type: "x", content: paxBody(entry.pax) }));
    if (entry.longName !== undefined) {
      parts.push(...record({ name: "././@LongLink", type: "L", content: `${entry.longName}\0` }));
    }
    parts.push(...record(entry));
  }
  return Buffer.concat([...parts, tail]);
}

/** Body of a pax header. */
export function paxBody(records: readonly (readonly [string, string])[]): string {
  return records
    .map(([key, value]) => {
      const rest = Buffer.byteLength(` ${key}=${value}\n`);
      let length = rest + String(rest).length;
      if (String(length).length > String(rest).length) length++;
      return `${length} ${key}=${value}\n`;
    })
    .join("");
}

function record(entry: ForgedTarEntry): Uint8Array[] {
  const { name, content = "", type = "0", target = "", mode = 0o644, magic = "ustar\x0000", prefix = "" } = entry;
  const body = typeof content === "string" ? Buffer.from(content) : content;
  const block = Buffer.alloc(512);
  const octal = (value: number, at: number, length: number) =>
    block.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, length, "latin1");
  block.write(name, 0, 100);
  octal(mode, 100, 8);
  octal(entry.uid ?? 0, 108, 8);
  octal(entry.gid ?? 0, 116, 8);
  octal(entry.size ?? body.length, 124, 12);
  if (entry.sizeField) block.set(entry.sizeField, 124);
  octal(entry.mtime ?? 0, 136, 12);
  block.write(type, 156, 1, "latin1");
  block.write(target, 157, 100);
  block.write(magic, 257, 8, "latin1");
  block.write(prefix, 345, 155);
  for (const [at, bytes] of entry.raw ?? []) block.set(Buffer.from(bytes as string, "latin1"), at);
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, 8, "latin1");
  return [block, body, Buffer.alloc((512 - (body.length % 512)) % 512)];
}
