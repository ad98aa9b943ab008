import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { workerErrors } from "./errors.ts";
import { refusalErrno, type SeccompFilter, seccompFilter } from "./filter.ts";
import type { RefusedCall } from "./result.ts";
import { type Architecture, systemCallNumber } from "./system-calls.ts";

/**
 * Answers what the filter asks (SPEC W6). Until the sandbox program installs its own filter, which is the last act
 * before the step of both its processes, everything passes: that is set-up, made by our own programs. From then on
 * nothing passes, and each call is counted before it is answered, so a step cannot run on before its attempt is known.
 *
 * An OCI runtime makes no such last act: its set-up is over when the control plane says so, while the step is held.
 *
 * The two last acts are answered only when the control plane says so: until then the sandbox is held, complete and
 * tied to us. When this program dies, as it does with the control plane, the kernel answers ENOSYS, and a held sandbox
 * ends: a killed factory never leaves a step that starts by itself.
 */
const program = String.raw`
use strict; $| = 1; $SIG{PIPE} = 'IGNORE';
my ($path, $recvmsg, $prctl, $table) = @ARGV;
my %rule = map { my ($n, @r) = split /:/; ($n, \@r) } split /,/, $table;
socket(my $server, 1, 5, 0) or die $!; bind($server, pack 'S a*', 1, "$path\0") or die "$path: $!"; listen($server, 64); print "{}\n";
my (%step, $in);
sub answer {
  my ($step) = @_;
  my $n = "\0" x 80; ioctl($step->{listener}, 0xc0502100, $n) or do { $step->{missed}++; return };
  $step->{missed} = 0;
  my ($id, $pid, undef, $number, undef, undef, @a) = unpack 'Q L L l L Q Q6', $n;
  my ($error, $pass) = (0, 1);
  if ($number == $prctl && $step->{name} =~ /^o/) { }
  elsif ($number == $prctl) {
    $step->{sealed} = 1;
    if (!$step->{go}) {
      push @{ $step->{held} }, $id;
      print '{"held":"', $step->{name}, "\"}\n" if @{ $step->{held} } == 2;
      return;
    }
  }
  elsif ($step->{sealed}) {
    my ($errno, $index) = @{ $rule{$number} // [1, ''] };
    ($error, $pass) = (-$errno, 0);
    my $key = "$pid,$number," . ($index eq '' ? 'null' : '"' . ($a[$index] & 0xffffffff) . '"');
    if (exists $step->{seen}{$key}) { $step->{seen}{$key}[0]++ }
    elsif (keys %{ $step->{seen} } < 4096) { $step->{seen}{$key} = [1, $step->{order}++] }
    else { $step->{more}++ }
  }
  reply($step, $id, $error, $pass);
}
sub reply { my ($step, @a) = @_; my $r = pack 'Q q l L', $a[0], 0, $a[1], $a[2]; ioctl($step->{listener}, 0xc0182101, $r) }
while (1) {
  my $bits = ''; vec($bits, 0, 1) = 1; vec($bits, fileno $server, 1) = 1;
  # A listener whose processes are all dead is ready for ever, and has nothing: it is asked again after a while alone.
  my @tired = grep { ($_->{missed} // 0) > 50 } values %step;
  vec($bits, fileno $_->{listener}, 1) = 1 for grep { ($_->{missed} // 0) <= 50 } values %step;
  my $count = select(my $ready = $bits, undef, undef, @tired ? 0.05 : undef);
  $_->{missed} = 50 for @tired;
  next if $count < 1;
  for my $step (values %step) { answer($step) if vec $ready, fileno $step->{listener}, 1 }
  if (vec $ready, fileno $server, 1) {
    accept(my $c, $server) or next;
    my ($text, $control) = ("\0" x 64, "\0" x 32);
    my $vector = pack 'P Q', $text, 64;
    my $message = pack 'Q Q P Q P Q Q', 0, 0, $vector, 1, $control, 32, 0;
    my $length = syscall($recvmsg, fileno $c, $message, 0x40000000);
    my (undef, $level, $type, $fd) = unpack 'Q l l l', $control;
    if ($length > 0 && $level == 1 && $type == 1) {
      open my $listener, '+<&=', $fd; ioctl($listener, 0x40082104, 1);
      my $name = substr $text, 0, $length;
      $step{$name} = { name => $name, listener => $listener, seen => {}, order => 0, more => 0 };
      syswrite $c, 'k';
    }
  }
  if (vec $ready, 0, 1) {
    sysread(STDIN, $in, 4096, length($in // '')) or do { unlink $path; exit };
    while ($in =~ s/^(go|end|seal) (.*)\n//) {
      if ($1 eq 'seal') { print '{"sealed":"', $2, "\"}\n" if $step{$2} && ($step{$2}{sealed} = 1); next }
      if ($1 eq 'go') {
        my $step = $step{$2} or next; $step->{go} = 1;
        reply($step, $_, 0, 1) for @{ $step->{held} };
        next;
      }
      my $step = delete $step{$2}; my $seen = $step->{seen} // {};
      my @calls = sort { $$seen{$a}[1] <=> $$seen{$b}[1] } keys %$seen;
      print '{"step":"', $2, '","known":', ($step ? 1 : 0), ',"sealed":', ($step->{sealed} ? 1 : 0), ',"more":', ($step->{more} // 0),
        ',"calls":[', join(',', map { "[$_,$$seen{$_}[0]]" } @calls), "]}\n";
    }
  }
}
`;

