/**
 * The keeper of one container (SPEC W16), in Perl for the reason that the launcher is. It is the first process of a
 * pid namespace around the container, so that its death is the death of all: of the runtime, of a tracer, and of the
 * container, which no process outside would otherwise be tied to. It has the runtime create the container, says so,
 * waits for the control plane's word, has it started, waits for its first process, which is an orphan and thereby the
 * keeper's own child, says how that ended, and has the container deleted.
 *
 * Arguments: file for the creator's word, file for the process id, number of words of the start and the delete
 * command, those, and then the command that creates.
 */
export const keeperProgram = String.raw`
use strict; $SIG{PIPE} = 'IGNORE';
my ($done, $pids, $starts, $deletes, @words) = @ARGV;
my @start = splice @words, 0, $starts; my @delete = splice @words, 0, $deletes;
open my $status, '>&=', 3 or exit 125; open my $hold, '<&=', 6 or exit 125;
fcntl $_, 2, 1 for $status, $hold;
sub tell_plane { syswrite $status, "$_[0]\n" }
sub read_number { open my $file, '<', $_[0] or return; my $text = <$file>; defined $text && $text =~ /^(\d+)/ ? $1 : undef }
my $creator = fork // exit 125;
if (!$creator) { exec { $words[0] } @words; exit 125 }
my ($created, %ended);
# A tracer stays until the container has ended: the creator leaves its word in a file.
until (defined($created = read_number($done))) {
  my $gone = waitpid -1, 1; $ended{$gone} = $? if $gone > 0;
  if (exists $ended{$creator}) { $created = read_number($done) // 125; last }
  select undef, undef, undef, 0.002;
}
my $container = $created == 0 ? read_number($pids) : undef;
if (!defined $container) { tell_plane('{"refused":1}'); system { $delete[0] } @delete; exit 125 }
tell_plane("{\"created\":$container}");
sysread $hold, my $go, 3 or exit 125;
# What the runtime says of a container that was ended meanwhile is no output of the step.
my $starter = fork // exit 125;
if (!$starter) { open STDOUT, '>', '/dev/null'; open STDERR, '>', '/dev/null'; exec { $start[0] } @start; exit 125 }
waitpid $starter, 0;
while (!exists $ended{$container}) {
  my $gone = waitpid -1, 0; last if $gone < 0; $ended{$gone} = $?;
}
my $end = $ended{$container};
tell_plane('{"exit-code":' . ($end & 127 ? 128 + ($end & 127) : $end >> 8) . '}') if defined $end;
system { $delete[0] } @delete;
waitpid $creator, 0 unless exists $ended{$creator};
`;

/**
 * Runs the runtime and leaves its exit code in a file: the last program of ours below the tracer and the filter. It
 * gives the runtime a path without programs, since none but itself has a part in a step.
 */
export const creatorProgram = String.raw`
my ($done, @words) = @ARGV; $ENV{PATH} = '/nonexistent';
my $code = system { $words[0] } @words;
open my $file, '>', "$done.new" or exit 125; print $file $code == 0 ? 0 : 125; close $file; rename "$done.new", $done;
`;
