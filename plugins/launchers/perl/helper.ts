/**
 * The helper: takes the agent's commands, and forks a shim for each container. Part of the helper's program: see program.ts.
 */
export const HELPER = String.raw`
my (%gates, %shims);
my $buffer = "";

# A program that reads a stream of a container, apart from everything of the container. Gives the end to write to, and one that says
# why the program could not be started.
sub start_reader {
  my (@command) = @_;
  pipe(my $input, my $output) && pipe(my $started, my $report) or return;
  my $pid = fork();
  return unless defined $pid;
  return ($output, $started) if $pid;
  POSIX::setsid();
  close($_) for $output, $started, values %gates;
  open(STDIN, "<&", $input);
  open(STDOUT, ">", "/dev/null");
  open(STDERR, ">", "/dev/null");
  $SIG{$_} = "DEFAULT" for qw(PIPE INT TERM HUP CHLD);
  no warnings "exec";
  exec { $command[0] } @command;
  syswrite($report, "Failed to execute '$command[0]' for the output: $!");
  POSIX::_exit(126);
}

sub launch {
  return if agent_is_gone();
  my %request;
  while (@_) {
    my ($key, $count) = splice(@_, 0, 2);
    $request{$key} = $count eq "=" ? shift(@_) : [splice(@_, 0, $count)];
  }
  $request{helper} = $$;
  my $id = $request{id};
  if (defined $request{user}) {
    $request{account} = user_of($request{user});
    return say_to_agent("F", $id, "The user '$request{user}' does not exist on this host") unless $request{account};
    my ($known, @more) = ($request{account}, @{ $request{groups} || [] });
    $request{account} = [@$known[0 .. 2], join(" ", $known->[3], @more)] if @more;
  }
  my ($gate, $key);
  !$request{gated} or pipe($gate, $key) or return say_to_agent("F", $id, "Failed to make a pipe: $!");
  for my $stream ("stdout", "stderr") {
    my $command = $request{$stream . "_command"} or next;
    my ($output, $started) = start_reader(@$command);
    return say_to_agent("F", $id, "Failed to start '$command->[0]' for the output: $!") unless $output;
    $request{pipes}{$stream} = $output;
    $request{started}{$stream} = $started;
  }
  if (defined $request{switchboard}) {
    my $problem = start_switchboard(\%request, values %gates, $key || ());
    return say_to_agent("F", $id, $problem) if $problem ne "";
  }
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
say_to_agent("H", $number{prctl} ? 1 : 0, lack());
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
