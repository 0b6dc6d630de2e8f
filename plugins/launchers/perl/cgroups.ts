/**
 * The control group that a container is kept together by: everything in it can be ended at once, whatever it does meanwhile.
 * Part of the helper's program: see program.ts.
 */
export const CGROUPS = String.raw`
# Moves this process. On v1 into a thread's file: a process of one thread is moved without stopping all others on the host.
sub join_cgroup {
  my ($path) = @_;
  my $file;
  if (open($file, ">", "$path/tasks") || open($file, ">", "$path/cgroup.procs")) {
    return if defined syswrite($file, "0");
  }
  die "Failed to join the cgroup '$path': $!\n";
}

sub write_control {
  my ($path, $text) = @_;
  open(my $file, ">", $path) or return 0;
  return defined syswrite($file, $text);
}

sub read_control {
  my ($path) = @_;
  open(my $file, "<", $path) or return undef;
  return read_all($file);
}

sub make_cage {
  my ($request) = @_;
  for my $path (@{ $request->{above} || [] }, @{ $request->{cage} || [] }) {
    mkdir($path, 0755) || $!{EEXIST} or return "Failed to make the cgroup '$path': $!";
  }
  return "";
}

# Ends every process in the cage. Those that are being born are stopped first.
sub end_cage {
  my ($path) = @_;
  return if write_control("$path/cgroup.kill", "1");
  if (write_control("$path/freezer.state", "FROZEN")) {
    for (1 .. 100) {
      last if (read_control("$path/freezer.state") || "") =~ /^FROZEN/;
      select(undef, undef, undef, 0.001);
    }
  }
  kill("KILL", grep { $_ > 0 } split(/\n/, read_control("$path/cgroup.procs") || ""));
  write_control("$path/freezer.state", "THAWED");
}

# Whether nothing is left in the cage. On v1, where it holds nothing else, it goes with the last process; on v2 others may still want
# to read what is in it.
sub leave_cage {
  my ($path) = @_;
  my $events = read_control("$path/cgroup.events");
  return $events =~ /^populated 0$/m if defined $events;
  return 1 if rmdir($path) || $!{ENOENT};
  my $processes = read_control("$path/cgroup.procs");
  return !defined $processes || $processes eq "";
}
`;
