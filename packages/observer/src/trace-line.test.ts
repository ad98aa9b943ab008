import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { StepRecorder } from "./step-recorder.ts";
import { completeCall, parseTraceLine, splitArguments } from "./trace-line.ts";
import { displayName, quotedText, unescapeText } from "./trace-text.ts";

/** Escapes as strace does in strings. */
const escaped = (bytes: Uint8Array) =>
  [...bytes]
    .map((byte) =>
      byte === 34 || byte === 92
        ? `\\${String.fromCharCode(byte)}`
        : byte >= 32 && byte < 127
          ? String.fromCharCode(byte)
          : `\\${byte.toString(8).padStart(3, "0")}`,
    )
    .join("");
/** And in paths of descriptors. */
// Three digits, as strace writes them before a digit: `\\760` would be another character.
const escapedPath = (bytes: Uint8Array) => escaped(bytes).replace(/[<>]/g, (c) => `\\0${c.charCodeAt(0).toString(8)}`);

describe("lines", () => {
  test("O17: every form that strace writes is taken apart", () => {
    expect(parseTraceLine('12  openat(AT_FDCWD</>, "x", O_RDONLY) = 3</x>')).toEqual({
      kind: "call",
      pid: 12,
      name: "openat",
      args: 'AT_FDCWD</>, "x", O_RDONLY',
      result: "3</x>",
    });
    expect(parseTraceLine('12  openat(AT_FDCWD</>, "x", O_RDONLY) = -1 ENOENT (No such file or directory)')).toEqual({
      kind: "failed-open",
      pid: 12,
    });
    expect(parseTraceLine("7 vfork( <unfinished ...>")).toEqual({
      kind: "unfinished",
      pid: 7,
      name: "vfork",
      args: "",
    });
    expect(parseTraceLine("7 <... vfork resumed>)              = 3")).toEqual({
      kind: "resumed",
      pid: 7,
      name: "vfork",
      rest: ")              = 3",
    });
    expect(parseTraceLine("7 +++ exited with 255 +++")).toEqual({ kind: "exited", pid: 7, code: 255 });
    expect(parseTraceLine("7 +++ killed by SIGSEGV (core dumped) +++")).toEqual({
      kind: "killed",
      pid: 7,
      signal: "SIGSEGV",
    });
    expect(parseTraceLine("7 +++ superseded by execve in pid 9 +++")).toEqual({ kind: "superseded", pid: 7, by: 9 });
    expect(parseTraceLine("7 --- SIGSYS {si_signo=SIGSYS} ---")).toMatchObject({ kind: "signal", signal: "SIGSYS" });
    expect(parseTraceLine("7 --- stopped by SIGTTOU ---")).toEqual({ kind: "stopped", pid: 7 });
    expect(parseTraceLine('9 execve("/x", ["x"], NULL <pid changed to 7 ...>')).toMatchObject({
      kind: "moved",
      pid: 9,
      to: 7,
    });
    expect(completeCall(7, "unlink", '"x" <unfinished ...>) = ?')).toMatchObject({ kind: "call", result: "?" });
  });

  test("O17: what is in none of these forms is not guessed at", () => {
    for (const line of [
      "",
      "x",
      "1",
      "1 ",
      "1 openat",
      '1 openat("x',
      '1 openat("x") 3',
      "1 +++ exited +++",
      "1 <... resumed>",
      "1 --- x ---",
      "1 OPEN() = 0",
      "99999999999 open() = 0",
      "strace: detached",
    ])
      expect(parseTraceLine(line)).toBeUndefined();
  });

  test("O18: no name, argument or directory can end its own string, so none can forge a line", () => {
    const bytes = fc.uint8Array({ maxLength: 60 });
    const nasty = fc
      .constantFrom(
        '") = 3</etc/passwd>',
        "= -1 ENOENT (No such file or directory)",
        " <unfinished ...>",
        "\n1 openat(",
        '"...',
        "</a>(deleted)",
        " (INJECTED)",
        "*/",
        "\\",
      )
      .map((text) => Buffer.from(text));
    fc.assert(
      fc.property(fc.oneof(bytes, nasty), fc.oneof(bytes, nasty), fc.oneof(bytes, nasty), (a, b, c) => {
        const args = `AT_FDCWD<${escapedPath(a)}>, "${escaped(b)}", O_RDONLY`;
        const line = `77 openat(${args}) = 3<${escapedPath(c)}>`;
        expect(parseTraceLine(line)).toEqual({
          kind: "call",
          pid: 77,
          name: "openat",
          args,
          result: `3<${escapedPath(c)}>`,
        });
        const parts = splitArguments(args);
        expect(parts.length).toBe(3);
        expect(Buffer.from(quotedText(parts[1] ?? "")?.text ?? "", "latin1").equals(Buffer.from(b))).toBe(true);
        expect(Buffer.from(unescapeText(escapedPath(c)), "latin1").equals(Buffer.from(c))).toBe(true);
      }),
    );
  });

  test("O18: a name that is not UTF-8 is shown without loss, and unlike any that is", () => {
    expect(displayName("a b")).toBe("a b");
    expect(displayName("\xc3\xa9")).toBe("é");
    expect(displayName("\xff\\")).toBe("bytes:\\xff\\\\");
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
        const [x, y] = [a, b].map((bytes) => Buffer.from(bytes).toString("latin1")) as [string, string];
        if (x !== y && !x.startsWith("bytes:") && !y.startsWith("bytes:"))
          expect(displayName(x)).not.toBe(displayName(y));
      }),
    );
  });
});

