import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";

/** A package registry of tests on this host's loopback, in npm's protocol. */
export interface TestRegistry {
  readonly url: string;
  /** Paths that were asked, in order. */
  readonly asked: string[];
  /** Answers of the registry by path; tests change them. */
  readonly answers: Map<string, Uint8Array>;
  close(): Promise<void>;
}

/** Starts it. */
export async function testRegistry(): Promise<TestRegistry> {
  const asked: string[] = [];
  const answers = new Map<string, Uint8Array>();
  const server: Server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const body = answers.get(request.url ?? "");
    response.writeHead(body === undefined ? 404 : 200, { "content-type": "application/octet-stream" });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    asked,
    answers,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A small npm package: one file beside its manifest. */
export function npmPackage(name: string, version: string, content: string): Uint8Array {
  const manifest = JSON.stringify({ name, version, license: "MIT" });
  const entries = [...tarEntry("package/package.json", manifest), ...tarEntry("package/index.js", content)];
  return gzipSync(Buffer.concat([...entries, Buffer.alloc(1024)]));
}

function tarEntry(name: string, content: string): Buffer[] {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write("0000644\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136);
  header.write("        ", 148);
  header.write("0", 156);
  header.write("ustar\0", 257);
  header.write("00", 263);
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const body = Buffer.alloc(Math.ceil(content.length / 512) * 512);
  body.write(content);
  return [header, body];
}

/** A package-lock of packages by name, version and bytes. */
export function packageLock(
  packages: readonly (readonly [name: string, version: string, bytes: Uint8Array])[],
): string {
  const rows = packages.map(([name, version, bytes]) => [
    `node_modules/${name}`,
    { version, integrity: `sha512-${createHash("sha512").update(bytes).digest("base64")}` },
  ]);
  const dependencies = Object.fromEntries(packages.map(([name, version]) => [name, version]));
  return JSON.stringify({
    ...{ name: "demo", version: "1.0.0", lockfileVersion: 3, requires: true },
    packages: { "": { name: "demo", version: "1.0.0", dependencies }, ...Object.fromEntries(rows) },
  });
}

/** A client for the sandbox: fetches an address through the proxy that the environment names. Perl is always there. */
export const clientScript = `use strict; use IO::Socket::INET;
my ($host, $port) = $ENV{http_proxy} =~ m{//([^:]+):(\\d+)};
my $out = $ENV{TOUCHMARK_OUTPUT};
my $failed = 0;
for my $url (@ARGV) {
  my ($name) = $url =~ m{([^/]+)$};
  my ($authority) = $url =~ m{^http://([^/]+)};
  my $socket = IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port) or die "no proxy: $!";
  print $socket "GET $url HTTP/1.1\\r\\nHost: $authority\\r\\nConnection: close\\r\\n\\r\\n";
  local $/; my $answer = <$socket>;
  my ($head, $body) = split /\\r\\n\\r\\n/, $answer, 2;
  if ($head !~ m{^HTTP/1.1 200}) { print STDERR "$url: ", (split /\\r\\n/, $head)[0], " $body\\n"; $failed = 1; next }
  open my $file, ">", "$out/$name" or die $!; print $file $body; close $file;
}
exit $failed;
`;
