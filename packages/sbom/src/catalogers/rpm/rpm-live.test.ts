import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, expect, test } from "vitest";
import { collectedFrom, contextOf } from "../collected.fixture.ts";
import { rpm } from "./rpm.ts";

const directory = mkdtempSync(join(tmpdir(), "touchmark-rpm-live-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const hasRpm = ["rpm", "rpmbuild"].every((name) => spawnSync(name, ["--version"]).status === 0);
const hasBerkeleyDb = spawnSync("perl", ["-MDB_File", "-e", "1"]).status === 0;

const spec = `Name: tiny
Epoch: 2
Version: 1.4
Release: 3
Summary: A tiny package
License: MIT
Vendor: Example Vendor
BuildArch: noarch
Requires: tiny-libs = %{epoch}:%{version}-%{release}
%description
Tiny.
%package libs
Summary: Its libraries
%description libs
Libraries.
%prep
%build
%install
mkdir -p %{buildroot}/usr/bin %{buildroot}/usr/share/tiny
echo > %{buildroot}/usr/bin/tiny
echo > %{buildroot}/usr/share/tiny/lib.txt
%files
/usr/bin/tiny
%files libs
%dir /usr/share/tiny
/usr/share/tiny/lib.txt
`;

/** A program that writes a Berkeley DB hash: byte order, path, and files with the headers. */
const writer = `use DB_File; my ($order, $out, @files) = @ARGV; my $kind = DB_File::HASHINFO->new; $kind->{lorder} = $order;
tie(my %db, "DB_File", $out, O_CREAT|O_RDWR, 0644, $kind) or die $!; my $p = $order == 4321 ? "N" : "V"; my $i = 0;
$db{pack($p, 0)} = pack($p, scalar @files);
for (@files) { open(my $f, "<:raw", $_) or die; local $/; $db{pack($p, ++$i)} = <$f>; }`;

async function components(folder: string) {
  const files = readdirSync(folder).map((name) => collectedFrom(`var/lib/rpm/${name}`, join(folder, name)));
  const found = await rpm.catalogue(
    files.filter((file) => rpm.wants(file)),
    contextOf(files),
  );
  expect(found.losses).toEqual([]);
  return found.components
    .map(({ name, version, owns, sourcePackage }) => [name, version, owns, sourcePackage?.version])
    .sort();
}

test.skipIf(!hasRpm)(
  "R1: what rpm builds and installs here is read from its database",
  { timeout: 60_000 },
  async () => {
    writeFileSync(join(directory, "tiny.spec"), spec);
    const quiet = { stdio: "pipe" } as const;
    execFileSync("rpmbuild", ["-bb", "--define", `_topdir ${directory}/top`, join(directory, "tiny.spec")], quiet);
    const built = join(directory, "top/RPMS/noarch");
    const packages = readdirSync(built).map((name) => join(built, name));
    const home = join(directory, "sqlite");
    const into = ["--define", "_db_backend sqlite", "--dbpath", home];
    execFileSync("rpm", [...into, "-i", "--justdb", "--nodeps", "--ignoreos", ...packages], quiet);
    const expected = [
      ["tiny", "2:1.4-3", ["usr/bin/tiny"], "2:1.4-3"],
      ["tiny-libs", "2:1.4-3", ["usr/share/tiny/lib.txt"], "2:1.4-3"],
    ];
    expect(await components(home)).toEqual(expected);
    if (!hasBerkeleyDb) return;

    const open = new DatabaseSync(join(home, "rpmdb.sqlite"));
    const headers = open
      .prepare("SELECT blob FROM Packages")
      .all()
      .map(({ blob }) => blob as Uint8Array);
    open.close();
    const paths = headers.map((header, index) => {
      const path = join(directory, `header-${index}`);
      writeFileSync(path, header);
      return path;
    });
    for (const order of ["1234", "4321"]) {
      const folder = join(directory, order);
      mkdirSync(folder);
      execFileSync("perl", ["-e", writer, order, join(folder, "Packages"), ...paths], quiet);
      expect(existsSync(join(folder, "Packages")) && readFileSync(join(folder, "Packages")).length).toBeGreaterThan(
        4096,
      );
      expect(await components(folder)).toEqual(expected);
    }
  },
);