describe("losses", () => {
  const start = '1 execve("/usr/bin/make", ["make"], NULL) = 0';
  function losses(...lines: string[]): string[] {
    const recorder = new StepRecorder(["make"], () => undefined);
    for (const line of lines) recorder.line(line);
    recorder.close();
    return recorder.losses.list().map((loss) => loss.split(":")[0] as string);
  }
  const end = "1 +++ exited with 0 +++";

  test("O4: a trace without a gap has no loss", () => {
    expect(losses(start, end)).toEqual([]);
    expect(
      losses(
        start,
        "1 fork( <unfinished ...>",
        "2 exit(0) = ?",
        "2 +++ exited with 0 +++",
        "1 <... fork resumed>) = 2",
        end,
      ),
    ).toEqual([]);
    expect(losses(start, '1 open("x", O_RDONLY) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)', end)).toEqual(
      [],
    );
  });

  test("O4: every gap has a name", () => {
    expect(losses()).toEqual(["START_MISSING"]);
    expect(losses(start)).toEqual(["PROCESS_UNENDED"]);
    expect(losses(start, "garbage", end)).toEqual(["LINE_UNPARSED"]);
    expect(losses(start, "1 <... open resumed>) = 3", end)).toEqual(["LINE_UNPARSED"]);
    expect(losses(start, '1 open("x", O_RDONLY) = 3', end)).toEqual(["PATH_UNKNOWN"]);
    expect(losses(start, '1 unlink("/x" <unfinished ...>', "1 +++ killed by SIGKILL +++")).toEqual(["CALL_UNFINISHED"]);
    expect(losses(start, '1 rename("/x", "/y") = ?', "1 +++ killed by SIGKILL +++")).toEqual(["CALL_UNFINISHED"]);
    expect(losses(start, "2 +++ exited with 0 +++", end)).toEqual(["PROCESS_UNBORN"]);
    expect(losses(start, "1 fork() = 2", end)).toEqual(["PROCESS_UNTRACED"]);
    expect(
      losses(start, "1 clone(child_stack=NULL, flags=CLONE_UNTRACED|SIGCHLD) = 2", "2 +++ exited with 0 +++", end),
    ).toEqual(["PROCESS_UNTRACED"]);
    expect(losses(start, '1 execve("/proc/self/fd/3", ["x"], NULL) = 0', end)).toEqual(["EXECUTABLE_UNKNOWN"]);
    expect(losses(start, '1 unlink("x") = 0', end)).toEqual(["NAME_UNRESOLVED"]);
    expect(losses(start, '1 unlink("/x"...) = 0', end)).toEqual(["NAME_UNRESOLVED"]);
    expect(
      losses(
        start,
        '1 execve("/x", ["x"], NULL <pid changed to 1 ...>',
        "1 <... execve resumed>) = -1 (errno 18446744073709551359)",
        end,
      ),
    ).toEqual(["CALL_LOST"]);
  });

  test("O17: a call that strace could not read because its task was dying is none, if the task ends next", () => {
    const born = "1 clone(child_stack=NULL, flags=CLONE_VM|CLONE_THREAD) = 2";
    for (const dying of ["2 ???( <unfinished ...>", "2 ???()                              = ?"]) {
      expect(losses(start, born, dying, "2 +++ exited with 0 +++", end)).toEqual([]);
      expect(
        losses(start, born, "2 ???( <unfinished ...>", "2 <... ??? resumed>) = ?", "2 +++ exited with 0 +++", end),
      ).toEqual([]);
      expect(losses(start, born, dying, '2 unlink("/x") = 0', "2 +++ exited with 0 +++", end)).toEqual([
        "LINE_UNPARSED",
      ]);
    }
  });

  test("O7: a relative name waits for the call that shows its directory", () => {
    const recorder = new StepRecorder(["make"], () => undefined);
    recorder.line(start);
    recorder.line('1 rename("a", "b") = 0');
    recorder.line('1 openat(AT_FDCWD</work>, "c", O_RDONLY) = 3</work/c>');
    recorder.line(end);
    recorder.close();
    expect(recorder.losses.list()).toEqual([]);
    expect([...recorder.files.before.keys()].sort()).toEqual(["/usr/bin/make", "/work/a", "/work/b", "/work/c"]);
  });
});