/** What the recorder saw of one step. */
export interface Refusals {
  readonly calls: readonly RefusedCall[];
  /** True when no refused call can be missing from `calls`. */
  readonly complete: boolean;
}

interface Answer {
  readonly step: string;
  readonly known: 0 | 1;
  readonly sealed: 0 | 1;
  readonly more: number;
  /** Process, call number, deciding argument, count. */
  readonly calls: readonly (readonly [number, number, string | null, number])[];
}

/** The recorder of refused calls: one process for the life of a worker, serving all its steps. */
export interface Recorder {
  /** Socket by which a launcher hands over its listener. */
  readonly path: string;
  /** True until the process has ended. */
  alive(): boolean;
  /** Resolves when the step's sandbox is complete and held before its command; null when it never will be. */
  held(step: string): Promise<true | null>;
  /** Lets a held step start. */
  go(step: string): void;
  /** Ends the set-up of a step of an OCI runtime: from here on nothing passes. Null when the recorder is gone. */
  seal(step: string): Promise<true | null>;
  /** What was refused to a step that is dead; forgets it. */
  finish(step: string, filter: SeccompFilter): Promise<Refusals>;
  close(): void;
}

/** Beginning of the names of steps that an OCI runtime runs. */
export const runtimeStep = "o";

/** Starts a recorder that listens at `path` (at most 100 bytes). */
export async function startRecorder(perl: string, architecture: Architecture, path: string): Promise<Recorder> {
  const number = (call: "recvmsg" | "prctl"): string => String(systemCallNumber(architecture, call));
  const table = [...seccompFilter(architecture, "none", "notify").refusals].map(
    ([call, refusal]) => `${call}:${refusalErrno[refusal.errno]}:${refusal.argument ?? ""}`,
  );
  const child: ChildProcess = spawn(perl, ["-e", program, path, number("recvmsg"), number("prctl"), table.join(",")], {
    stdio: ["pipe", "pipe", "ignore"],
    env: {},
    cwd: "/",
    detached: true,
  });
  const waiting = new Map<string, (answer: Answer | null) => void>();
  const holding = new Map<string, (held: true | null) => void>();
  let ended = false;
  const lines = createInterface({ input: child.stdout ?? process.stdin });
  const ready = new Promise<boolean>((resolve) => {
    child.once("error", () => resolve(false));
    child.once("exit", () => {
      ended = true;
      resolve(false);
      for (const settle of [...waiting.values(), ...holding.values()]) settle(null);
      waiting.clear();
      holding.clear();
    });
    lines.on("line", (line) => {
      if (line === "{}") return resolve(true);
      const answer: Answer | { readonly held: string } | { readonly sealed: string } = JSON.parse(line);
      if (!("step" in answer)) {
        const name = "held" in answer ? answer.held : answer.sealed;
        holding.get(name)?.(true);
        holding.delete(name);
        return;
      }
      waiting.get(answer.step)?.(answer);
      waiting.delete(answer.step);
    });
  });
  child.stdin?.on("error", () => {});
  if (!(await ready)) throw workerErrors.make("SANDBOX_FAILED", `expected a recorder of refused calls at ${path}`);
  hold(child, false);
  return {
    path,
    alive: () => !ended,
    held: (step) => (ended ? Promise.resolve(null) : new Promise((resolve) => holding.set(step, resolve))),
    go: (step) => {
      child.stdin?.write(`go ${step}\n`);
    },
    seal: (step) => {
      if (ended) return Promise.resolve(null);
      return new Promise((resolve) => {
        holding.set(step, resolve);
        child.stdin?.write(`seal ${step}\n`);
      });
    },
    finish: async (step, filter) => {
      holding.get(step)?.(null);
      holding.delete(step);
      if (ended) return { calls: [], complete: false };
      hold(child, true);
      const answer = await new Promise<Answer | null>((resolve) => {
        waiting.set(step, resolve);
        child.stdin?.write(`end ${step}\n`);
      });
      if (waiting.size === 0) hold(child, false);
      return answer === null ? { calls: [], complete: false } : translate(answer, filter);
    },
    close: () => {
      child.stdin?.end();
    },
  };
}

/** A recorder that waits must not keep the process alive; one that is asked must. */
function hold(child: ChildProcess, on: boolean): void {
  const handles: unknown[] = [child, child.stdin, child.stdout];
  for (const handle of handles) {
    if (handle === null || typeof handle !== "object") continue;
    const method: unknown = Reflect.get(handle, on ? "ref" : "unref");
    if (typeof method === "function") method.call(handle);
  }
}

function translate(answer: Answer, filter: SeccompFilter): Refusals {
  const calls = answer.calls.map(([pid, number, argument, count]): RefusedCall => {
    const refusal = filter.refusals.get(number);
    return {
      call: refusal?.call ?? `x32_${number & 0x3fffffff}`,
      pid,
      argument,
      errno: refusal?.errno ?? "EPERM",
      count,
    };
  });
  return { calls, complete: answer.known === 1 && answer.sealed === 1 && answer.more === 0 };
}
