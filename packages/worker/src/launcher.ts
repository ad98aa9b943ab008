import { type Architecture, type SystemCall, systemCallNumber } from "./system-calls.ts";

/**
 * The program that stands between the control plane and the sandbox program, and does what neither can: it ties the
 * step's life to ours, joins control groups, makes private mounts as the caller, installs the system-call filter
 * with a listener, and becomes the step's user for good. Perl, because every Debian has it (perl-base is essential),
 * it starts in a millisecond and can make any system call; it reads nothing but its arguments.
 */
const program = String.raw`
use strict;
my %number = map { split /=/ } split /,/, shift @ARGV;
sub fail { print STDERR "touchmark: cannot $_[0]: $!\n"; exit 125 }
sub call { my ($name, @a) = @_; my $r = syscall($number{$name}, @a); fail($name) if $r < 0; $r }
sub put { open my $f, '>', $_[0] or fail("open $_[0]"); defined syswrite($f, $_[1]) or fail("write $_[0]"); close $f }
sub mapping {
  my ($from, $to, $groupfrom, $groupto) = @_;
  pipe(my $r, my $w); pipe(my $done, my $go);
  my $pid = fork // fail('fork');
  if (!$pid) { close $r; close $go; call('unshare', 0x10000000); syswrite $w, 'x'; sysread $done, my $b, 1; exec '/bin/false' if 0; kill 9, $$ }
  close $w; close $done; sysread($r, my $b, 1) or fail('make a user namespace');
  put("/proc/$pid/uid_map", "$from $to 1"); put("/proc/$pid/gid_map", "$groupfrom $groupto 1");
  open my $ns, '<', "/proc/$pid/ns/user" or fail('open a user namespace');
  close $go; waitpid $pid, 0; $ns
}
my %kept;
my %do = (
  parent => sub { call('prctl', 1, 9, 0, 0, 0); exit 125 if $_[0] && getppid() != $_[0] },
  only => sub { call('close_range', $_[0] + 0, 0xffffffff, 0) },
  umask => sub { umask oct $_[0] },
  limit => sub { my $v = pack 'QQ', $_[1], $_[1]; my $old = "\0" x 16; syscall($number{prlimit64}, 0, $_[0] + 0, 0, $old);
    my (undef, $hard) = unpack 'QQ', $old; if ($_[1] > $hard) { $v = pack 'QQ', $hard, $hard } call('prlimit64', 0, $_[0] + 0, $v, 0) },
  join => sub { put($_[0], '0') },
  private => sub { call('unshare', 0x20000); call('mount', 'none', '/', 'none', 0x84000, '') },
  own => sub { call('unshare', 0x10020000); put('/proc/self/setgroups', 'deny');
    put('/proc/self/uid_map', "$_[0] $_[0] 1"); put('/proc/self/gid_map', "$_[1] $_[1] 1") },
  mount => sub { call('mount', $_[0], $_[1], $_[2], $_[3] + 0, $_[4]) },
  directory => sub { mkdir $_[0], 0755 or fail("mkdir $_[0]") },
  file => sub { put($_[0], '') },
  idmap => sub {
    my ($source, $at, @ids) = @_;
    my $ns = $kept{"@ids"} //= mapping(@ids);
    my $tree = call('open_tree', -100, $source, 0x88001);
    my $attributes = pack 'QQQQ', 0x100000, 0, 0, fileno $ns;
    call('mount_setattr', $tree, "\0", 0x1000, $attributes, 32);
    call('move_mount', $tree, "\0", -100, $at, 4);
  },
  enter => sub { chdir $_[0] or fail("enter $_[0]") },
  become => sub { call('setgroups', 0, 0); call('setresgid', ($_[1] + 0) x 3); call('setresuid', ($_[0] + 0) x 3) },
  scope => sub { my $rules = pack 'QQQ', 0, 0, 1; my $fd = call('landlock_create_ruleset', $rules, 24, 0);
    call('prctl', 38, 1, 0, 0, 0); call('landlock_restrict_self', $fd, 0) },
  filter => sub {
    my ($file, $path, $step) = @_;
    open my $f, '<:raw', $file or fail("open $file"); local $/; my $code = <$f>; close $f;
    socket(my $s, 1, 5, 0) or fail('make a socket');
    connect($s, pack 'S a*', 1, "$path\0") or fail("reach the recorder at $path");
    my $filter = pack 'S x6 P', length($code) / 8, $code;
    call('prctl', 38, 1, 0, 0, 0);
    my $listener = call('seccomp', 1, 8, $filter);
    my $vector = pack 'P Q', $step, length $step;
    my $control = pack 'Q l l l x4', 20, 1, 1, $listener;
    my $message = pack 'Q Q P Q P Q Q', 0, 0, $vector, 1, $control, length $control, 0;
    call('sendmsg', fileno $s, $message, 0);
    sysread($s, my $b, 1) or fail('hear from the recorder');
  },
);
while (@ARGV) {
  my $name = shift @ARGV;
  if ($name eq 'exec') { exec { $ARGV[0] } @ARGV; fail("run $ARGV[0]") }
  my @a;
  while (@ARGV) { my $x = shift @ARGV; last if $x eq ';'; push @a, $x }
  ($do{$name} or fail("do $name"))->(@a);
}
exit 0;
`;

