import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import {
  lintPipeline,
  mountOrder,
  orderSteps,
  parsePipelineFile,
  resolveEnvironment,
  resolveParameters,
  selectPipeline,
} from "@touchmark/formats/pipeline";
import { proposePipeline } from "./index.ts";

for (const dir of process.argv.slice(2)) {
  const p = proposePipeline(dir);
  if (process.env.SHOW) console.log(p.yaml);
  console.log(
    dir,
    p.findings.map((f) => f.severity + " " + f.message),
  );
  const f = parsePipelineFile(p.yaml, "touchmark.yaml");
  for (const x of lintPipeline(f)) console.log("  lint", x.severity, x.rule, x.message);
  if (process.env.NORUN) continue;
  const pl = selectPipeline(f);
  const outs = new Map([["source", dir]]);
  const base = "/tmp/pprun";
  rmSync(base, { recursive: true, force: true });
  for (const s of orderSteps(pl.steps)) {
    const w = `${base}/${s.name}`;
    mkdirSync(w + "/out", { recursive: true });
    const a = [
      "--unshare-user",
      "--unshare-pid",
      "--unshare-ipc",
      "--ro-bind",
      "/usr",
      "/usr",
      "--ro-bind",
      "/etc",
      "/etc",
      "--symlink",
      "usr/bin",
      "/bin",
      "--symlink",
      "usr/lib",
      "/lib",
      "--symlink",
      "usr/lib64",
      "/lib64",
      "--symlink",
      "usr/sbin",
      "/sbin",
      "--proc",
      "/proc",
      "--dev",
      "/dev",
      "--tmpfs",
      "/tmp",
      "--dir",
      "/work",
      "--dir",
      "/work/home",
      "--die-with-parent",
    ];
    const paths = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/local/go/bin"];
    const env: Record<string, string> = {
      HOME: "/work/home",
      TOUCHMARK_OUTPUT: s.output,
      SOURCE_DATE_EPOCH: "1700000000",
      LANG: "C.UTF-8",
    };
    for (const t of s.toolchains) {
      if (t === "cargo") {
        a.push("--ro-bind", "/root/.cargo/bin", "/root/.cargo/bin");
        paths.unshift("/root/.cargo/bin");
      }
      if (t === "rustup") {
        a.push("--ro-bind", "/root/.rustup", "/root/.rustup");
        env.RUSTUP_HOME = "/root/.rustup";
      }
      if (t === "pyenv") {
        a.push("--ro-bind", "/root/.pyenv", "/root/.pyenv");
        env.PYENV_ROOT = "/root/.pyenv";
        const v = readdirSync("/root/.pyenv/versions").find((v) => /^\d/.test(v));
        paths.unshift(`/root/.pyenv/versions/${v}/bin`);
      }
      if (t.startsWith("/")) {
        a.push("--ro-bind", t, t);
        paths.unshift(t);
      }
    }
    env.PATH = paths.join(":");
    for (const i of mountOrder(s.inputs)) {
      if (i.access === "copy-on-write") {
        const c = `${w}/cow-${i.from}`;
        cpSync(outs.get(i.from)!, c, { recursive: true, verbatimSymlinks: true });
        a.push("--bind", c, i.at);
      } else a.push("--ro-bind", outs.get(i.from)!, i.at);
    }
    a.push("--bind", w + "/out", s.output);
    if (s.network === "none") a.push("--unshare-net");
    else {
      for (const k of Object.keys(process.env))
        if (/proxy|REGISTRY|INDEX|GOPROXY|GOSUMDB|GONOSUMDB|CERT|CAINFO|CA_/i.test(k)) env[k] = process.env[k]!;
    }
    Object.assign(env, resolveEnvironment(s, resolveParameters(pl, {})));
    a.push("--clearenv");
    for (const [k, v] of Object.entries(env)) a.push("--setenv", k, v);
    a.push("--chdir", s.directory, "--", ...s.command);
    const t = performance.now();
    const r = spawnSync("bwrap", a, { encoding: "utf8" });
    console.log(
      "  step",
      s.name,
      s.toolchains.join(","),
      "exit",
      r.status,
      (performance.now() - t).toFixed(0) + "ms",
      r.status ? (r.stdout + r.stderr).slice(-1500) : "",
      readdirSync(w + "/out").slice(0, 6),
    );
    if (r.status !== 0) break;
    outs.set(s.name, w + "/out");
  }
  for (const x of pl.artifacts)
    try {
      console.log("  artifact", x.name, x.path, statSync(outs.get(x.from) + "/" + x.path).size);
    } catch (e) {
      console.log("  artifact MISSING", x.name);
    }
}
