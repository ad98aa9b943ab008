/**
 * The bridge's program (SPEC W14), in Perl for the reason that the launcher is. Two processes:
 *
 * The connector stays where it was started, and does one thing: it connects to the control plane's socket and hands
 * the connection over. It keeps its user, because the socket lets in nobody else, and gives up all else; it never
 * reads a byte of the step's.
 *
 * The carrier enters the network namespace of the held sandbox, listens, and becomes nobody: no capabilities, no
 * files, no other network than the one it shares with the step. It joins each connection of the step to one that the
 * connector hands it.
 *
 * Both end with the control plane (end of standard input, death of the parent) and with each other.
 */
export const bridgeProgram = String.raw`
use strict; $| = 1; $SIG{PIPE} = 'IGNORE';
my ($parent, $pid, $inode, $port, $socket, $most, $user, $group, $filter, $numbers) = @ARGV;
my %number = map { split /=/ } split /,/, $numbers;
sub fail { my $why = "$!"; print STDERR "touchmark: the bridge cannot $_[0]: $why\n"; exit 125 }
sub call { my ($name, @words) = @_; my $r = syscall($number{$name} + 0, @words); fail($name) if $r < 0; $r }
sub tie_to { call('prctl', 1, 9, 0, 0, 0); exit 125 if getppid != $_[0] }

# For good: no new privileges, no capabilities, no files, no addresses, no calls that a step without network has not.
sub give_up {
  call('prctl', 38, 1, 0, 0, 0);
  my ($head, $none) = (pack('L l', 0x20080522, 0), "\0" x 24);
  call('capset', $head, $none);
  my $level = syscall($number{landlock_create_ruleset} + 0, 0, 0, 1);
  if ($level > 0) {
    my $files = $level >= 5 ? 0xffff : $level >= 3 ? 0x7fff : $level >= 2 ? 0x3fff : 0x1fff;
    my $rules = pack 'Q3', $files, ($level >= 4 ? 3 : 0), ($level >= 6 ? 3 : 0);
    my $fd = call('landlock_create_ruleset', $rules, ($level >= 6 ? 24 : $level >= 4 ? 16 : 8), 0);
    call('landlock_restrict_self', $fd, 0);
  }
  my $program = pack 'S x6 P', length($filter) / 8, $filter;
  call('seccomp', 1, 0, $program);
}

call('close_range', 3, 0xffffffff, 0);
tie_to($parent);
open my $code, '<', $filter or fail("open $filter"); { local $/; $filter = <$code> } close $code;
# Found once, by what it is: nobody can put another in its place, and no directory on the way has to let us in again.
sysopen my $door, $socket, 0x200000 or fail("find $socket"); -S $door or fail("find a socket at $socket");
open my $network, '<', "/proc/$pid/ns/net" or fail('open the network of the step');
(stat $network)[1] eq $inode or fail('find the network of the step: it is another');
socketpair my $ours, my $theirs, 1, 5, 0 or fail('make a pair of sockets');
my $connector = $$;
my $carrier = fork // fail('fork');

if ($carrier) {
  close $theirs; close $network; open STDOUT, '>&', *STDERR;
  my $name = pack 'S a*', 1, '/proc/self/fd/' . fileno($door) . "\0";
  give_up();
  while (1) {
    my $bits = ''; vec($bits, 0, 1) = 1; vec($bits, fileno $ours, 1) = 1;
    select $bits, undef, undef, undef;
    exit if vec $bits, 0, 1;
    sysread $ours, my $wish, 1 or exit;
    my ($answer, $control, $line) = ('n', '');
    if (socket($line, 1, 1, 0) && connect($line, $name)) {
      ($answer, $control) = ('y', pack 'Q l l l x4', 20, 1, 1, fileno $line);
    }
    hand_over($answer, $control); close $line;
  }
}
sub hand_over {
  my ($answer, $control) = @_;
  my $vector = pack 'P Q', $answer, 1;
  my $message = pack 'Q Q P Q P Q Q', 0, 0, $vector, 1, $control, length $control, 0;
  syscall($number{sendmsg} + 0, fileno $ours, $message, 0x4000) >= 0 or exit;
}

close $ours; close $door; open STDIN, '<', '/dev/null';
tie_to($connector);
# As root at once; else as the owner of the user namespace that the network belongs to, which is not the step's own.
if (syscall($number{setns} + 0, fileno $network, 0x40000000) < 0) {
  my $fd = ioctl $network, 0xb701, 0 or fail('find the owner of the network of the step');
  open my $owner, '<&=', $fd or fail('open the owner of the network of the step');
  syscall($number{setns} + 0, fileno $owner, 0x10000000) >= 0 or fail('enter the user namespace of the step');
  syscall($number{setns} + 0, fileno $network, 0x40000000) >= 0 or fail('enter the network of the step');
  close $owner;
}
close $network;
socket my $listener, 2, 1, 0 or fail('make a socket');
bind $listener, pack 'S n C4 x8', 2, $port, 127, 0, 0, 1 or fail("listen on port $port");
listen $listener, 256 or fail("listen on port $port");
if ($user ne '') {
  call('setgroups', 0, 0); call('setresgid', ($group + 0) x 3); call('setresuid', ($user + 0) x 3);
}
# Either way to enter has undone the tie.
tie_to($connector);
chdir '/';
give_up();

# A way is one direction of a connection: bytes that were read and not yet written. By number of the descriptor that
# it reads from, and of the one that it writes to.
my (@from, @to, @waiting, @lines); my ($reads, $writes) = ('', ''); my $open = 0;
vec($reads, fileno $listener, 1) = 1; vec($reads, fileno $theirs, 1) = 1;
fcntl $_, 4, 2048 for $listener, $theirs;
print "ready\n"; open STDOUT, '>&', *STDERR;

sub again { $! == 11 || $! == 4 }
sub drop {
  for my $end (@{ $_[0]{ends} }) {
    my $fd = fileno $end; vec($_, $fd, 1) = 0 for $reads, $writes;
    delete $from[$fd]; delete $to[$fd]; close $end;
  }
  $_[0]{ends} = []; %{ $_[0]{back} } = () if $_[0]{back}; $open--; vec($reads, fileno $listener, 1) = 1;
}
sub carry {
  my ($way) = @_;
  if ($way->{done} == length $way->{bytes}) {
    my $got = sysread $way->{in}, $way->{bytes}, 65536; $way->{done} = 0;
    if (!defined $got) { $way->{bytes} = ''; drop($way) unless again(); return }
    if (!$got) {
      vec($reads, fileno $way->{in}, 1) = 0; $way->{ended} = 1; shutdown $way->{out}, 1;
      drop($way) if $way->{back}{ended};
      return;
    }
  }
  my $put = syswrite $way->{out}, $way->{bytes}, length($way->{bytes}) - $way->{done}, $way->{done};
  if (!defined $put) { return drop($way) unless again(); $put = 0 }
  $way->{done} += $put;
  my $left = $way->{done} < length $way->{bytes};
  vec($reads, fileno $way->{in}, 1) = !$left; vec($writes, fileno $way->{out}, 1) = $left;
}
sub join_ends {
  my ($near, $far) = @_;
  fcntl $_, 4, 2048 for $near, $far;
  my @ends = ($near, $far);
  my $out = { in => $near, out => $far, bytes => '', done => 0, ends => \@ends };
  my $back = { in => $far, out => $near, bytes => '', done => 0, ends => \@ends, back => $out };
  $out->{back} = $back;
  $from[fileno $near] = $to[fileno $far] = $out; $from[fileno $far] = $to[fileno $near] = $back;
  vec($reads, fileno $_, 1) = 1 for @ends;
}
while (1) {
  my ($readable, $writable) = ($reads, $writes);
  next if select($readable, $writable, undef, undef) < 0;
  for my $fd (0 .. $#to) { carry($to[$fd]) if $to[$fd] && vec $writable, $fd, 1 }
  for my $fd (0 .. $#from) { carry($from[$fd]) if $from[$fd] && vec $readable, $fd, 1 }
  if (vec $readable, fileno $theirs, 1) {
    my ($answer, $control) = ("\0", "\0" x 24);
    my $vector = pack 'P Q', $answer, 1;
    my $message = pack 'Q Q P Q P Q Q', 0, 0, $vector, 1, $control, 24, 0;
    my $length = syscall($number{recvmsg} + 0, fileno $theirs, $message, 0x40000000);
    exit if $length == 0 || $length < 0 && !again();
    if ($length > 0) {
      my $near = shift @waiting; my (undef, $level, $type, $fd) = unpack 'Q l l l', $control;
      if ($answer eq 'y' && $level == 1 && $type == 1) { open my $far, '+<&=', $fd or exit; join_ends($near, $far) }
      else { close $near; $open--; vec($reads, fileno $listener, 1) = 1 }
    }
  }
  if (vec $readable, fileno $listener, 1) {
    if (accept my $near, $listener) {
      setsockopt $near, 6, 1, 1; push @waiting, $near; $open++; syswrite $theirs, 'c';
      vec($reads, fileno $listener, 1) = 0 if $open >= $most;
    }
    # Out of descriptors: until a connection ends.
    elsif (($! == 23 || $! == 24) && $open > 0) { vec($reads, fileno $listener, 1) = 0 }
  }
}
`;
