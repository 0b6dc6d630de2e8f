/**
 * The launcher's helper, in Perl: one long-lived process that forks a shim for each container on request. Forking this small
 * process is many times cheaper than forking Node, and Perl (unlike a shell) sees whether a process exited or was killed.
 * The decision and its figures: docs/adr/0006-task-shim.md.
 *
 * - The helper reads commands from standard input (see protocol.ts) and ends when it closes, that is, with the agent.
 * - A shim adopts every orphan below it (PR_SET_CHILD_SUBREAPER), so nothing that the command starts can leave its tree.
 *   It outlives helper and agent, records how the command ended, ends what is left of the tree, and ends.
 * - The command's process waits at a pipe until it is let go, so that isolators can act on it first.
 *
 * Only core Perl is used (`perl-base` on Debian). Neither backquotes nor dollar-brace may be written in it.
 */
export const PERL_SHIM = String.raw`
use strict;
use warnings;
use POSIX ();

$0 = "tepui-launcher";
$SIG{PIPE} = $SIG{INT} = $SIG{TERM} = $SIG{HUP} = "IGNORE";

# Files that the agent inherited from whoever started it are not for tasks, which may outlive both.
if (opendir(my $own, "/proc/self/fd")) {
  my @inherited = grep { /^\d+$/ && $_ > 2 && $_ != fileno($own) } readdir($own);
  closedir($own);
  POSIX::close($_) for @inherited;
}

my %prctl = (x86_64 => 157, aarch64 => 167, riscv64 => 167, i686 => 172, armv7l => 172, ppc64le => 171, s390x => 172);
my $prctl = $prctl{ (POSIX::uname())[4] };
my (%gates, %shims, %users);
# Exit status of a shim that has said itself that nothing of its container is left.
my $told_all = 3;
my $buffer = "";

sub say_to_agent { syswrite(STDOUT, join(" ", @_) . "\n") }

# One line at a time, each with one write: a reader sees whole lines.
sub record {
  my ($path, @words) = @_;
  open(my $file, ">>", $path) or return;
  syswrite($file, join(" ", @words) . "\n");
}

# Start time in clock ticks: with the pid it names one process for good.
sub start_of {
  my ($pid) = @_;
  open(my $file, "<", "/proc/$pid/stat") or return 0;
  my $stat = <$file>;
  return 0 unless defined $stat;
  $stat =~ s/^.*\) //s;
  return (split(/ /, $stat))[19];
}

# uid, gid and supplementary groups of a user name or number.
sub user_of {
  my ($name) = @_;
  my $known = $users{$name};
  return $known if $known && $known->[0] > time() - 60;
  my ($login, $uid, $gid) = ($name =~ /^\d+$/ ? getpwuid($name) : getpwnam($name))[0, 2, 3];
  return undef unless defined $login;
  my @groups = ($gid);
  setgrent();
  while (my ($group, $password, $id, $members) = getgrent()) {
    push @groups, $id if $id != $gid && grep { $_ eq $login } split(/ /, $members);
  }
  endgrent();
  return $users{$name} = [time(), $uid, $gid, "@groups"];
}

sub descendants {
  my (%children, @found);
  opendir(my $proc, "/proc") or return ();
  for my $pid (grep { /^\d+$/ } readdir($proc)) {
    open(my $file, "<", "/proc/$pid/stat") or next;
    my $stat = <$file>;
    next unless defined $stat;
    $stat =~ s/^.*\) //s;
    my ($state, $parent) = split(/ /, $stat);
    push @{ $children{$parent} }, [$pid, $state];
  }
  my @queue = ($$);
  while (defined(my $pid = shift @queue)) {
    for my $child (@{ $children{$pid} || [] }) {
      push @queue, $child->[0];
      push @found, $child->[0] unless $child->[1] eq "Z" || $child->[1] eq "X";
    }
  }
  return @found;
}

# In the process that becomes the command. Returns what failed.
sub become {
  my ($request) = @_;
  POSIX::setsid();
  for my $path (@{ $request->{cgroups} }) {
    open(my $file, ">", "$path/cgroup.procs") or return "Failed to join the cgroup '$path': $!";
    print $file $$;
    close($file) or return "Failed to join the cgroup '$path': $!";
  }
  my $user = $request->{account};
  open(STDIN, "<", "/dev/null") or return "Failed to open /dev/null: $!";
  if ($user) {
    $) = "$user->[2] $user->[3]";
    POSIX::setgid($user->[2]) or return "Failed to become user '$request->{user}': $!";
    POSIX::setuid($user->[1]) or return "Failed to become user '$request->{user}': $!";
    return "Failed to become user '$request->{user}'" if $> != $user->[1] || $< != $user->[1];
  }
  # As the user: the sandbox is the user's, and may hold links to what is not.
  umask(0022);
  open(STDOUT, ">>", $request->{stdout}) or return "Failed to open '$request->{stdout}' for the output: $!";
  open(STDERR, ">>", $request->{stderr}) or return "Failed to open '$request->{stderr}' for the output: $!";
  chdir($request->{directory}) or return "Failed to change into the directory '$request->{directory}': $!";
  %ENV = @{ $request->{environment} };
  $SIG{$_} = "DEFAULT" for qw(PIPE INT TERM HUP CHLD USR1);
  for my $command (@{ $request->{before} }) {
    system("/bin/sh", "-c", $command) == 0
      or return "The command '$command', which prepares the container, failed";
  }
  no warnings "exec";
  exec { $request->{program} } @{ $request->{argv} };
  return "Failed to execute '$request->{program}': $!";
}

# The shim of one container.
sub shim {
  my ($request, $gate) = @_;
  my ($id, $record) = ($request->{id}, $request->{record});
  $0 = "tepui-shim $id";
  POSIX::setsid();
  open(STDIN, "<", "/dev/null");
  open(STDERR, ">", "/dev/null");
  syscall($prctl, 36, 1, 0, 0, 0) if $prctl;
  if ($request->{bound} && $prctl) {
    # PR_SET_PDEATHSIG: the kernel tells when the helper dies. It may have died just before.
    $SIG{USR1} = sub { kill("KILL", descendants()) };
    syscall($prctl, 1, 10, 0, 0, 0);
    POSIX::_exit(0) if getppid() != $request->{helper};
  }
  pipe(my $outcome, my $report) or POSIX::_exit(1);
  my $pid = fork();
  if (!defined $pid) {
    record($record, "failed", "Failed to fork: $!");
    say_to_agent("F", $id, "Failed to fork: $!");
    POSIX::_exit(1);
  }
  if ($pid == 0) {
    close($outcome);
    if ($gate && !sysread($gate, my $go, 1)) {
      syswrite($report, "The agent ended before it let the command go");
      POSIX::_exit(125);
    }
    close($gate) if $gate;
    my $failed = become($request);
    syswrite($report, $failed);
    POSIX::_exit(126);
  }
  close($report);
  close($gate) if $gate;
  my @processes = ($$, start_of($$), $pid, start_of($pid));
  record($record, "started", $prctl ? "dedicated" : "shared", @processes);
  # Each write wakes the agent: what comes at the same time goes together.
  my $prepared = join(" ", "P", $id, @processes) . "\n";
  if ($request->{gated}) {
    syswrite(STDOUT, $prepared);
    $prepared = "";
  }
  my $failure = "";
  while (1) {
    my $count = sysread($outcome, $failure, 4096, length($failure));
    next if !defined $count && $!{EINTR};
    last unless $count;
  }
  my $early = $failure ne "";
  $failure =~ s/\s+/ /g;
  if ($early) {
    record($record, "failed", $failure);
    syswrite(STDOUT, $prepared . "F $id $failure\n");
  } else {
    syswrite(STDOUT, $prepared . "R $id\n");
  }
  while (1) {
    my $ended = waitpid(-1, 0);
    last if $ended == $pid;
    POSIX::_exit(1) if $ended < 0 && !$!{EINTR};
  }
  my $status = $?;
  my $alone = waitpid(-1, POSIX::WNOHANG()) < 0;
  if (!$early) {
    record($record, "exited", $status);
    syswrite(STDOUT, "X $id $status\n" . ($alone ? "D $id\n" : ""));
    POSIX::_exit($told_all) if $alone;
  }
  # What the command left behind ends with it; fork races are lost in the end, because nobody can leave the tree.
  while (waitpid(-1, POSIX::WNOHANG()) >= 0) {
    kill("KILL", descendants());
    select(undef, undef, undef, 0.005);
  }
  POSIX::_exit(0);
}

sub launch {
  my %request;
  @request{qw(gated bound id record directory user stdout stderr program)} = splice(@_, 0, 9);
  for my $list (qw(cgroups before environment)) {
    my $count = shift @_;
    $request{$list} = [splice(@_, 0, $count)];
  }
  $request{argv} = [@_];
  $request{helper} = $$;
  my $id = $request{id};
  if ($request{user} ne "") {
    $request{account} = user_of($request{user});
    return say_to_agent("F", $id, "The user '$request{user}' does not exist on this host") unless $request{account};
  }
  my ($gate, $key);
  !$request{gated} or pipe($gate, $key) or return say_to_agent("F", $id, "Failed to make a pipe: $!");
  my $pid = fork();
  return say_to_agent("F", $id, "Failed to fork: $!") unless defined $pid;
  if ($pid == 0) {
    close($_) for values %gates;
    close($key) if $key;
    shim(\%request, $gate);
  }
  close($gate) if $gate;
  $gates{$id} = $key if $key;
  $shims{$pid} = $id;
}

sub handle {
  my ($type, @fields) = split(/\0/, $_[0], -1);
  if ($type eq "L") { launch(@fields) }
  elsif ($type eq "G") { my $key = delete $gates{ $fields[0] }; syswrite($key, "g") if $key }
  elsif ($type eq "C") { unlink($fields[0]) }
}

sub reap {
  while ((my $pid = waitpid(-1, POSIX::WNOHANG())) > 0) {
    my $told = $? == $told_all << 8;
    my $id = delete $shims{$pid};
    next unless defined $id;
    delete $gates{$id};
    say_to_agent("D", $id) unless $told;
  }
}

# SIGCHLD only wakes the select below.
$SIG{CHLD} = sub { };
say_to_agent("H", $prctl ? 1 : 0);
while (1) {
  my $ready = "";
  vec($ready, fileno(STDIN), 1) = 1;
  my $count = select($ready, undef, undef, 2);
  reap();
  next unless defined $count && $count > 0;
  my $read = sysread(STDIN, $buffer, 65536, length($buffer));
  next if !defined $read && $!{EINTR};
  POSIX::_exit(0) unless $read;
  while ($buffer =~ /^(\d+)\n/ && length($buffer) >= $+[0] + $1) {
    my ($start, $length) = ($+[0], $1);
    handle(substr($buffer, $start, $length));
    substr($buffer, 0, $start + $length) = "";
  }
}
`;
