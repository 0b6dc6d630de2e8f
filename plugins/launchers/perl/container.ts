/**
 * The way of a container's first process from its fork to its command. Part of the helper's program: see program.ts.
 *
 * It joins its control groups and has its namespaces before it says that it is prepared; all else, for which others may still make
 * files, comes once it is let go.
 */
export const CONTAINER = String.raw`
my %new_namespace = (
  pid => 0x20000000, ipc => 0x08000000, mount => 0x00020000, network => 0x40000000, uts => 0x04000000, cgroup => 0x02000000,
);

sub enter_namespace {
  my ($kind, $path) = @_;
  my $file;
  open($file, "<", $path) && sys("setns", fileno($file), $new_namespace{$kind}) == 0
    or die "Failed to enter the $kind namespace '$path': $!\n";
}

sub make_namespaces {
  my (@kinds) = @_;
  my $flags = 0;
  $flags |= $new_namespace{$_} for @kinds;
  $flags == 0 || sys("unshare", $flags) == 0 or die "Failed to make namespaces (@kinds): $!\n";
}

# The sandbox is the user's, and may hold links to what is not.
sub as_user {
  my ($request, $what) = @_;
  my $user = $request->{account};
  my $own_groups = $);
  if ($user && $user->[1] != 0) {
    $) = "$user->[2] $user->[3]";
    $> = $user->[1];
    die "Failed to become user '$request->{user}': $!\n" if $> != $user->[1];
  }
  umask(0022);
  $what->();
  if ($user && $user->[1] != 0) {
    $> = $<;
    $) = $own_groups;
  }
}

# What is there already, out of an archive or from who shares the sandbox, may be a link to a file of the host, or a pipe that nobody reads.
sub open_log {
  my ($path) = @_;
  my ($directory, $name) = $path =~ m{^(.*)/([^/]+)$};
  my $flags = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOFOLLOW;
  my $log;
  my $opened = enter_sandbox($directory eq "" ? "/" : $directory) && sysopen($log, $name, $flags, 0666);
  my $problem = "$!";
  chdir("/");
  $opened or die "Failed to open '$path' for the output: $problem\n";
  fcntl($log, F_SETFL, O_APPEND);
  return $log;
}

sub open_streams {
  my ($request) = @_;
  my $pipes = $request->{pipes} || {};
  my @given = ([*STDIN, "<", "stdin"], [*STDOUT, ">", "stdout"], [*STDERR, ">", "stderr"]);
  for my $stream (grep { $pipes->{ $_->[2] } } @given) {
    open($stream->[0], "$stream->[1]&", $pipes->{ $stream->[2] }) or die "Failed to open a pipe for the $stream->[2]: $!\n";
  }
  if (!$pipes->{stdin}) { open(STDIN, "<", "/dev/null") or die "Failed to open /dev/null: $!\n" }
  as_user($request, sub {
    for my $stream (grep { $_->[1] eq ">" && !$pipes->{ $_->[2] } } @given) {
      my $log = open_log($request->{ $stream->[2] });
      open($stream->[0], ">&", $log) or die "Failed to open the $stream->[2]: $!\n";
    }
  });
}

# Only returns by dying.
sub become_command {
  my ($request) = @_;
  my $program = $request->{program};
  give_up_privileges($request, sub {
    chdir($request->{directory}) or die "Failed to change into the directory '$request->{directory}': $!\n";
    # A program that was fetched into the sandbox goes by its bare name.
    $program = "./$program" if $program !~ m{/} && -f $program && -x _;
    %ENV = @{ $request->{environment} };
    $SIG{$_} = "DEFAULT" for qw(PIPE INT TERM HUP CHLD USR1);
    for my $command (@{ $request->{before} || [] }) {
      system("/bin/sh", "-c", $command) == 0
        or die "The command '$command', which prepares the container, failed\n";
    }
  });
  no warnings "exec";
  exec { $program } @{ $request->{argv} };
  die "Failed to execute '$request->{program}': $!\n";
}

# Process 1 of a pid namespace: reaps what is left to it, and ends, and with it everything, when the command does.
sub init {
  my ($pid, $ending) = @_;
  $0 = "tepui-init";
  # Nothing of the host is left open in the container.
  for my $descriptor (3 .. 63) { POSIX::close($descriptor) if $descriptor != fileno($ending) }
  while (1) {
    my $ended = waitpid(-1, 0);
    next if $ended != $pid && ($ended > 0 || $!{EINTR});
    # How it ended cannot be told by ending the same way: process 1 does not die by signals of its own.
    syswrite($ending, $?) if $ended == $pid;
    POSIX::_exit($? >> 8 || $? & 127);
  }
}

# In the container's first process. Returns what failed.
sub run_container {
  my ($request, $gate, $report, $ending) = @_;
  my $failed = eval {
    POSIX::setsid();
    join_cgroup($_) for @{ $request->{cgroups} || [] };
    my %entered = @{ $request->{enter} || [] };
    my $files = delete $entered{mount};
    enter_namespace($_, $entered{$_}) for grep { $_ ne "pid" } keys %entered;
    # Not to be looked into by what runs in the container: PR_SET_DUMPABLE, until the exec.
    prctl(4, 0) if $request->{init};
    my @new = @{ $request->{unshare} || [] };
    make_namespaces(@new) unless $files;
    syswrite($report, "\1") if $request->{gated};
    sysread($gate, my $go, 1)
      or die $request->{gated} ? "The agent ended before it let the command go\n" : "The container's shim ended early\n";
    close($gate);
    open_streams($request);
    if (defined $request->{oom_score_adjust}) {
      write_control("/proc/self/oom_score_adj", $request->{oom_score_adjust})
        or die "Failed to set oom_score_adj: $!\n";
    }
    if ($files) {
      enter_namespace("mount", $files);
      make_namespaces(@new);
    }
    if (defined $request->{hostname}) {
      my $name = "$request->{hostname}";
      sys("sethostname", $name, length($name)) == 0 or die "Failed to set the host name '$name': $!\n";
    }
    arrange_files($request) if grep { $_ eq "mount" } @new;
    if ($request->{init}) {
      my $pid = fork();
      defined $pid or die "Failed to fork: $!\n";
      if ($pid != 0) {
        close($report);
        init($pid, $ending);
      }
      POSIX::setsid();
    }
    take_terminal() if $request->{terminal};
    become_command($request);
    "";
  };
  return defined $failed ? "The command went on" : $@;
}
`;