/** One operation of the launcher, with its arguments. */
export type LaunchOperation =
  /** Die with the parent process (its id, or 0 where only a tracer knows it). */
  | readonly ["parent", number]
  /** Close every descriptor from this one on: whatever the control plane's own parent left open. */
  | readonly ["only", number]
  | readonly ["umask", string]
  /** Resource number, bound: soft and hard, never raised. */
  | readonly ["limit", number, number]
  /** `cgroup.procs` file of a control group. */
  | readonly ["join", string]
  /** A private mount namespace, of the caller. */
  | readonly ["private"]
  /** A private mount namespace in a user namespace where the caller (user, group) is itself. */
  | readonly ["own", number, number]
  /** Source, target, type, flags, options: mount(2). */
  | readonly ["mount", string, string, string, number, string]
  | readonly ["directory", string]
  | readonly ["file", string]
  /** Source, target, then owner as stored, owner as shown, and the same for the group. */
  | readonly ["idmap", string, string, number, number, number, number]
  | readonly ["enter", string]
  /** User and group, for good. */
  | readonly ["become", number, number]
  /** Landlock: no way to abstract Unix sockets outside. */
  | readonly ["scope"]
  /** Filter file, recorder's socket, step token. */
  | readonly ["filter", string, string, string];

/** Flags of mount(2) that plans use. */
export const mountFlag = { bind: 4096, bindAll: 4096 | 16384, noSetuid: 2, noDevices: 4 } as const;

/** Resource numbers of prlimit(2), the same on both architectures. */
export const resource = { fileSize: 1, core: 4, processes: 6, openFiles: 7 } as const;

const used: readonly SystemCall[] = [
  ...(["prctl", "prlimit64", "unshare", "mount", "open_tree", "mount_setattr", "move_mount"] as const),
  ...(["setgroups", "setresgid", "setresuid", "seccomp", "sendmsg", "close_range"] as const),
  ...(["landlock_create_ruleset", "landlock_restrict_self"] as const),
];

/** Command line that carries out `operations` in order and then becomes `command`. */
export function launchCommand(
  perl: string,
  architecture: Architecture,
  operations: readonly LaunchOperation[],
  command: readonly string[],
): string[] {
  const numbers = used.map((call) => `${call}=${systemCallNumber(architecture, call)}`).join(",");
  const words = operations.flatMap((operation) => [...operation.map(String), ";"]);
  return [perl, "-e", program, numbers, ...words, "exec", ...command];
}
