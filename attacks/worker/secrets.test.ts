import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect } from "vitest";
import { attack } from "./scene.ts";

attack(
  "W4: a step finds no secret of its factory: not in a home, an environment, an agent's socket or an open file",
  async ({ bench, plain, sealed }) => {
    const home = bench.fill("home", { ".ssh/id_ed25519": "home secret\n", ".npmrc": "token secret\n" });
    const search = `cat ${home}/.ssh/id_ed25519 ${home}/.npmrc ~/.npmrc; tr '\\0' '\\n' < /proc/$PPID/environ; env; cat <&9; true`;
    const script = (tail: string) => `${search} 2>&1; ${tail}`;
    const env = { HOME: home, AWS_SECRET_ACCESS_KEY: "environment secret" };
    const found = plain(
      `exec 9<${home}/.npmrc; sh -c "${script("true").replaceAll('"', '\\"').replaceAll("$", "\\$")}"`,
      { env },
    );
    for (const kind of ["home secret", "token secret", "environment secret"]) expect(found).toContain(kind);
    process.env.AWS_SECRET_ACCESS_KEY = "environment secret";
    const file = openSync(join(home, ".npmrc"), "r");
    try {
      const ran = await sealed(script("ls -la /proc/self/fd"));
      expect(ran.text).not.toContain("secret");
    } finally {
      closeSync(file);
      delete process.env.AWS_SECRET_ACCESS_KEY;
    }
  },
);

attack("W3: a step sees no process of the host, and can neither read nor end one", async ({ bench, plain, sealed }) => {
  const victim = spawn("/bin/sleep", ["300"], { ...bench.ids, env: { TOKEN: "victim-secret" }, stdio: "ignore" });
  const pid = victim.pid;
  try {
    const script = `tr '\\0' '\\n' < /proc/${pid}/environ; ls /proc/${pid}/root/etc/shadow; kill -0 ${pid} && echo reached`;
    const open = plain(script);
    expect(open).toContain("victim-secret");
    expect(open).toContain("reached");
    const ran = await sealed(`${script}; ls /proc | grep -c '^[0-9]'`);
    expect(ran.text).not.toContain("victim-secret");
    expect(ran.text).toMatch(/No such process/);
    expect(ran.text).not.toContain("reached");
    // The sandbox's first process, the shell, ls and grep.
    expect(Number(/(\d+)\n$/.exec(ran.text)?.[1])).toBeLessThanOrEqual(5);
  } finally {
    victim.kill("SIGKILL");
  }
});

attack(
  "W4: a step reaches no Unix socket of the host, by path or by abstract name, with network or without",
  async ({ bench, plain, sealed, caller }) => {
    const path = join(bench.make("run"), "docker.sock");
    const abstract = `touchmark-attack-${process.pid}-${caller}`;
    const servers = [path, `\0${abstract}`].map((name) => createServer((socket) => socket.end("host\n")).listen(name));
    try {
      await Promise.all(
        servers.map(
          (server) => new Promise((resolve) => (server.listening ? resolve(0) : server.once("listening", resolve))),
        ),
      );
      const go = (name: string) =>
        `socket(S, 1, 1, 0); connect(S, pack("S a*", 1, ${name})) ? print <S> : print $! + 0, "\\n";`;
      const script = `perl -e '${go(`"${path}\\0"`)} ${go(`"\\0${abstract}"`)}'`;
      const reached = await async(script, bench.ids);
      if (caller === "root") expect(reached).toBe("host\nhost\n");
      else expect(reached).toContain("host\n");
      const [ENOENT, EPERM, ECONNREFUSED] = [2, 1, 111];
      expect((await sealed(script)).text).toBe(`${ENOENT}\n${ECONNREFUSED}\n`);
      expect((await sealed(script, { network: "open" })).text).toBe(`${ENOENT}\n${EPERM}\n`);
    } finally {
      for (const server of servers) server.close();
    }
    void plain;
  },
);

/** Runs a script beside our own event loop, which has to answer it. */
async function async(script: string, ids: object): Promise<string> {
  const child = spawn("/bin/sh", ["-c", script], { ...ids, stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk) => {
    text += chunk;
  });
  await new Promise((resolve) => child.once("close", resolve));
  return text;
}

attack(
  "W5: a step without network cannot even make an internet socket: EAFNOSUPPORT, recorded with its family",
  async ({ bench, sealed }) => {
    const server = createServer((socket) => socket.end("out\n"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    try {
      const script = `perl -e 'socket(S, 2, 1, 0) or print("no socket ", $! + 0, "\\n"), exit; connect(S, pack("S n C4 x8", 2, ${port}, 127, 0, 0, 1)) ? print <S> : print $! + 0'`;
      expect(await async(script, bench.ids)).toBe("out\n");
      const ran = await sealed(script);
      expect(ran.text).toBe("no socket 97\n");
      expect(ran.refused).toMatchObject([{ call: "socket", argument: "2", errno: "EAFNOSUPPORT", count: 1 }]);
      expect((await sealed(script, { network: "open" })).text).toBe("out\n");
    } finally {
      server.close();
    }
  },
);
