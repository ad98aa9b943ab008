import { type Architecture, type SystemCall, systemCallNumber } from "./system-calls.ts";

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
  /** Flags of further namespaces, for what comes next; that of process ids counts for children. */
  | readonly ["namespaces", number]
  /** Go on in a child, which dies with us; its exit code is ours. */
  | readonly ["child"]
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
export const mountFlag = {
  readOnly: 1,
  noSetuid: 2,
  noDevices: 4,
  noPrograms: 8,
  bind: 4096,
  bindAll: 4096 | 16384,
} as const;

/** Flags of unshare(2). */
export const namespaceFlag = { cgroup: 0x02000000, pid: 0x20000000 } as const;

/** Resource numbers of prlimit(2), the same on both architectures. */
export const resource = { fileSize: 1, core: 4, processes: 6, openFiles: 7 } as const;

/** Turns the number of a call into a Perl call of it, whose failure ends the launcher and says what failed. */
type Call = (call: SystemCall, ...words: readonly (string | number)[]) => string;

/** Ends the launcher with 125 and the reason; makes a call; writes a file. */
const prelude = {
  fail: 'sub f{print STDERR "touchmark: cannot $_[0]: $!\\n";exit 125}',
  call: "sub c{my($n,$w)=splice@_,0,2;my $r=syscall($n,@_);f($w)if$r<0;$r}",
  put: 'sub w{open my $f,\'>\',$_[0]or f("open $_[0]");defined syswrite($f,$_[1])or f("write $_[0]");close $f}',
};

/**
 * What each operation is in Perl; `shift` takes its next argument. Numbers are made numbers by `+0`: a text would be
 * passed to the kernel as an address. What a call may write to is a variable: a literal cannot be written to.
 */
const statements: { readonly [Name in LaunchOperation[0]]: (call: Call) => string } = {
  parent: (call) => `$p=shift;${call("prctl", 1, 9, 0, 0, 0)}exit 125 if $p&&getppid()!=$p;`,
  only: (call) => call("close_range", "shift()+0", 0xffffffff, 0),
  umask: () => "umask oct shift;",
  // The hard limit may be lower than what is wanted, and is never raised.
  limit: (call) =>
    `@a=splice@ARGV,0,2;$o="\\0"x16;${call("prlimit64", 0, "$a[0]+0", 0, "$o")}$h=(unpack'QQ',$o)[1];` +
    `$h=$a[1]if$a[1]<$h;$v=pack'QQ',$h,$h;${call("prlimit64", 0, "$a[0]+0", "$v", 0)}`,
  join: () => "w(shift,'0');",
  private: (call) =>
    call("unshare", 0x20000) + `$s='none';$t='/';$u='';` + call("mount", "$s", "$t", "$s", 0x84000, "$u"),
  own: (call) =>
    `@a=splice@ARGV,0,2;${call("unshare", 0x10020000)}w('/proc/self/setgroups','deny');` +
    `w('/proc/self/uid_map',"$a[0] $a[0] 1");w('/proc/self/gid_map',"$a[1] $a[1] 1");`,
  namespaces: (call) => call("unshare", "shift()+0"),
  // One that dies before its child has asked to die with it is known by the end of a pipe that it alone held.
  child: (call) =>
    "pipe(K,L);$k=fork//f('fork');if($k){close K;waitpid$k,0;exit($?>>8||($?&127?125:0))}close L;" +
    `${call("prctl", 1, 9, 0, 0, 0)}$b='';vec($b,fileno K,1)=1;exit 125 if select($b,undef,undef,0);close K;`,
  mount: (call) => `@a=splice@ARGV,0,5;${call("mount", "@a[0..2]", "$a[3]+0", "$a[4]")}`,
  directory: () => 'mkdir$ARGV[0],0755 or f("mkdir $ARGV[0]");shift;',
  file: () => "w(shift,'');",
  idmap: (call) =>
    `($s,$t,@i)=splice@ARGV,0,6;$z="\\0";$m=$k{"@i"}//=mapped(@i);$d=${call("open_tree", -100, "$s", 0x88001)}` +
    `$v=pack'QQQQ',0x100000,0,0,fileno$m;${call("mount_setattr", "$d", "$z", 0x1000, "$v", 32)}` +
    call("move_mount", "$d", "$z", -100, "$t", 4),
  enter: () => 'chdir$ARGV[0]or f("enter $ARGV[0]");shift;',
  become: (call) =>
    `@a=splice@ARGV,0,2;${call("setgroups", 0, 0)}${call("setresgid", "($a[1]+0)x3")}${call("setresuid", "($a[0]+0)x3")}`,
  scope: (call) =>
    `$v=pack'QQQ',0,0,1;$d=${call("landlock_create_ruleset", "$v", 24, 0)}${call("prctl", 38, 1, 0, 0, 0)}` +
    call("landlock_restrict_self", "$d", 0),
  filter: (call) =>
    "($n,$t,$i)=splice@ARGV,0,3;open F,'<',$n or f(\"open $n\");sysread F,$b,65536;close F;" +
    'socket(S,1,5,0)or f("make a socket");connect(S,pack\'Sa*\',1,"$t\\0")or f("reach the recorder at $t");' +
    `$v=pack'Sx6P',length($b)/8,$b;${call("prctl", 38, 1, 0, 0, 0)}$l=${call("seccomp", 1, 8, "$v")}` +
    "$v=pack'PQ',$i,length$i;$o=pack'Qlllx4',20,1,1,$l;$h=pack'QQPQPQQ',0,0,$v,1,$o,length$o,0;" +
    `${call("sendmsg", "fileno S", "$h", 0)}sysread(S,$b,1)or f('hear from the recorder');close S;`,
};

/**
 * A user namespace that maps one stored owner to one shown: a child makes it, we fill in its maps and keep it open.
 */
function mapping(call: Call): string {
  return (
    "sub mapped{my($a,$b,$c,$d)=@_;pipe(my $r,my $w);pipe(my $e,my $g);my $p=fork//f('fork');" +
    `if(!$p){close$r;close$g;${call("unshare", 0x10000000)}syswrite$w,'x';sysread$e,my $x,1;kill 9,$$}` +
    "close$w;close$e;sysread($r,my $x,1)or f('make a user namespace');" +
    'w("/proc/$p/uid_map","$a $b 1");w("/proc/$p/gid_map","$c $d 1");' +
    "open my $n,'<',\"/proc/$p/ns/user\"or f('open a user namespace');close$g;waitpid$p,0;$n}"
  );
}

/**
 * Command line that carries out `operations` in order and then becomes `command`.
 *
 * The launcher stands between the control plane and the sandbox program, and does what neither can: it ties the
 * step's life to ours, joins control groups, makes private mounts as the caller, installs the system-call filter
 * with a listener, and becomes the step's user for good. It is Perl, because every Debian has it (perl-base is
 * essential) and it can make any system call; it is written for each step anew, without loops or modules, because
 * reading the program is most of its price.
 */
export function launchCommand(
  perl: string,
  architecture: Architecture,
  operations: readonly LaunchOperation[],
  command: readonly string[],
): string[] {
  const call: Call = (name, ...words) => `c(${[systemCallNumber(architecture, name), `'${name}'`, ...words].join()});`;
  const names = operations.map(([name]) => name);
  const program = [
    ...Object.values(prelude),
    names.includes("idmap") ? mapping(call) : "",
    ...names.map((name) => statements[name](call)),
    'exec{$ARGV[0]}@ARGV;f("run $ARGV[0]")',
  ];
  return [perl, "-e", program.join("\n"), ...operations.flatMap(([, ...words]) => words.map(String)), ...command];
}
