import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "@touchmark/core";
import {
  type ClassicLayout,
  type ClassicLink,
  type ClassicSigner,
  type ClassicStep,
  classicLinkFileName,
  classicSigner,
  writeClassicLayout,
  writeClassicLink,
} from "@touchmark/formats/in-toto";

/** People of the demo: the owner signs the layout, the others perform steps. */
export const people = {
  alice: classicSigner(generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey),
  bob: classicSigner(generateKeyPairSync("ed25519").privateKey),
  carl: classicSigner(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey),
  mallory: classicSigner(generateKeyPairSync("ed25519").privateKey),
} as const;

const before = "print('hello')\n";
const after = "VERSION = 1\nprint('hello')\n";
/** The demo's source after its version was updated. */
export const updated = after;
const hashed = (content: string | Uint8Array) => ({ sha256: sha256(content).slice("sha256:".length) });

/** What stands on disk, before it is written: a tampering changes one thing of it. */
export interface Demo {
  layout: ClassicLayout;
  owner: ClassicSigner;
  /** Links by file name below the links directory, with who signs them. */
  readonly links: Map<string, { link: ClassicLink; signer: ClassicSigner }>;
  /** Files written as they are, over what would be there. */
  readonly raw: Map<string, Uint8Array>;
  /** Bytes of the final product. */
  product: Uint8Array;
}

/** The name of a link's file. */
export function fileOf(step: string, signer: ClassicSigner): string {
  return classicLinkFileName(step, signer.key.keyid);
}

/** A tar archive with the project in it, packed by the real tar. */
export function packed(directory: string, content: string): Uint8Array {
  const project = join(directory, "demo-project");
  mkdirSync(project, { recursive: true });
  writeFileSync(join(project, "foo.py"), content);
  execFileSync("tar", ["czf", "demo-project.tar.gz", "demo-project"], { cwd: directory });
  return readFileSync(join(directory, "demo-project.tar.gz"));
}

/** The steps of in-toto's demo: clone, update-version, package; the inspection unpacks what was packed. */
export function makeDemo(scratch: string): Demo {
  const { alice, bob, carl } = people;
  const product = packed(scratch, after);
  const source = { "demo-project/foo.py": hashed(before) };
  const changed = { "demo-project/foo.py": hashed(after) };
  const made = { "demo-project.tar.gz": hashed(product) };
  const links = new Map<string, { link: ClassicLink; signer: ClassicSigner }>();
  const perform = (signer: ClassicSigner, link: ClassicLink) => links.set(fileOf(link.name, signer), { link, signer });
  perform(bob, linkOf("clone", {}, source));
  perform(bob, linkOf("update-version", source, changed));
  perform(carl, linkOf("package", changed, made));
  const layout: ClassicLayout = {
    expires: "2099-01-01T00:00:00Z",
    readme: "",
    keys: { [bob.key.keyid]: bob.key, [carl.key.keyid]: carl.key },
    steps: [
      stepOf(
        "clone",
        bob,
        [],
        [
          { rule: "CREATE", pattern: "demo-project/foo.py" },
          { rule: "DISALLOW", pattern: "*" },
        ],
      ),
      stepOf(
        "update-version",
        bob,
        [
          { rule: "MATCH", pattern: "demo-project/*", with: "products", from: "clone" },
          { rule: "DISALLOW", pattern: "*" },
        ],
        [
          { rule: "MODIFY", pattern: "demo-project/foo.py" },
          { rule: "DISALLOW", pattern: "*" },
        ],
      ),
      stepOf(
        "package",
        carl,
        [
          { rule: "MATCH", pattern: "demo-project/*", with: "products", from: "update-version" },
          { rule: "DISALLOW", pattern: "*" },
        ],
        [
          { rule: "CREATE", pattern: "demo-project.tar.gz" },
          { rule: "DISALLOW", pattern: "*" },
        ],
      ),
    ],
    inspections: [
      {
        name: "untar",
        run: ["tar", "xzf", "demo-project.tar.gz"],
        materials: [
          { rule: "MATCH", pattern: "demo-project.tar.gz", with: "products", from: "package" },
          { rule: "DISALLOW", pattern: "*" },
        ],
        products: [
          { rule: "MATCH", pattern: "demo-project/foo.py", with: "products", from: "update-version" },
          { rule: "ALLOW", pattern: "demo-project.tar.gz" },
          { rule: "DISALLOW", pattern: "*" },
        ],
      },
    ],
  };
  return { layout, owner: alice, links, raw: new Map(), product };
}

/** A link of a step that succeeded. */
export function linkOf(
  name: string,
  materials: ClassicLink["materials"],
  products: ClassicLink["products"],
): ClassicLink {
  return { name, command: [], materials, products, byproducts: { "return-value": 0 }, environment: {} };
}

function stepOf(
  name: string,
  signer: ClassicSigner,
  materials: ClassicStep["materials"],
  products: ClassicStep["products"],
): ClassicStep {
  return { name, command: [], materials, products, threshold: 1, pubkeys: [signer.key.keyid] };
}

/** Changes one step of the demo's layout. */
export function changeStep(demo: Demo, name: string, change: Partial<ClassicStep>): void {
  const steps = demo.layout.steps.map((step) => (step.name === name ? { ...step, ...change } : step));
  demo.layout = { ...demo.layout, steps };
}

/** Changes what one link says. */
export function changeLink(demo: Demo, name: string, change: Partial<ClassicLink>): void {
  for (const [file, { link, signer }] of demo.links) {
    if (link.name === name) demo.links.set(file, { link: { ...link, ...change }, signer });
  }
}

/** Writes the demo: the layout, its owner's key, the links, and the product in a directory of its own. */
export function writeDemo(directory: string, demo: Demo): void {
  mkdirSync(join(directory, "links"), { recursive: true });
  mkdirSync(join(directory, "final"));
  writeFileSync(join(directory, "root.layout"), writeClassicLayout(demo.layout, [demo.owner]));
  writeFileSync(join(directory, "owner.pem"), `${people.alice.key.public.trim()}\n`);
  for (const [file, { link, signer }] of demo.links) {
    writeFileSync(join(directory, "links", file), writeClassicLink(link, [signer]));
  }
  for (const [file, bytes] of demo.raw) {
    mkdirSync(join(directory, file, ".."), { recursive: true });
    writeFileSync(join(directory, file), bytes);
  }
  writeFileSync(join(directory, "final", "demo-project.tar.gz"), demo.product);
}
