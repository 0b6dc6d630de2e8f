/**
 * The shim: the process that stays with one container, whatever becomes of the agent. Part of the helper's program: see program.ts.
 *
 * It adopts every orphan below it (PR_SET_CHILD_SUBREAPER), so that nothing which the command starts can leave its tree. It records how
 * the command ended, ends what is left of the tree and of the container's control group, and ends.
 */
export const SHIM = String.raw`
# Exit status of a shim that has said itself that nothing of its container is left.
my $told_all = 3;

sub give_up {
  my ($request, $failure) = @_;
  record($request->{record}, "failed", $failure);
  my $cage = $request->{cage} && $request->{cage}[0];
  leave_cage($cage) if defined $cage;
  say_to_agent("F", $request->{id}, $failure);
  POSIX::_exit(1);
}

# Forks: 0 in the child. Its namespace of processes is this one, another that is entered, a new one, or a new one below the one entered.
sub fork_first {
  my ($request) = @_;
  my %entered = @{ $request->{enter} || [] };
  my ($inside, $own) = (exists $entered{pid}, $request->{init});
  # These are for the children of who calls. Of these, whoever is in there already can see nothing: PR_SET_DUMPABLE, until the exec.
  prctl(4, 0) if $inside;
  enter_namespace("pid", $entered{pid}) if $inside;
  make_namespaces("pid") if $own && !$inside;
  my $failed = sub { die "Failed to fork: $!\n" };
  my $pid = fork();
  $failed->() unless defined $pid;
  return $pid unless $inside && $own;
  if ($pid == 0) {
    # Only who is in a namespace can make one below it: this process, in its parent's place (CLONE_NEWPID, CLONE_PARENT and SIGCHLD).
    my $made = sys("clone", 0x20000000 | 0x8000 | 17, 0, 0, 0, 0);
    return 0 if $made == 0;
    POSIX::_exit($made > 0 ? 0 : $! + 0);
  }
  1 until waitpid($pid, 0) == $pid || !$!{EINTR};
  if ($? != 0) {
    $! = $? >> 8;
    $failed->();
  }
  my $children = read_control("/proc/$$/task/$$/children");
  my ($child) = defined $children ? split(/ /, $children) : descendants();
  $failed->() unless $child;
  return $child;
}

# Forks the first process. Returns its pid, where it reports, where it says how the command ended, and what lets it go where the agent does
# not: that it is written down. A command may end its shim, and nobody would find it.
sub start_container {
  my ($request, $gate) = @_;
  for my $name (sort keys %{ $request->{started} }) {
    my $problem = read_all($request->{started}{$name});
    give_up($request, $problem) if $problem ne "";
  }
  my $problem = make_cage($request);
  give_up($request, $problem) if $problem ne "";
  my ($outcome, $report, $ended, $ending, $key);
  pipe($outcome, $report) && (!$request->{init} || pipe($ended, $ending)) && ($gate || pipe($gate, $key))
    or give_up($request, "Failed to make a pipe: $!");
  my $pid = eval { fork_first($request) };
  if (!defined $pid) {
    chomp(my $text = $@);
    give_up($request, $text);
  }
  if ($pid == 0) {
    close($outcome);
    close($key) if $key;
    my $failed = run_container($request, $gate, $report, $ending);
    $failed =~ s/\s+$//;
    syswrite($report, $failed);
    POSIX::_exit(126);
  }
  close($_) for values %{ $request->{pipes} };
  return ($pid, $outcome, $ended, $key);
}

sub shim {
  my ($request, $gate) = @_;
  my ($id, $record) = ($request->{id}, $request->{record});
  $0 = "tepui-shim $id";
  POSIX::setsid();
  open(STDIN, "<", "/dev/null");
  open(STDERR, ">", "/dev/null");
  $SIG{CHLD} = "DEFAULT";
  prctl(36, 1) if $number{prctl};
  if ($request->{bound} && $number{prctl}) {
    # PR_SET_PDEATHSIG: the kernel tells when the helper dies. It may have died just before.
    $SIG{USR1} = sub { kill("KILL", descendants()) };
    prctl(1, 10);
    POSIX::_exit(0) if getppid() != $request->{helper};
  }
  my $cage = $request->{cage} && $request->{cage}[0];
  # First of all: whoever finds this record knows what else may be there.
  record($record, "cgroup", $request->{group}) if defined $cage;
  my ($pid, $outcome, $ended, $key) = start_container($request, $gate);
  close($gate) if $gate;
  my @processes = ($$, start_of($$), $pid, start_of($pid));
  record($record, "started", $number{prctl} ? "dedicated" : "shared", @processes);
  if ($key) {
    syswrite($key, "r") unless agent_is_gone();
    close($key);
  }
  # Each write wakes the agent: what comes at the same time goes together.
  my $prepared = join(" ", "P", $id, @processes) . "\n";
  my $failure = "";
  if ($request->{gated}) {
    1 until defined sysread($outcome, $failure, 1) || !$!{EINTR};
    if ($failure eq "\1") {
      syswrite(STDOUT, $prepared);
      $prepared = $failure = "";
    }
  }
  $failure .= read_all($outcome);
  my $early = $failure ne "";
  $failure =~ s/\s+/ /g;
  if ($early) {
    record($record, "failed", $failure);
    syswrite(STDOUT, $prepared . "F $id $failure\n");
  } else {
    syswrite(STDOUT, $prepared . "R $id\n");
  }
  while (1) {
    my $gone = waitpid(-1, 0);
    last if $gone == $pid;
    POSIX::_exit(1) if $gone < 0 && !$!{EINTR};
  }
  my $status = $?;
  if ($ended) {
    my $told = read_all($ended);
    $status = $told if $told ne "";
  }
  my $alone = !has_children() && (!defined $cage || leave_cage($cage));
  my $lone = $request->{bound} && getppid() != $request->{helper};
  if (!$early) {
    record($record, "exited", $status);
    syswrite(STDOUT, "X $id $status\n" . ($alone ? "D $id\n" : ""));
    POSIX::_exit($told_all) if $alone && !$lone;
  }
  # What the command left behind ends with it; fork races are lost in the end, because nobody can leave the tree.
  until ($alone) {
    end_cage($cage) if defined $cage;
    kill("KILL", descendants()) if has_children();
    1 while waitpid(-1, POSIX::WNOHANG()) > 0;
    $alone = !has_children() && (!defined $cage || leave_cage($cage));
    select(undef, undef, undef, 0.002) unless $alone;
  }
  # There is nobody to take the group away, where it still stands.
  if ($lone) { rmdir($_) for reverse @{ $request->{cage} || [] } }
  POSIX::_exit(0);
}
`;
