import { crc32, deflateRawSync } from "node:zlib";

/** A file of a zip archive for tests; `local` says what its own header has, where it lies. */
export interface ZipFile {
  readonly name: string;
  readonly text: string;
  readonly local?: { readonly name?: string };
  readonly stored?: boolean;
  readonly flags?: number;
  readonly method?: number;
  /** Says another size, in both headers. */
  readonly size?: number;
}

/** A zip archive of these files, with one directory entry for each. */
export function zipOf(files: readonly ZipFile[], comment = ""): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const file of files) {
    const text = Buffer.from(file.text);
    const bytes = file.stored === true ? text : deflateRawSync(text);
    const common = Buffer.alloc(22);
    common.writeUInt16LE(file.flags ?? 0, 0);
    common.writeUInt16LE(file.method ?? (file.stored === true ? 0 : 8), 2);
    common.writeUInt32LE(crc32(text), 8);
    common.writeUInt32LE(bytes.length, 12);
    common.writeUInt32LE(file.size ?? text.length, 16);
    const header = (name: Buffer): Buffer => {
      const copy = Buffer.from(common);
      copy.writeUInt16LE(name.length, 20);
      return copy;
    };
    const [own, name] = [Buffer.from(file.local?.name ?? file.name), Buffer.from(file.name)];
    const local = Buffer.concat([Buffer.from("504b03041400", "hex"), header(own), Buffer.alloc(2), own, bytes]);
    const central = Buffer.concat([Buffer.from("504b010214001400", "hex"), header(name), Buffer.alloc(16), name]);
    central.writeUInt32LE(at, 42);
    parts.push(local);
    directory.push(central);
    at += local.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(at, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...parts, ...directory, end, Buffer.from(comment)]);
}
